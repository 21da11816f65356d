/**
 * An instantiated module behind one calling convention. The engine (`wasm-engine.ts`) knows messages, limits
 * and restoring; a program knows how its family takes two texts and gives one back.
 */
import type { ModuleInspection, ModuleKind } from './engine.ts';
import type { Signature } from './binary.ts';
import type { LinearMemory } from './linear-memory.ts';

/** What one `handle` left: addresses of the three texts, and gas where the module meters. */
export interface Handled {
  readonly message: number;
  readonly environment: number;
  readonly reply: number;
  readonly gasUsed?: number;
  /** Ways in which this call could not go as on the network (`stack-too-small` …). */
  readonly divergence?: readonly string[];
}

export interface Program {
  readonly memory: LinearMemory;
  readonly exports: WebAssembly.Exports;
  /** Throws what the module throws: traps, `Abort`, `OutOfGas`, `NoMemory`. Synchronous unless the module sleeps. */
  handle(message: string, environment: string): Handled | Promise<Handled>;
  /** Text written to stdout and stderr since the last call. */
  takeOutput(): string;
  /** What the host remembers outside memory (clock, files), as text by name; empty values are left out. */
  hostState(): Record<string, string>;
  /** Puts the host's memory back; absent names mean: as in a fresh instance. */
  restoreHost(state: Readonly<Record<string, string>>): void;
}

export interface ProgramStart {
  readonly module: WebAssembly.Module;
  readonly inspection: ModuleInspection;
  readonly kind: ModuleKind;
  readonly signatures: ReadonlyMap<string, Signature>;
  /** Signatures of imported functions by `module.name`. */
  readonly importSignatures: ReadonlyMap<string, Signature>;
  /** Most bytes that memory may have. */
  readonly memoryLimit: number | undefined;
  readonly gasLimit: number | undefined;
  readonly drive: Drive | undefined;
}

/**
 * Files from outside (WeaveDrive, process.md §4.9): the whole content of `/data/…`, `/tx/…`, `/block/…`, or
 * undefined if there is no such file or it may not be read. `height`: block height of the message that reads.
 */
export type Drive = (path: string, height?: number) => Promise<Uint8Array | undefined>;

/** The module, or the host for it, gave up: `abort()`, `exit()`, a host check. */
export class Abort extends Error {
  override readonly name = 'Abort';
}

export class OutOfGas extends Error {
  override readonly name = 'OutOfGas';
}

/** No room for the message itself. */
export class NoMemory extends Error {
  override readonly name = 'NoMemory';
}

/** Text that a module prints, cut at 1 MiB per message so that printing cannot fill memory. */
export class Output {
  static readonly LIMIT = 1 << 20;
  #parts: string[] = [];
  #length = 0;
  readonly #decoder = new TextDecoder('utf-8');

  write(octets: Uint8Array): void {
    const room = Output.LIMIT - this.#length;
    if (room <= 0 || octets.length === 0) return;
    // A copy: the decoder must not see memory that later changes.
    const part = octets.slice(0, room);
    this.#length += part.length;
    this.#parts.push(this.#decoder.decode(part));
  }

  take(): string {
    const text = this.#parts.join('');
    this.#parts = [];
    this.#length = 0;
    return text;
  }
}
