/**
 * The legacynet families: modules built by emscripten with its JavaScript in mind (process.md §4.1 – §4.7).
 * The host is our own; what it writes into memory, and in which order it asks the clock, is what the network's
 * loader does, so that equal messages leave equal memory.
 */
import { Asyncify } from './asyncify.ts';
import type { Signature } from './binary.ts';
import type { ModuleKind } from './engine.ts';
import { ERRNO, Files } from './emscripten-files.ts';
import { long, systemCalls, wasiCalls } from './emscripten-syscalls.ts';
import { mktime, strftime, writeGmtime, writeLocaltime } from './emscripten-time.ts';
import { growHeap } from './emscripten-heap.ts';
import { MINIFIED_EXPORTS, MINIFIED_IMPORTS } from './emscripten-minified.ts';
import { LinearMemory, utf8Bytes, type Word } from './linear-memory.ts';
import { invoker, longjmp } from './longjmp.ts';
import {
  Abort,
  NoMemory,
  OutOfGas,
  Output,
  type Handled,
  type Program,
  type ProgramStart,
} from './program.ts';
import { zeroOf } from './standalone.ts';
import { instantiateModule } from './webassembly.ts';

type Callable = (...words: Word[]) => Word | undefined;
type Exports = Record<string, WebAssembly.ExportValue>;

interface Family {
  /** Most bytes that the loader lets the heap have. */
  readonly heapMaximum: number;
  /** The clock as the program sees it: a counter, or always 0. */
  readonly clock: 'counter' | 'zero';
  readonly environment: readonly string[];
  /** Marks at address 0 and at the end of the stack, by which its loader notices an overflow. */
  readonly marks: boolean;
  /** The loader makes the directory `/data` after start. */
  readonly dataDirectory: boolean;
  /** Whether the loader runs `main` at start, and with which arguments. */
  readonly main?: 'no arguments' | 'program name';
  /**
   * The generation of the first two families: an older C library, and a loader that reserves four bytes for each
   * UTF-16 unit of a text, whatever it needs.
   */
  readonly old?: true;
}

/** What a program without a name of its own is called. */
const PROGRAM_NAME = './this.program';
const ENVIRONMENT = [
  'USER=web_user',
  'LOGNAME=web_user',
  'PATH=/',
  'PWD=/',
  'HOME=/home/web_user',
  'LANG=C.UTF-8',
  `_=${PROGRAM_NAME}`,
];

const FAMILIES: Partial<Record<ModuleKind, Family>> = {
  'emscripten-wasm64-draft_2024_02_15': {
    heapMaximum: 17_179_869_184,
    clock: 'counter',
    environment: [],
    marks: true,
    dataDirectory: true,
  },
  'emscripten-wasm32-4': {
    heapMaximum: 4_294_901_760,
    clock: 'counter',
    environment: [],
    marks: true,
    dataDirectory: true,
  },
  'emscripten-wasm32-3': {
    heapMaximum: 4_294_901_760,
    clock: 'counter',
    environment: ENVIRONMENT,
    marks: true,
    dataDirectory: false,
    main: 'no arguments',
  },
  'emscripten-wasm32-2': {
    heapMaximum: 524_288_000,
    clock: 'zero',
    environment: ENVIRONMENT,
    marks: true,
    dataDirectory: false,
    main: 'program name',
    old: true,
  },
  'emscripten-wasm32': {
    heapMaximum: 524_288_000,
    clock: 'zero',
    environment: ENVIRONMENT,
    marks: false,
    dataDirectory: false,
    main: 'no arguments',
    old: true,
  },
};

/** First value of the clock counter in every instance, in milliseconds. */
const CLOCK_START = 10_000;
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

/** What the host remembers between messages. */
class HostState {
  clock = CLOCK_START;
  /** The clock's value once the instance is ready. */
  bootClock = CLOCK_START;
  gasUsed = 0;
  temporary = 0;
  readonly gasLimit: number;
  readonly #output: Output;
  #files: Files | undefined;
  #lastText = '';
  #lastOctets = new Uint8Array(0);

  constructor(output: Output, gasLimit: number | undefined) {
    this.#output = output;
    this.gasLimit = gasLimit ?? Infinity;
  }

  readonly tick = (): number => this.clock++;
  #done = new Set<string>();

  /** Does something once in the life of an instance. */
  once(name: string, act: () => void): void {
    if (this.#done.has(name)) return;
    this.#done.add(name);
    act();
  }

  startFiles(): void {
    this.#files = new Files(this.tick, this.#output);
  }

  get files(): Files {
    if (!this.#files) this.startFiles();
    return this.#files!;
  }

  /** UTF-8 of the environment, which hardly ever changes between messages. */
  encode(text: string): Uint8Array {
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#lastOctets = utf8Bytes(text);
    }
    return this.#lastOctets;
  }

  save(): Record<string, string> {
    const files = this.files.save();
    return {
      ...(this.clock === this.bootClock ? {} : { clock: String(this.clock) }),
      ...(files ? { files } : {}),
      ...(this.#done.size ? { done: [...this.#done].join(',') } : {}),
    };
  }

  load(saved: Readonly<Record<string, string>>, dataDirectory: boolean): void {
    this.#done = new Set(saved.done?.split(','));
    this.clock = CLOCK_START;
    this.startFiles();
    if (dataDirectory) this.files.makeDirectory('/data', 0o777);
    this.files.touched = false;
    if (saved.files) this.files.load(saved.files);
    this.clock = saved.clock === undefined ? this.bootClock : Number(saved.clock);
  }
}

function hostFunctions(
  family: Family,
  start: ProgramStart,
  memoryOf: () => LinearMemory,
  exportsOf: () => Exports,
  state: HostState,
  asyncify: Asyncify,
): Record<string, (...words: Word[]) => Word | void> {
  const address = (word: Word) => memoryOf().address(word);
  const filesOf = () => state.files;
  const wide = start.inspection.wordBits === 64;
  const now = family.clock === 'zero' ? () => 0 : state.tick;
  const copy = (to: Word, from: Word, count: Word) => {
    const source = address(from);
    memoryOf().bytes.copyWithin(address(to), source, source + address(count));
  };
  const abort = (): never => {
    throw new Abort('native code called abort()');
  };
  const exit = (code: Word): never => {
    throw new Abort(`Program terminated with exit(${code})`);
  };
  const spend = (amount: Word) => {
    state.gasUsed += Number(amount);
    if (state.gasUsed > state.gasLimit) throw new OutOfGas('out of gas!');
  };
  const memory = memoryOf;
  const heapLimit = Math.min(family.heapMaximum, start.memoryLimit ?? Infinity);
  const driveOpen = (path: Word) => openFromDrive(memoryOf().text(address(path)), start, state);
  const driveRead = (fd: Word, to: Word, length: Word) => {
    const at = address(to);
    const stream = state.files.stream(Number(fd));
    return state.files.read(stream, memory().bytes.subarray(at, at + address(length)));
  };
  const fail = (errno: number): number => {
    const location = exportsOf().__errno_location as Callable | undefined;
    if (location) memory().writeInt(address(location()!), errno);
    return -1;
  };
  const setTemporary = (value: Word) => {
    state.temporary = Number(value);
  };
  return {
    ...systemCalls(memoryOf, filesOf, family.old ? 'old' : 'new'),
    ...wasiCalls(memoryOf, filesOf),
    ...environmentCalls(family.environment, memoryOf),
    _emscripten_throw_longjmp: longjmp,
    _emscripten_memcpy_js: copy,
    emscripten_memcpy_js: copy,
    emscripten_memcpy_big: copy,
    emscripten_date_now: now,
    _emscripten_date_now: now,
    emscripten_get_now: now,
    _emscripten_get_now_is_monotonic: () => 1,
    emscripten_resize_heap: (size) => (growHeap(memory(), address(size), heapLimit) ? 1 : 0),
    emscripten_get_heap_max: () => (wide ? BigInt(heapLimit) : heapLimit | 0),
    emscripten_err: () => undefined,
    _emscripten_system: (command) => (Number(command) ? -ERRNO.notImplemented : 0),
    system: (command) => (Number(command) ? fail(ERRNO.notImplemented) : 0),
    _munmap_js: () => 0,
    exit,
    proc_exit: exit,
    abort,
    _abort_js: abort,
    __assert_fail: (condition) => {
      throw new Abort(`Assertion failed: ${memoryOf().text(address(condition))}`);
    },
    __cxa_throw: () => {
      throw new Abort('The program threw an exception that nothing catches.');
    },
    setTempRet0: setTemporary,
    getTempRet0: () => state.temporary,
    usegas: spend,
    metering_gasUsed: () => state.gasUsed | 0,
    _tzset_js: (...words) =>
      words.length === 4
        ? writeTimeZone(memory(), words.map(address))
        : state.once('time zone', () => nameTimeZone(memory(), words.map(address), exportsOf())),
    _gmtime_js: (...words) => calendar(memory(), words, start, writeGmtime),
    _localtime_js: (...words) => calendar(memory(), words, start, writeLocaltime),
    _mktime_js: (tm) => {
      const seconds = mktime(memory(), address(tm));
      if (wide) return BigInt(seconds);
      const high = Math.floor(seconds / 2 ** 32);
      const set = exportsOf()._emscripten_tempret_set as Callable | undefined;
      if (set) set(high);
      else state.temporary = high;
      return seconds | 0;
    },
    strftime: (to, room, format, tm) => {
      const written = strftime(memory(), address(to!), address(room!), address(format!), address(tm!));
      return wide ? BigInt(written) : written;
    },
    strftime_l: (to, room, format, tm) => {
      const written = strftime(memory(), address(to!), address(room!), address(format!), address(tm!));
      return wide ? BigInt(written) : written;
    },
    __asyncjs__weavedrive_open: asyncify.import((path) => driveOpen(path!)),
    __asyncjs__weavedrive_read: asyncify.import(driveRead as (...words: Word[]) => number),
    __asyncjs__weavedrive_close: asyncify.import((fd) => {
      state.files.close(Number(fd));
      return 0;
    }),
  };
}

/** Time comes as i64, as two i32 halves, or (in the oldest families) behind a pointer. */
function calendar(
  memory: LinearMemory,
  words: Word[],
  start: ProgramStart,
  write: (memory: LinearMemory, seconds: number, tm: number) => void,
): void {
  const tm = memory.address(words.at(-1)!);
  if (words.length === 3) write(memory, long(words[0]!, words[1]!), tm);
  else if (start.inspection.wordBits === 64) write(memory, Number(words[0]), tm);
  else write(memory, memory.readInt(memory.address(words[0]!)), tm);
}

/** UTC: no offset, no daylight saving, both names "UTC". */
function writeTimeZone(memory: LinearMemory, [timezone, daylight, first, second]: number[]): void {
  memory.writeWord(timezone!, 0);
  memory.writeInt(daylight!, 0);
  for (const at of [first!, second!]) memory.writeText(at, utf8Bytes('UTC'));
}

/** The same as the first families want it: a table of two names, each in memory of its own. */
function nameTimeZone(memory: LinearMemory, [timezone, daylight, table]: number[], exports: Exports): void {
  memory.writeWord(timezone!, 0);
  memory.writeInt(daylight!, 0);
  const name = utf8Bytes('Coordinated Universal Time');
  const copies = [0, 1].map(() => {
    const at = memory.address((exports.malloc as Callable)(name.length + 1)!);
    if (at) memory.writeText(at, name);
    return at;
  });
  memory.writeWord(table!, copies[1]!);
  memory.writeWord(table! + 4, copies[0]!);
}

function environmentCalls(
  strings: readonly string[],
  memoryOf: () => LinearMemory,
): Record<string, (...words: Word[]) => number> {
  const size = strings.reduce((sum, text) => sum + text.length + 1, 0);
  return {
    environ_sizes_get: (count, bytes) => {
      const memory = memoryOf();
      memory.writeWord(memory.address(count!), strings.length);
      memory.writeWord(memory.address(bytes!), size);
      return 0;
    },
    environ_get: (list, buffer) => {
      const memory = memoryOf();
      let at = memory.address(buffer!);
      for (const [i, text] of strings.entries()) {
        memory.writeWord(memory.address(list!) + i * memory.word, at);
        memory.writeText(at, utf8Bytes(text));
        at += text.length + 1;
      }
      return 0;
    },
  };
}

/** A file of the drive as an open descriptor, or 0. */
function openFromDrive(path: string, start: ProgramStart, state: HostState): number | Promise<number> {
  if (!start.drive) return 0;
  return start.drive(path).then(
    (content) => (content ? state.files.openDetached(path, content).fd : 0),
    () => 0,
  );
}

function answerNothing(signature: Signature): (...words: Word[]) => Word | undefined {
  const zero = zeroOf(signature);
  return () => zero;
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
