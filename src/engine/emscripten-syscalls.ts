/**
 * The system calls of emscripten programs over the in-memory file system. System calls answer 0 or a negative
 * error number, WASI calls the positive number.
 */
import { ERRNO, FileError, type FileStat } from './emscripten-file-node.ts';
import { Files } from './emscripten-files.ts';
import { utf8Bytes, type LinearMemory, type Word } from './linear-memory.ts';

const CURRENT_DIRECTORY = -100;

type Call = (...words: Word[]) => number;

/** `old`: the C library of the first two families, with another `struct stat` and other lock commands. */
export function systemCalls(
  memoryOf: () => LinearMemory,
  filesOf: () => Files,
  library: 'old' | 'new',
): Record<string, Call> {
  const writeStat = library === 'old' ? writeOldStat : writeNewStat;
  const memory = (): LinearMemory => memoryOf();
  const text = (at: Word) => memory().text(memory().address(at));
  const address = (at: Word) => memory().address(at);

  /** A path relative to an open directory, as the `*at` calls take it. */
  const at = (directory: Word, path: string, allowEmpty = false): string => {
    if (path.startsWith('/')) return path;
    const fd = Number(directory);
    const base = fd === CURRENT_DIRECTORY ? '/' : filesOf().stream(fd).path;
    if (path === '') {
      if (allowEmpty) return base;
      throw new FileError(ERRNO.noEntry);
    }
    return Files.normalize(`${base}/${path}`);
  };
  const variadic = (pointer: Word) => memory().readInt(address(pointer));

  const calls: Record<string, Call> = {
    chmod: (path, mode) => done(filesOf().changeMode(filesOf().lookup(text(path), true), Number(mode))),
    fchmod: (fd, mode) => done(filesOf().changeMode(filesOf().stream(Number(fd)).node, Number(mode))),
    fchown32: (fd) => done(filesOf().changeOwner(filesOf().stream(Number(fd)).node)),
    dup3: (from, to) => {
      const stream = filesOf().stream(Number(from));
      const fd = Number(to);
      if (stream.fd === fd) return -ERRNO.invalid;
      if (filesOf().isOpen(fd)) filesOf().close(fd);
      return filesOf().duplicate(stream, { fd });
    },
    faccessat: (directory, path, mode) => {
      if (Number(mode) & ~7) return -ERRNO.invalid;
      return -filesOf().accessible(at(directory!, text(path!)), Number(mode));
    },
    fcntl64: (fd, command, more) => {
      const locks = library === 'old' || memory().word === 8 ? 5 : 12;
      return control(filesOf(), memory(), Number(fd), Number(command), variadic, more!, locks);
    },
    ioctl: (fd, request, more) => terminal(filesOf(), memory(), Number(fd), Number(request), more!),
    fstat64: (fd, to) => {
      const { path } = filesOf().stream(Number(fd));
      return writeStat(memory(), address(to!), filesOf().stat(path, true));
    },
    stat64: (path, to) => writeStat(memory(), address(to!), filesOf().stat(text(path!), true)),
    lstat64: (path, to) => writeStat(memory(), address(to!), filesOf().stat(text(path!), false)),
    newfstatat: (directory, path, to, flags) => {
      const full = at(directory!, text(path!), (Number(flags) & 4096) !== 0);
      return writeStat(memory(), address(to!), filesOf().stat(full, !(Number(flags) & 256)));
    },
    // In a 32-bit module the 64-bit length comes in two halves, the low one first.
    ftruncate64: (fd, low, high = 0) => {
      const stream = filesOf().stream(Number(fd));
      if ((stream.shared.flags & 3) === 0) return -ERRNO.invalid;
      return done(filesOf().truncate(stream.node, long(low!, high)));
    },
    getcwd: (to, size) => {
      if (Number(size) === 0) return -ERRNO.invalid;
      if (Number(size) < 2) return -ERRNO.range;
      memory().writeText(address(to!), utf8Bytes('/'));
      return 2;
    },
    mkdirat: (directory, path, mode) =>
      done(filesOf().makeDirectory(at(directory!, text(path!)), Number(mode))),
    openat: (directory, path, flags, more) =>
      filesOf().open(at(directory!, text(path!)), Number(flags), Number(more) ? variadic(more!) : 0).fd,
    readlinkat: (directory, path, to, size) => {
      const room = Number(size);
      if (room <= 0) return -ERRNO.invalid;
      const target = utf8Bytes(filesOf().readLink(at(directory!, text(path!)))).subarray(0, room);
      memory().bytes.set(target, address(to!));
      return target.length;
    },
    renameat: (fromDirectory, from, toDirectory, to) =>
      done(filesOf().rename(at(fromDirectory!, text(from!)), at(toDirectory!, text(to!)))),
    rmdir: (path) => done(filesOf().removeDirectory(text(path!))),
    unlinkat: (directory, path, flags) => {
      const full = at(directory!, text(path!));
      return done(Number(flags) === 512 ? filesOf().removeDirectory(full) : filesOf().unlink(full));
    },
    utimensat: (directory, path, times) => {
      const full = at(directory!, text(path!), true);
      const from = address(times!);
      if (!from) return done(filesOf().setTime(full, undefined));
      const time = (start: number) => memory().readLong(start) * 1000 + memory().readInt(start + 8) / 1e6;
      return done(filesOf().setTime(full, Math.max(time(from), time(from + 16))));
    },
  };

  const out: Record<string, Call> = {};
  for (const [name, call] of Object.entries(calls)) {
    const safe: Call = (...words) => {
      try {
        return call(...words);
      } catch (error) {
        if (error instanceof FileError) return -error.errno;
        throw error;
      }
    };
    out[`__syscall_${name}`] = safe;
  }
  return out;
}

const done = (_: void): number => 0;

/** A 64-bit number that comes whole or in two 32-bit halves. */
export function long(low: Word, high: Word): number {
  if (typeof low === 'bigint') return Number(low);
  return (low >>> 0) + Number(high) * 2 ** 32;
}

function control(
  files: Files,
  memory: LinearMemory,
  fd: number,
  command: number,
  variadic: (pointer: Word) => number,
  more: Word,
  locks: number,
): number {
  const stream = files.stream(fd);
  switch (command) {
    case 0: {
      const from = variadic(more);
      return from < 0 ? -ERRNO.invalid : files.duplicate(stream, { from });
    }
    case 1:
    case 2:
      return 0;
    case 3:
      return stream.shared.flags;
    case 4:
      stream.shared.flags |= variadic(more);
      return 0;
    case locks:
      // "No lock is held": l_type = F_UNLCK in the struct that the argument points to.
      memory.view.setInt16(memory.readWord(memory.address(more)), 2, true);
      return 0;
    case locks + 1:
    case locks + 2:
      return 0;
    default:
      return -ERRNO.invalid;
  }
}

const TERMINAL_MODES = [25856, 5, 191, 35387];
const TERMINAL_CHARACTERS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22];

function terminal(files: Files, memory: LinearMemory, fd: number, request: number, more: Word): number {
  const stream = files.stream(fd);
  const isTerminal = stream.device?.terminal === true;
  const argument = () => memory.readWord(memory.address(more));
  if (request === 21531) return -ERRNO.notTerminal;
  const known = [
    21505, 21506, 21507, 21508, 21509, 21510, 21511, 21512, 21515, 21519, 21520, 21523, 21524,
  ].includes(request);
  if (!known) return -ERRNO.invalid;
  if (!isTerminal) return -ERRNO.notTerminal;
  if (request === 21505 && stream.node.name === 'tty') {
    const to = argument();
    TERMINAL_MODES.forEach((mode, i) => memory.writeInt(to + 4 * i, mode));
    for (let i = 0; i < 32; i++) memory.bytes[to + 17 + i] = TERMINAL_CHARACTERS[i] ?? 0;
  } else if (request === 21519) memory.writeInt(argument(), 0);
  else if (request === 21520) return -ERRNO.invalid;
  else if (request === 21523 && stream.node.name === 'tty') {
    const to = argument();
    memory.view.setInt16(to, 24, true);
    memory.view.setInt16(to + 2, 80, true);
  }
  return 0;
}

function writeNewStat(memory: LinearMemory, to: number, stat: FileStat): number {
  const wide = memory.word === 8;
  memory.writeInt(to, stat.device);
  memory.writeInt(to + 4, stat.mode);
  memory.writeWord(to + 8, 1);
  const owner = wide ? 16 : 12;
  memory.writeInt(to + owner, 0);
  memory.writeInt(to + owner + 4, 0);
  memory.writeInt(to + owner + 8, stat.rdev);
  const size = wide ? 32 : 24;
  memory.writeLong(to + size, stat.size);
  memory.writeInt(to + size + 8, 4096);
  memory.writeInt(to + size + 12, stat.blocks);
  const seconds = Math.floor(stat.time / 1000);
  const fraction = Math.floor((stat.time % 1000) * 1000);
  for (let i = 0; i < 3; i++) {
    const at = to + size + 16 + 16 * i;
    memory.writeLong(at, seconds);
    memory.writeWord(at + 8, fraction);
  }
  memory.writeLong(to + size + 64, stat.ino);
  return 0;
}

function writeOldStat(memory: LinearMemory, to: number, stat: FileStat): number {
  const fields = [stat.device, 0, stat.ino, stat.mode, 1, 0, 0, stat.rdev, 0];
  fields.forEach((value, i) => memory.writeInt(to + 4 * i, value));
  memory.writeLong(to + 40, stat.size);
  memory.writeInt(to + 48, 4096);
  memory.writeInt(to + 52, stat.blocks);
  for (let i = 0; i < 3; i++) {
    memory.writeInt(to + 56 + 8 * i, Math.trunc(stat.time / 1000));
    memory.writeInt(to + 60 + 8 * i, 0);
  }
  memory.writeLong(to + 80, stat.ino);
  return 0;
}

/** The file calls of WASI preview 1 that emscripten programs use. */
export function wasiCalls(memoryOf: () => LinearMemory, filesOf: () => Files): Record<string, Call> {
  const address = (at: Word) => memoryOf().address(at);
  const vectors = function* (list: Word, count: Word) {
    const memory = memoryOf();
    let at = address(list);
    for (let left = Number(count); left > 0; left--, at += 2 * memory.word) {
      const from = memory.readWord(at);
      const length = memory.readWord(at + memory.word);
      yield memory.bytes.subarray(from, from + length);
    }
  };
  const calls: Record<string, Call> = {
    fd_close: (fd) => done(filesOf().close(Number(fd))),
    fd_sync: (fd) => {
      filesOf().stream(Number(fd));
      return 0;
    },
    fd_fdstat_get: (fd, to) => {
      const stream = filesOf().stream(Number(fd));
      const memory = memoryOf();
      const at = address(to!);
      memory.bytes[at] = stream.device?.terminal ? 2 : 4;
      memory.view.setInt16(at + 2, 0, true);
      memory.writeLong(at + 8, 0);
      memory.writeLong(at + 16, 0);
      return 0;
    },
    fd_read: (fd, list, count, result) => {
      const stream = filesOf().stream(Number(fd));
      let total = 0;
      for (const into of vectors(list!, count!)) {
        const got = filesOf().read(stream, into);
        total += got;
        if (got < into.length) break;
      }
      memoryOf().writeWord(address(result!), total);
      return 0;
    },
    fd_write: (fd, list, count, result) => {
      const stream = filesOf().stream(Number(fd));
      let total = 0;
      for (const from of vectors(list!, count!)) total += filesOf().write(stream, from);
      memoryOf().writeWord(address(result!), total);
      return 0;
    },
    // (fd, offset, whence, result), the offset in two halves in a 32-bit module.
    fd_seek: (fd, ...rest) => {
      const whole = typeof rest[0] === 'bigint';
      const offset = whole ? Number(rest[0]) : long(rest[0]!, rest[1]!);
      const [whence, result] = whole ? [rest[1]!, rest[2]!] : [rest[2]!, rest[3]!];
      const position = filesOf().seek(filesOf().stream(Number(fd)), offset, Number(whence));
      memoryOf().writeLong(address(result), position);
      return 0;
    },
  };
  const out: Record<string, Call> = {};
  for (const [name, call] of Object.entries(calls))
    out[name] = (...words) => {
      try {
        return call(...words);
      } catch (error) {
        if (error instanceof FileError) return error.errno;
        throw error;
      }
    };
  return out;
}
