/** What emscripten programs import: system calls, clock, calendar, heap growth, the drive. */
import type { Asyncify } from './asyncify.ts';
import type { Signature } from './binary.ts';
import type { Family } from './emscripten-families.ts';
import { ERRNO, FileError } from './emscripten-file-node.ts';
import { growHeap } from './emscripten-heap.ts';
import type { HostState } from './emscripten-state.ts';
import { long, systemCalls, wasiCalls } from './emscripten-syscalls.ts';
import { mktime, strftime, writeGmtime, writeLocaltime } from './emscripten-time.ts';
import { utf8Bytes, type LinearMemory, type Word } from './linear-memory.ts';
import { longjmp } from './longjmp.ts';
import { Abort, OutOfGas, type ProgramStart } from './program.ts';
import { zeroOf } from './standalone.ts';

type Callable = (...words: Word[]) => Word | undefined;
type Exports = Record<string, WebAssembly.ExportValue>;

export function hostFunctions(
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
    return tolerant(() =>
      state.files.read(state.files.stream(Number(fd)), memory().bytes.subarray(at, at + address(length))),
    );
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
    __asyncjs__weavedrive_close: asyncify.import((fd) =>
      tolerant(() => {
        state.files.close(Number(fd!));
        return 0;
      }),
    ),
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

/** The drive has no error numbers: what fails reads nothing. */
function tolerant(act: () => number): number {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof FileError) return 0;
    throw thrown;
  }
}

/** For an import that this host does not know: 0, as the reference answers. */
export function answerNothing(signature: Signature): (...words: Word[]) => Word | undefined {
  const zero = zeroOf(signature);
  return () => zero;
}
