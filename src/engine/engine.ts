/**
 * What it takes to run code: the contract between the node and a process worker.
 *
 * An instance stays hot: its memory never leaves the worker, only changed pages do. The same interface is
 * implemented in the worker (over the instance) and in the node (over a port), so a caller cannot tell them apart.
 * Everything that crosses is structured-cloneable; page buffers are transferred.
 */

/** Size of a snapshot page in bytes: WebAssembly's own. */
export const PAGE_BYTES = 65536;

/** Told from a module's imports and exports, never from its name (process.md §4.1). */
export type ModuleKind =
  | 'ao-standalone-wasm64'
  | 'ao-standalone-wasm32'
  | 'emscripten-wasm64-draft_2024_02_15'
  | 'emscripten-wasm32'
  | 'emscripten-wasm32-2'
  | 'emscripten-wasm32-3'
  | 'emscripten-wasm32-4'
  | 'bare';

/** Result of looking at a module without running it. */
export interface ModuleInspection {
  readonly kind: ModuleKind;
  readonly wordBits: 32 | 64;
  readonly metered: boolean;
  readonly asyncify: boolean;
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
  readonly imports: readonly { module: string; name: string; kind: string }[];
  readonly exports: readonly { name: string; kind: string }[];
}

export interface Limits {
  /** Bytes of linear memory. */
  readonly memory?: number;
  /** Milliseconds that one evaluation may take before its worker is terminated. */
  readonly time?: number;
  /** Gas, where the module meters; Lua steps. */
  readonly compute?: number;
}

/** One page that changed since the last snapshot. `hash`: b64u SHA-256; absent bytes mean an all-zero page. */
export interface Page {
  readonly index: number;
  readonly hash: string;
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** Pages that changed since the previous call, and what lies outside memory. */
export interface SnapshotDelta {
  readonly byteLength: number;
  /**
   * Only pages that differ from the previous snapshot of this instance. On the first call: from the image it was
   * started with, or, without one, from a memory that is all zero, so that the pages so far make a whole image.
   */
  readonly changed: readonly Page[];
  /**
   * Mutable exported globals (stack pointer …) by name, as decimal text; and, under names that begin with
   * `host:`, what the host itself remembers (`host:clock`, `host:files`). To be handed back as it is.
   */
  readonly globals: Readonly<Record<string, string>>;
}

/** A whole memory to start from: page index to bytes, all others zero. */
export interface MemoryImage {
  readonly byteLength: number;
  readonly pages: readonly { index: number; bytes: Uint8Array<ArrayBuffer> }[];
  readonly globals: Readonly<Record<string, string>>;
}

/** A WASM instance that answers AO messages: JSON in, JSON out. */
export interface WasmEngine {
  readonly inspection: ModuleInspection;
  /**
   * One `handle(message, environment)` with the exact texts given; the texts are part of the memory afterwards.
   * A trap, an abort or an out-of-gas leaves memory as `onError` asks and answers `{ ok: false }`.
   */
  evaluate(message: string, environment: string, options?: EvaluateOptions): Promise<Evaluation>;
  /**
   * The same for several messages in order, in one crossing of the port. With `stopAtFailure` the first one that
   * fails is the last one answered, and those behind it are not run.
   */
  evaluateAll(
    messages: readonly { message: string; environment: string }[],
    options?: EvaluateOptions & { stopAtFailure?: boolean },
  ): Promise<Evaluation[]>;
  /** Raw call of an exported function, for `wasm-64@1.0` used without JSON. Arguments and results in decimal text or numbers. */
  call(name: string, parameters: readonly (bigint | number)[]): Promise<CallResult>;
  /** What changed since the last snapshot (`changed` buffers are handed over). */
  snapshot(): Promise<SnapshotDelta>;
  /** SHA-256 (lower-case hex) and length of the whole linear memory. */
  digest(): Promise<{ sha256: string; byteLength: number }>;
  /** A copy of the whole memory image as it stands (dry runs, forks). */
  image(): Promise<MemoryImage>;
  close(): Promise<void>;
}

export interface EvaluateOptions {
  /** `restore`: memory as before the message when it fails (legacynet); `keep`: as the failure left it (native). */
  readonly onError?: 'restore' | 'keep';
  /** Legacynet's rule: a reply whose `Error` is truthy also counts as a failure for `restore`. */
  readonly replyErrorIsFailure?: boolean;
  /** Milliseconds after which this evaluation is ended, where that is less than the machine's own limit. */
  readonly time?: number;
  /** Memory and host are put back as they were before the message, whatever came of it (dry runs). */
  readonly discard?: boolean;
  /**
   * Milliseconds. Kept for programs that may read a clock some day: every family known today sees a counter or
   * no clock at all (process.md §3.8, §4.7), never this.
   */
  readonly now?: number;
}

export type Evaluation =
  | {
      readonly ok: true;
      /** The reply's bytes as text. */
      readonly reply: string;
      /** Text the module wrote to stdout and stderr. */
      readonly output: string;
      readonly gasUsed?: number;
      /** Pointers of message, environment and reply: part of the reference's state (process.md §3.9). */
      readonly pointers: { message: string; environment: string; reply: string };
      /** The reply was not valid UTF-8: bad octets in `reply` are U+FFFD. */
      readonly invalidText?: true;
      /** The reply counted as a failure (`replyErrorIsFailure`) and memory was put back. */
      readonly restored?: true;
      /** Ways in which this call could not go as on the network, for the slot's record (`stack-too-small` …). */
      readonly divergence?: readonly string[];
    }
  | {
      readonly ok: false;
      readonly reason: 'trap' | 'abort' | 'gas' | 'memory';
      readonly error: string;
      readonly output: string;
    };

export type CallResult =
  | { readonly ok: true; readonly results: readonly (bigint | number)[] }
  | {
      readonly ok: false;
      readonly reason: 'trap' | 'no-function' | 'bad-parameters';
      readonly error: string;
    };

/** How to start a WASM engine. */
export interface WasmStart {
  /** The module's bytes, or the compiled module where it was compiled already. */
  readonly module: Uint8Array<ArrayBuffer> | WebAssembly.Module;
  /** b64u SHA-256 of the bytes; modules are compiled once per worker. */
  readonly moduleHash: string;
  readonly memory?: MemoryImage;
  readonly limits?: Limits;
  /** The Module's format tag, as a cross-check against what its imports say. */
  readonly format?: string;
}
