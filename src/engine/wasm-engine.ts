/**
 * The engine: one instance, kept hot, that answers messages (`engine.ts` is its contract).
 *
 * A failed message can leave memory as it was before it, without a copy of memory per message: pages are
 * looked at now and then (a checkpoint), the messages since are kept, and a failure loads the checkpoint into a
 * new instance and runs those messages again. Programs are deterministic, so that gives the same memory. How
 * long the list may get follows from what a look costs, so both stay a small share of the work itself.
 */
import { AoError } from '../base/errors.ts';
import { toBase64Url, toHex } from '../base/bytes.ts';
import { readOutline, withMaximumPages, type Signature } from './binary.ts';
import { EmscriptenProgram } from './emscripten.ts';
import {
  PAGE_BYTES,
  type CallResult,
  type EvaluateOptions,
  type Evaluation,
  type MemoryImage,
  type ModuleInspection,
  type Page,
  type SnapshotDelta,
  type WasmEngine,
  type WasmStart,
} from './engine.ts';
import { BareProgram } from './bare.ts';
import { callExport } from './call-export.ts';
import { failureOf, replyFails } from './failure.ts';
import { inspectOutline, kindWithFormat, metersAtLoad } from './inspect.ts';
import { meterModule } from './metering.ts';
import { PageHashes } from './page-hashes.ts';
import { loadImage, PageTracker } from './pages.ts';
import type { Drive, Handled, Program, ProgramStart } from './program.ts';
import { StandaloneProgram } from './standalone.ts';
import { compileModule } from './webassembly.ts';

export type HashBytes = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

export interface EngineCapabilities {
  /** SHA-256; default: the platform's. */
  readonly sha256?: HashBytes;
  /** Files from outside for programs that may read them; without it every such file is absent. */
  readonly drive?: Drive;
  /** Called after each of several messages that run in a row, with the number of those that are done. */
  readonly progress?: (done: number) => void;
}

const platformSha256: HashBytes = async (bytes) =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

/** A checkpoint is due when the messages since took this many times as long as looking at memory does. */
const LOOK_SHARE = 25;
/** … or when their texts have this many characters together. */
const JOURNAL_CHARACTERS = 16 * 1024 * 1024;
const HOST = 'host:';
/** Stands for the hash of a page that came with an image: no page has it. */
const UNKNOWN_HASH = new Uint8Array(32);

/**
 * Compiles and starts a module.
 * @throws AoError `bad-module`, `module-format`, `unsupported-module` (422), `memory-limit` (413),
 *   `no-memory64` (501), `out-of-memory` (507)
 */
export async function startWasm(
  start: WasmStart,
  capabilities: EngineCapabilities = {},
): Promise<WasmEngine> {
  return Engine.start(start, capabilities);
}

/** The message that runs, for the drive; and what kept the drive from answering it. */
interface DriveUse {
  message: string;
  failed: AoError | undefined;
}

function driveFor(drive: Drive, use: DriveUse): Drive {
  return async (path) => {
    try {
      return await drive(path, heightOf(use.message));
    } catch (thrown) {
      use.failed ??= AoError.wrap(thrown);
      return undefined;
    }
  };
}

function heightOf(message: string): number | undefined {
  try {
    const height = Number((JSON.parse(message) as { 'Block-Height'?: unknown })['Block-Height']);
    return Number.isSafeInteger(height) ? height : undefined;
  } catch {
    return undefined;
  }
}

interface JournalEntry {
  readonly message: string;
  readonly environment: string;
  /** The message failed: what came after ran in a new instance. */
  readonly fresh?: true;
}

class Engine implements WasmEngine {
  readonly inspection: ModuleInspection;
  readonly #start: ProgramStart;
  readonly #globals: readonly string[];
  readonly #sha256: HashBytes;
  readonly #progress: ((done: number) => void) | undefined;
  readonly #use: DriveUse;
  #program: Program;
  #closed = false;
  /** Calls run one after the other, whatever the caller does. */
  #queue: Promise<unknown> = Promise.resolve();

  readonly #tracker = new PageTracker();
  /** Hashes of the pages as the last snapshot gave them. */
  readonly #saved = new PageHashes();
  /** What the tracker last looked at can be gone back to, with the journal on top. */
  #restorable = true;
  /** Nothing was looked at yet: going back means a fresh instance. */
  #fromFresh: boolean;
  #checkpointState: Record<string, string> = {};
  #journal: JournalEntry[] = [];
  #journalCharacters = 0;
  #journalTime = 0;
  #lookTime = 20;

  private constructor(
    program: Program,
    start: ProgramStart,
    globals: readonly string[],
    { sha256 = platformSha256, progress }: EngineCapabilities,
    use: DriveUse,
    image: MemoryImage | undefined,
  ) {
    this.inspection = start.inspection;
    this.#program = program;
    this.#start = start;
    this.#globals = globals;
    this.#sha256 = sha256;
    this.#progress = progress;
    this.#use = use;
    this.#fromFresh = image === undefined;
    if (image) {
      this.#tracker.adopt(image);
      // Their hashes are not known here; a page that becomes zero again is a change all the same.
      for (const { index } of image.pages) this.#saved.setBytes(index, UNKNOWN_HASH);
      this.#checkpointState = { ...image.globals };
    }
  }

  static async start(given: WasmStart, capabilities: EngineCapabilities): Promise<Engine> {
    if (!(given.module instanceof Uint8Array))
      throw new AoError('bad-module', 'An engine starts from the bytes of a module.', { status: 422 });
    const bare = inspectOutline(readOutline(given.module));
    const kind = kindWithFormat(bare, given.format);
    const bytes = metersAtLoad(given.format)
      ? meterModule(given.module, bare.wordBits === 64 ? 'i64' : 'i32')
      : given.module;
    const outline = readOutline(bytes);
    const inspection = inspectOutline(outline);
    const memoryLimit = given.limits?.memory;
    if (memoryLimit !== undefined && inspection.initialPages * PAGE_BYTES > memoryLimit)
      throw new AoError(
        'memory-limit',
        `The module needs ${inspection.initialPages * PAGE_BYTES} bytes of memory to start, its limit is ${memoryLimit}.`,
        { status: 413, detail: { limit: memoryLimit } },
      );
    const module = await compiled(given, bytes, inspection, memoryLimit);
    const use: DriveUse = { message: '', failed: undefined };
    const start: ProgramStart = {
      module,
      inspection,
      kind,
      signatures: signatures(outline.exports.map((entry) => [entry.name, entry.signature])),
      importSignatures: signatures(
        outline.imports.map((entry) => [`${entry.module}.${entry.name}`, entry.signature]),
      ),
      memoryLimit,
      gasLimit: given.limits?.compute,
      drive: capabilities.drive && driveFor(capabilities.drive, use),
    };
    const program = await startProgram(start);
    const globals = outline.exports
      .filter(({ kind, name }) => kind === 'global' && isMutable(program.exports[name]))
      .map(({ name }) => name);
    const engine = new Engine(program, start, globals, capabilities, use, given.memory);
    if (given.memory) {
      checkImage(given.memory);
      if (!loadImage(program.memory, given.memory)) throw cannotGrow(given.memory.byteLength);
      engine.#restoreState(given.memory.globals);
    }
    return engine;
  }

  #exclusive<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#closed) throw new AoError('engine-closed', 'The engine was closed.', { status: 503 });
      return work();
    });
    this.#queue = result.catch(() => undefined);
    return result;
  }

  evaluate(message: string, environment: string, options: EvaluateOptions = {}): Promise<Evaluation> {
    return this.#exclusive(() => this.#evaluate(message, environment, options));
  }

  evaluateAll(
    messages: readonly { message: string; environment: string }[],
    options: EvaluateOptions & { stopAtFailure?: boolean } = {},
  ): Promise<Evaluation[]> {
    return this.#exclusive(async () => {
      const out: Evaluation[] = [];
      for (const { message, environment } of messages) {
        const evaluation = await this.#evaluate(message, environment, options);
        out.push(evaluation);
        if (!evaluation.ok && options.stopAtFailure) break;
        this.#progress?.(out.length);
      }
      return out;
    });
  }

  /** @throws AoError what kept the drive from answering: nothing may be made of the evaluation then */
  async #evaluate(message: string, environment: string, options: EvaluateOptions): Promise<Evaluation> {
    this.#use.message = message;
    const evaluation = await this.#attempt(message, environment, options);
    const { failed } = this.#use;
    this.#use.failed = undefined;
    if (failed) throw failed;
    return evaluation;
  }

  async #attempt(message: string, environment: string, options: EvaluateOptions): Promise<Evaluation> {
    const restoring = options.onError === 'restore';
    if (restoring && !this.#restorable) this.#checkpoint();
    if (options.discard && (this.#journal.length || this.#fromFresh || !this.#restorable)) this.#checkpoint();
    const began = performance.now();
    const program = this.#program;
    let handled: Handled;
    let text: string | undefined;
    try {
      const result = program.handle(message, environment);
      handled = result instanceof Promise ? await result : result;
      text = program.memory.strictText(handled.reply);
    } catch (thrown) {
      const failure = failureOf(thrown);
      const output = program.takeOutput();
      if (options.discard) await this.#reload();
      else if (restoring) await this.#goBack();
      else this.#restorable = false;
      return { ok: false, ...failure, output };
    }
    const evaluation: Evaluation = {
      ok: true,
      reply: text ?? program.memory.text(handled.reply),
      output: program.takeOutput(),
      pointers: {
        message: String(handled.message),
        environment: String(handled.environment),
        reply: String(handled.reply),
      },
      ...(handled.gasUsed === undefined ? {} : { gasUsed: handled.gasUsed }),
      ...(text === undefined ? { invalidText: true as const } : {}),
      ...(handled.divergence ? { divergence: handled.divergence } : {}),
    };
    if (options.discard) {
      if (this.#tracker.revert(program.memory)) this.#restoreState(this.#checkpointState);
      else await this.#reload();
      return evaluation;
    }
    if (restoring && options.replyErrorIsFailure && replyFails(evaluation.reply)) {
      await this.#goBack();
      return { ...evaluation, restored: true };
    }
    if (restoring) this.#remember(message, environment, performance.now() - began);
    else this.#restorable = false;
    return evaluation;
  }

  #remember(message: string, environment: string, took: number): void {
    this.#journal.push({ message, environment });
    this.#journalCharacters += message.length + environment.length;
    this.#journalTime += took;
    if (this.#journalTime > LOOK_SHARE * this.#lookTime || this.#journalCharacters > JOURNAL_CHARACTERS)
      this.#checkpoint();
  }

  /** Looks at memory, so that it can be gone back to as it is now. */
  #checkpoint(): void {
    this.#look();
    this.#fromFresh = false;
    this.#restorable = true;
    this.#checkpointState = this.#state();
    this.#journal = [];
    this.#journalCharacters = 0;
    this.#journalTime = 0;
  }

  #look(): void {
    const began = performance.now();
    this.#tracker.look(this.#program.memory);
    this.#lookTime = performance.now() - began;
  }

  /** The checkpoint in a new instance. */
  async #reload(): Promise<Program> {
    const program = await startProgram(this.#start);
    this.#program = program;
    if (!this.#fromFresh) {
      if (!this.#tracker.restore(program.memory)) throw cannotGrow(this.#tracker.byteLength);
      this.#restoreState(this.#checkpointState);
    }
    return program;
  }

  /** Memory as before the message that failed, in a new instance, as a compute unit has it. */
  async #goBack(): Promise<void> {
    const began = performance.now();
    const program = await this.#reload();
    for (const { message, environment, fresh } of this.#journal) {
      if (fresh) this.#restoreState({});
      else {
        this.#use.message = message;
        await program.handle(message, environment);
      }
    }
    program.takeOutput();
    this.#restoreState({});
    this.#journal.push({ message: '', environment: '', fresh: true });
    // Failures in a row must not each pay for the whole list again.
    this.#journalTime += performance.now() - began;
    if (performance.now() - began > 2 * this.#lookTime) this.#checkpoint();
  }

  #state(): Record<string, string> {
    const out: Record<string, string> = {};
    for (const name of this.#globals)
      out[name] = String((this.#program.exports[name] as WebAssembly.Global).value);
    for (const [name, value] of Object.entries(this.#program.hostState())) out[HOST + name] = value;
    return out;
  }

  #restoreState(state: Readonly<Record<string, string>>): void {
    const host: Record<string, string> = {};
    for (const [name, value] of Object.entries(state))
      if (name.startsWith(HOST)) host[name.slice(HOST.length)] = value;
      else if (this.#globals.includes(name)) setGlobal(this.#program.exports[name], value);
    this.#program.restoreHost(host);
  }

  call(name: string, parameters: readonly (bigint | number)[]): Promise<CallResult> {
    return this.#exclusive(() => {
      this.#restorable = false;
      return callExport(this.#program, this.#start.signatures, name, parameters);
    });
  }

  snapshot(): Promise<SnapshotDelta> {
    return this.#exclusive(async () => {
      if (this.#restorable) this.#checkpoint();
      else this.#look();
      const changed: Page[] = [];
      const taken = this.#tracker.takeChanged();
      try {
        for (const { index, bytes } of taken) {
          const hash = bytes ? toBase64Url(await this.#sha256(bytes)) : '';
          if ((this.#saved.get(index) ?? '') === hash) continue;
          if (bytes) changed.push({ index, hash, bytes });
          else changed.push({ index, hash });
        }
      } catch (error) {
        this.#tracker.giveBack(taken.map(({ index }) => index));
        throw error;
      }
      for (const { index, hash } of changed)
        if (hash) this.#saved.set(index, hash);
        else this.#saved.delete(index);
      return { byteLength: this.#program.memory.byteLength, changed, globals: this.#state() };
    });
  }

  digest(): Promise<{ sha256: string; byteLength: number }> {
    return this.#exclusive(async () => {
      const { bytes, byteLength } = this.#program.memory;
      return { sha256: toHex(await this.#sha256(bytes)), byteLength };
    });
  }

  image(): Promise<MemoryImage> {
    return this.#exclusive(() => {
      if (this.#restorable) this.#checkpoint();
      else this.#look();
      return {
        byteLength: this.#program.memory.byteLength,
        pages: this.#tracker.pages(),
        globals: this.#state(),
      };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

/** Modules of this worker by hash, so that a process that starts again need not compile again. */
const compiledModules = new Map<string, Promise<WebAssembly.Module>>();
const MOST_COMPILED = 8;

function compiled(
  given: WasmStart,
  bytes: Uint8Array<ArrayBuffer>,
  inspection: ModuleInspection,
  memoryLimit: number | undefined,
): Promise<WebAssembly.Module> {
  const pages = memoryLimit === undefined ? undefined : Math.floor(memoryLimit / PAGE_BYTES);
  const key = `${given.moduleHash} ${pages ?? ''} ${bytes === given.module ? '' : 'metered'}`;
  const known = given.moduleHash ? compiledModules.get(key) : undefined;
  if (known) return known;
  const limited = pages === undefined ? bytes : withMaximumPages(bytes, pages);
  const module = compileModule(limited, inspection.wordBits);
  if (given.moduleHash) {
    compiledModules.set(key, module);
    if (compiledModules.size > MOST_COMPILED) compiledModules.delete(compiledModules.keys().next().value!);
    module.catch(() => compiledModules.delete(key));
  }
  return module;
}

function startProgram(start: ProgramStart): Promise<Program> {
  if (start.kind === 'ao-standalone-wasm64' || start.kind === 'ao-standalone-wasm32')
    return StandaloneProgram.start(start);
  return start.kind === 'bare' ? BareProgram.start(start) : EmscriptenProgram.start(start);
}

function signatures(entries: [string, Signature | undefined][]): Map<string, Signature> {
  const out = new Map<string, Signature>();
  for (const [name, signature] of entries) if (signature) out.set(name, signature);
  return out;
}

function isMutable(value: WebAssembly.ExportValue | undefined): boolean {
  if (!(value instanceof WebAssembly.Global)) return false;
  try {
    // Writing the same value back fails exactly for a constant.
    value.value = value.value as never;
    return true;
  } catch {
    return false;
  }
}

function setGlobal(value: WebAssembly.ExportValue | undefined, text: string): void {
  const global = value as WebAssembly.Global;
  global.value = typeof global.value === 'bigint' ? BigInt(text) : Number(text);
}

function checkImage(image: MemoryImage): void {
  const pages = image.byteLength / PAGE_BYTES;
  const whole = Number.isSafeInteger(pages);
  if (!whole || image.pages.some(({ index, bytes }) => index >= pages || bytes.length !== PAGE_BYTES))
    throw new AoError('bad-snapshot', 'The memory image is not made of whole pages.', { status: 422 });
}

function cannotGrow(byteLength: number): AoError {
  return new AoError('out-of-memory', `There is no room for a memory of ${byteLength} bytes.`, {
    status: 507,
  });
}
