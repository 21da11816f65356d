/**
 * The legacynet families: modules built by emscripten with its JavaScript in mind (process.md §4.1 – §4.7).
 * The host is our own; what it writes into memory, and in which order it asks the clock, is what the network's
 * loader does, so that equal messages leave equal memory.
 */
import { Asyncify } from './asyncify.ts';
import { FAMILIES, PROGRAM_NAME, type Family } from './emscripten-families.ts';
import { answerNothing, hostFunctions } from './emscripten-imports.ts';
import { MINIFIED_EXPORTS, MINIFIED_IMPORTS } from './emscripten-minified.ts';
import { HostState } from './emscripten-state.ts';
import { LinearMemory, utf8Bytes, type Word } from './linear-memory.ts';
import { invoker } from './longjmp.ts';
import { Abort, NoMemory, Output, type Handled, type Program, type ProgramStart } from './program.ts';
import { instantiateModule } from './webassembly.ts';

type Callable = (...words: Word[]) => Word | undefined;
type Exports = Record<string, WebAssembly.ExportValue>;

/** What the loader writes at address 0 and, as two words, at the end of the stack. */
const MARK_ZERO = 0x63736d65;
const MARK_STACK = [0x02135467, 0x89bacdfe] as const;
/** Stack that a call needs beside its texts. */
const STACK_RESERVE = 16 * 1024;

export class EmscriptenProgram implements Program {
  readonly memory: LinearMemory;
  readonly exports: WebAssembly.Exports;
  readonly #names: Exports;
  readonly #family: Family;
  readonly #output: Output;
  readonly #asyncify: Asyncify;
  readonly #state: HostState;

  private constructor(
    instance: WebAssembly.Instance,
    names: Exports,
    memory: LinearMemory,
    host: { family: Family; output: Output; asyncify: Asyncify; state: HostState },
  ) {
    this.exports = instance.exports;
    this.#names = names;
    this.memory = memory;
    this.#family = host.family;
    this.#output = host.output;
    this.#asyncify = host.asyncify;
    this.#state = host.state;
  }

  static async start(start: ProgramStart): Promise<EmscriptenProgram> {
    const family = FAMILIES[start.kind];
    if (!family) throw new TypeError(`${start.kind} is not a family of emscripten modules`);
    const output = new Output();
    const late: { memory?: LinearMemory; exports?: Exports } = {};
    const memoryOf = () => late.memory!;
    const exportsOf = () => late.exports!;
    const state = new HostState(output, start.gasLimit);
    const asyncify = new Asyncify(memoryOf, exportsOf);
    const host = hostFunctions(family, start, memoryOf, exportsOf, state, asyncify);
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const [path, signature] of start.importSignatures) {
      const dot = path.indexOf('.');
      const module = path.slice(0, dot);
      const name = path.slice(dot + 1);
      const known = module === 'a' ? (MINIFIED_IMPORTS[name] ?? name) : name;
      (imports[module] ??= {})[name] = known.startsWith('invoke_')
        ? invoker(known, signature, exportsOf)
        : (host[known] ?? answerNothing(signature));
    }
    const instance = await instantiateModule(start.module, imports);
    late.exports = start.kind === 'emscripten-wasm32' ? named(instance.exports) : instance.exports;
    late.memory = new LinearMemory(late.exports.memory as WebAssembly.Memory, start.inspection.wordBits);
    const program = new EmscriptenProgram(instance, late.exports, late.memory, {
      family,
      output,
      asyncify,
      state,
    });
    program.#boot();
    return program;
  }

  /** The order is the loader's: stack, marks, file system, constructors, `/data`. */
  #boot(): void {
    this.#call('emscripten_stack_init');
    if (this.#family.marks) this.#writeMarks();
    this.#state.startFiles();
    this.#call('__wasm_call_ctors');
    if (this.#family.main) this.#main(this.#family.main);
    if (this.#family.dataDirectory) this.#state.files.makeDirectory('/data', 0o777);
    this.#state.files.touched = false;
    this.#output.take();
    this.#state.bootClock = this.#state.clock;
  }

  /** The older loaders run `main` and leave its arguments on the stack. */
  #main(how: 'no arguments' | 'program name'): void {
    let count = 0;
    let list = 0;
    if (how === 'program name') {
      count = 1;
      list = this.memory.address(this.#call('stackAlloc', 8)!);
      this.memory.writeWord(list, this.#putOnStack(utf8Bytes(PROGRAM_NAME)));
      this.memory.writeWord(list + 4, 0);
    }
    try {
      this.#call('main', count, list);
      this.#call('fflush', 0);
    } catch (thrown) {
      // Ending itself is what a program may do in `main`; the loader goes on as well.
      if (!(thrown instanceof Abort)) throw thrown;
    }
  }

  #writeMarks(): void {
    const end = this.#call('emscripten_stack_get_end');
    if (end === undefined) return;
    const at = this.memory.address(end) || 4;
    this.memory.writeInt(at, MARK_STACK[0]);
    this.memory.writeInt(at + 4, MARK_STACK[1] | 0);
    this.memory.writeInt(0, MARK_ZERO);
  }

  #call(name: string, ...words: Word[]): Word | undefined {
    return (this.#names[name] as Callable | undefined)?.(...words);
  }

  /** A question of the host's own, which the program does not pay for. */
  #unmetered(name: string): Word | undefined {
    const before = this.#state.gasUsed;
    const answer = this.#call(name);
    this.#state.gasUsed = before;
    return answer;
  }

  handle(message: string, environment: string): Handled | Promise<Handled> {
    const { memory } = this;
    // The tank is full again; what the stack functions use counts, too.
    this.#state.gasUsed = 0;
    const stack = this.#call(this.#names.stackSave ? 'stackSave' : 'emscripten_stack_get_current')!;
    const first = utf8Bytes(message);
    const second = this.#state.encode(environment);
    const divergence: string[] = [];
    const free = this.#unmetered('emscripten_stack_get_free');
    const room = (text: string, octets: Uint8Array) =>
      this.#family.old ? 4 * text.length + 1 : octets.length + 1;
    const rooms = [room(message, first), room(environment, second)] as const;
    let put = (octets: Uint8Array, size: number) => this.#putOnStack(octets, size);
    // The loader would overwrite what lies behind the stack; a heap buffer is right, if not the same.
    if (free !== undefined && memory.address(free) < rooms[0] + rooms[1] + STACK_RESERVE) {
      divergence.push('stack-too-small');
      put = (octets) => this.#putOnHeap(octets);
    }
    const firstAt = put(first, rooms[0]);
    const secondAt = put(second, rooms[1]);
    const finish = (reply: Word): Handled => {
      this.#restoreStack(stack);
      if (divergence.length) for (const at of [secondAt, firstAt]) this.#call('free', memory.pointer(at));
      return {
        message: firstAt,
        environment: secondAt,
        reply: memory.address(reply),
        gasUsed: this.#state.gasUsed,
        ...(divergence.length ? { divergence } : {}),
      };
    };
    const handle = this.#names.handle as Callable;
    const parameters = [memory.pointer(firstAt), memory.pointer(secondAt)] as const;
    const result = this.#asyncify.run(() => handle(...parameters)!);
    return result instanceof Promise ? result.then(finish) : finish(result);
  }

  #restoreStack(stack: Word): void {
    if (this.#names._emscripten_stack_restore) this.#call('_emscripten_stack_restore', stack);
    else this.#call('stackRestore', stack);
  }

  #putOnStack(octets: Uint8Array, size = octets.length + 1): number {
    const { memory } = this;
    const word = memory.wordBits === 64 ? BigInt(size) : size;
    const at = memory.address(this.#call('_emscripten_stack_alloc', word) ?? this.#call('stackAlloc', word)!);
    if (at + size > memory.byteLength) throw new NoMemory('The message does not fit on the program’s stack.');
    memory.writeText(at, octets);
    return at;
  }

  #putOnHeap(octets: Uint8Array): number {
    const { memory } = this;
    const size = octets.length + 1;
    const at = memory.address(this.#call('malloc', memory.wordBits === 64 ? BigInt(size) : size)!);
    if (at === 0) throw new NoMemory(`The program has no room for a text of ${size} bytes.`);
    memory.writeText(at, octets);
    return at;
  }

  takeOutput(): string {
    return this.#output.take();
  }

  hostState(): Record<string, string> {
    return this.#state.save();
  }

  restoreHost(saved: Readonly<Record<string, string>>): void {
    this.#state.load(saved, this.#family.dataDirectory);
  }
}

/** The minified exports of the first family under their real names. */
function named(exports: WebAssembly.Exports): Exports {
  const out: Exports = { ...exports };
  for (const [short, name] of Object.entries(MINIFIED_EXPORTS)) {
    const value = exports[short];
    if (value) out[name] = value;
  }
  return out;
}
