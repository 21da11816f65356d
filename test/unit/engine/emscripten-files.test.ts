import { beforeEach, describe, expect, it } from 'vitest';
import { ERRNO, FileError } from '../../../src/engine/emscripten-file-node.ts';
import { Files } from '../../../src/engine/emscripten-files.ts';
import { Output } from '../../../src/engine/program.ts';

const CREATE = 64;
const EXCLUSIVE = 128;
const TRUNCATE = 512;
const APPEND = 1024;
const WRITE = 1;
const READ_WRITE = 2;

let clock: number;
let output: Output;
let files: Files;

beforeEach(() => {
  clock = 10_000;
  output = new Output();
  files = new Files(() => clock++, output);
});

const bytes = (text: string) => new TextEncoder().encode(text);
const errno = (act: () => unknown): number => {
  try {
    act();
  } catch (error) {
    if (error instanceof FileError) return error.errno;
    throw error;
  }
  return 0;
};

function write(path: string, text: string, flags = WRITE | CREATE | TRUNCATE): void {
  const stream = files.open(path, flags, 0o666);
  files.write(stream, bytes(text));
  files.close(stream.fd);
}

function read(path: string): string {
  const stream = files.open(path, 0, 0);
  const into = new Uint8Array(1000);
  const length = files.read(stream, into);
  files.close(stream.fd);
  return new TextDecoder().decode(into.subarray(0, length));
}

describe('Files', () => {
  it('asks the clock three times at start, and once for each change', () => {
    expect(clock).toBe(10_003);
    files.makeDirectory('/data', 0o777);
    expect(clock).toBe(10_004);
    write('/tmp/a', 'x');
    expect(clock).toBe(10_006);
    expect(read('/tmp/a')).toBe('x');
    expect(clock).toBe(10_006);
    files.unlink('/tmp/a');
    expect(clock).toBe(10_007);
  });

  it('numbers inodes as the loader does', () => {
    expect(files.stat('/', true).ino).toBe(1);
    expect(files.stat('/dev/stderr', false).ino).toBe(19);
    files.makeDirectory('/data', 0o777);
    expect(files.stat('/data', true).ino).toBe(20);
  });

  it('writes, appends, truncates and reads back', () => {
    write('/tmp/a', 'hello');
    write('/tmp/a', ' there', WRITE | APPEND);
    expect(read('/tmp/a')).toBe('hello there');
    files.truncate(files.lookup('/tmp/a', true), 3);
    const stream = files.open('/tmp/a', READ_WRITE, 0);
    files.seek(stream, 5, 0);
    files.write(stream, bytes('!'));
    expect(read('/tmp/a')).toBe('hel\0\0!');
    expect(files.seek(stream, -2, 2)).toBe(4);
    expect(errno(() => files.seek(stream, -9, 1))).toBe(ERRNO.invalid);
  });

  it('refuses as the C library expects', () => {
    write('/tmp/a', '');
    expect(errno(() => files.open('/nope', 0, 0))).toBe(ERRNO.noEntry);
    expect(errno(() => files.open('/tmp/a', CREATE | EXCLUSIVE, 0))).toBe(ERRNO.exists);
    expect(errno(() => files.open('/tmp', WRITE, 0))).toBe(ERRNO.isDirectory);
    expect(errno(() => files.lookup('/tmp/a/b', true))).toBe(ERRNO.notDirectory);
    expect(errno(() => files.removeDirectory('/tmp/a'))).toBe(ERRNO.notDirectory);
    expect(errno(() => files.unlink('/tmp'))).toBe(ERRNO.isDirectory);
    expect(errno(() => files.removeDirectory('/dev'))).toBe(ERRNO.notEmpty);
    expect(errno(() => files.rename('/home', '/home/web_user/x'))).toBe(ERRNO.invalid);
    expect(errno(() => files.stream(99))).toBe(ERRNO.badFile);
    expect(errno(() => files.seek(files.stream(1), 0, 0))).toBe(ERRNO.notSeekable);
  });

  it('renames over another file', () => {
    write('/tmp/a', 'one');
    write('/tmp/b', 'two');
    files.rename('/tmp/a', '/tmp/b');
    expect(read('/tmp/b')).toBe('one');
    expect(errno(() => files.lookup('/tmp/a', true))).toBe(ERRNO.noEntry);
  });

  it('captures the terminal, and has pinned randomness', () => {
    files.write(files.stream(1), bytes('out '));
    files.write(files.stream(2), bytes('err'));
    expect(output.take()).toBe('out err');
    const draw = (of: Files) => {
      const into = new Uint8Array(8);
      of.read(of.open('/dev/urandom', 0, 0), into);
      return into.join();
    };
    expect(draw(files)).toBe(draw(new Files(() => 0, output)));
  });

  it('shares the position between a descriptor and its duplicate', () => {
    const stream = files.open('/tmp/a', READ_WRITE | CREATE, 0o666);
    const copy = files.duplicate(stream, { from: 10 });
    expect(copy).toBe(10);
    files.write(stream, bytes('abc'));
    files.write(files.stream(copy), bytes('def'));
    expect(read('/tmp/a')).toBe('abcdef');
  });

  it('saves and loads everything, open and removed files included', () => {
    expect(files.save()).toBe('');
    write('/tmp/a', 'kept');
    const stream = files.open('/tmp/gone', READ_WRITE | CREATE, 0o666);
    files.write(stream, bytes('still here'));
    files.unlink('/tmp/gone');
    const other = new Files(() => 0, output);
    other.load(files.save());
    expect(other.save()).toBe(files.save());
    files = other;
    expect(read('/tmp/a')).toBe('kept');
    const open = files.stream(stream.fd);
    files.seek(open, 0, 0);
    const into = new Uint8Array(5);
    files.read(open, into);
    expect(new TextDecoder().decode(into)).toBe('still');
    expect(errno(() => files.lookup('/tmp/gone', true))).toBe(ERRNO.noEntry);
  });
});
