/**
 * The in-memory file system that emscripten programs see: open files and devices over its tree. A program can read
 * them back into its memory (`stat`, SQLite’s inode locks), so all is as with the network’s loader. It lives outside
 * linear memory. Every change of a node asks the pinned clock once, as there, since the clock is a counter
 * (vectors/legacy-aos.md).
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import {
  DEVICE,
  ERRNO,
  fail,
  FILE,
  FileError,
  isDirectory,
  isFile,
  isKind,
  isLink,
  type Device,
  type FileNode,
  type Saved,
  type SavedNode,
  type SavedStream,
  type Stream,
} from './emscripten-file-node.ts';
import { FileTree } from './emscripten-file-tree.ts';
import type { Output } from './program.ts';

const WRITE_ONLY = 1;
const ACCESS_MODE = 2097155;
const CREATE = 64;
const EXCLUSIVE = 128;
const TRUNCATE = 512;
const APPEND = 1024;
const DIRECTORY_ONLY = 65536;
const NO_FOLLOW = 131072;

const MOST_FILES_OPEN = 4096;

export class Files extends FileTree {
  readonly #output: Output;
  #streams: (Stream | undefined)[] = [];
  #devices = new Map<number, Device>();
  #random = 0x9e3779b9;

  /** Building the tree asks the clock three times, for the links of the standard streams. */
  constructor(tick: () => number, output: Output) {
    super();
    this.#output = output;
    for (const path of ['/tmp', '/home', '/home/web_user', '/dev']) this.makeDirectory(path, 0o777);
    this.#device('/dev/null', 1, 3, { terminal: false, read: () => 0, write: (from) => from.length });
    this.#device('/dev/tty', 5, 0, this.#terminal());
    this.#device('/dev/tty1', 6, 0, this.#terminal());
    this.#device('/dev/random', 64, 0, this.#randomDevice());
    this.#device('/dev/urandom', 65, 0, this.#randomDevice());
    for (const path of ['/dev/shm', '/dev/shm/tmp', '/proc', '/proc/self', '/proc/self/fd'])
      this.makeDirectory(path, 0o777);
    // The loader mounts a second node over /proc/self/fd, which takes a number of its own.
    this.nextId++;
    this.tick = tick;
    this.symlink('/dev/tty', '/dev/stdin');
    this.symlink('/dev/tty', '/dev/stdout');
    this.symlink('/dev/tty1', '/dev/stderr');
    this.open('/dev/stdin', 0, 0);
    this.open('/dev/stdout', 1, 0);
    this.open('/dev/stderr', 1, 0);
    this.touched = false;
  }

  #device(path: string, major: number, minor: number, device: Device): void {
    const id = (major << 8) | minor;
    this.#devices.set(id, device);
    this.make(path, DEVICE | 0o666, id);
  }

  #terminal(): Device {
    return {
      terminal: true,
      read: () => 0,
      write: (from) => {
        this.#output.write(from);
        return from.length;
      },
    };
  }

  /** Pinned: the same octets in the same order for every instance. */
  #randomDevice(): Device {
    return {
      terminal: false,
      read: (into) => {
        for (let i = 0; i < into.length; i++) {
          let x = this.#random;
          x ^= x << 13;
          x ^= x >>> 17;
          x ^= x << 5;
          this.#random = x | 0;
          into[i] = x & 255;
        }
        this.touched = true;
        return into.length;
      },
      write: () => fail(ERRNO.io),
    };
  }

  #nextDescriptor(from = 0): number {
    let fd = from;
    while (this.#streams[fd]) fd++;
    if (fd > MOST_FILES_OPEN) fail(ERRNO.tooManyFiles);
    return fd;
  }

  open(path: string, flags: number, mode: number): Stream {
    if (path === '') fail(ERRNO.noEntry);
    const full = Files.normalize(path);
    let node: FileNode | undefined;
    try {
      node = this.lookup(full, !(flags & NO_FOLLOW));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
    }
    let created = false;
    if (flags & CREATE) {
      if (node && flags & EXCLUSIVE) fail(ERRNO.exists);
      if (!node) {
        node = this.make(full, FILE | (mode & 0o7777));
        created = true;
      }
    }
    if (!node) return fail(ERRNO.noEntry);
    if (isKind(node, DEVICE)) flags &= ~TRUNCATE;
    if (flags & DIRECTORY_ONLY && !isDirectory(node)) fail(ERRNO.notDirectory);
    if (!created) {
      const wanted = (['r', 'w', 'rw', ''][flags & 3] ?? '') + (flags & TRUNCATE ? 'w' : '');
      if (isLink(node)) fail(ERRNO.loop);
      if (isDirectory(node) && wanted !== 'r') fail(ERRNO.isDirectory);
      const refusal = this.permitted(node, wanted);
      if (refusal) fail(refusal);
      if (flags & TRUNCATE) this.truncate(node, 0);
    }
    const device = isKind(node, DEVICE) ? this.#devices.get(node.device) : undefined;
    const stream: Stream = {
      fd: this.#nextDescriptor(),
      node,
      path: this.pathOf(node),
      shared: { flags: flags & ~(EXCLUSIVE | TRUNCATE | NO_FOLLOW), position: 0 },
      device,
    };
    this.#streams[stream.fd] = stream;
    this.touched = true;
    return stream;
  }

  /** @throws FileError */
  stream(fd: number): Stream {
    return this.#streams[fd] ?? fail(ERRNO.badFile);
  }

  /** A second descriptor for the same open file: the given one (closing what it was), or the first free from `from`. */
  duplicate(stream: Stream, at: { fd: number } | { from: number }): number {
    const fd = 'fd' in at ? at.fd : this.#nextDescriptor(at.from);
    if (fd < 0 || fd > MOST_FILES_OPEN) fail(ERRNO.badFile);
    this.#streams[fd] = { ...stream, fd };
    this.touched = true;
    return fd;
  }

  close(fd: number): void {
    const stream = this.stream(fd);
    stream.device?.close?.();
    this.#streams[fd] = undefined;
    this.touched = true;
  }

  isOpen(fd: number): boolean {
    return this.#streams[fd] !== undefined;
  }

  seek(stream: Stream, offset: number, whence: number): number {
    if (stream.device || !(isFile(stream.node) || isDirectory(stream.node))) fail(ERRNO.notSeekable);
    if (whence !== 0 && whence !== 1 && whence !== 2) fail(ERRNO.invalid);
    let position = offset;
    if (whence === 1) position += stream.shared.position;
    else if (whence === 2 && isFile(stream.node)) position += stream.node.size;
    if (position < 0) fail(ERRNO.invalid);
    stream.shared.position = position;
    return position;
  }

  read(stream: Stream, into: Uint8Array): number {
    if ((stream.shared.flags & ACCESS_MODE) === WRITE_ONLY) fail(ERRNO.badFile);
    const { node } = stream;
    if (isDirectory(node)) fail(ERRNO.isDirectory);
    if (stream.device) {
      const count = stream.device.read(into);
      if (count) this.touch(node);
      return count;
    }
    const { position } = stream.shared;
    if (position >= node.size) return 0;
    const count = Math.min(node.size - position, into.length);
    into.set(node.content.subarray(position, position + count));
    stream.shared.position += count;
    return count;
  }

  write(stream: Stream, from: Uint8Array): number {
    if ((stream.shared.flags & ACCESS_MODE) === 0) fail(ERRNO.badFile);
    const { node } = stream;
    if (isDirectory(node)) fail(ERRNO.isDirectory);
    if (stream.device) {
      const count = stream.device.write(from);
      if (from.length && stream.device.terminal) node.timestamp = this.tick();
      return count;
    }
    if (stream.shared.flags & APPEND) this.seek(stream, 0, 2);
    if (!from.length) return 0;
    this.touch(node);
    const { position } = stream.shared;
    const end = position + from.length;
    if (end > node.content.length) {
      const grown = new Uint8Array(
        this.reserve(node, Math.max(end, Math.min(node.content.length * 2, end + (1 << 20)))),
      );
      grown.set(node.content.subarray(0, node.size));
      node.content = grown;
    }
    // What lay behind a shrunk end must read as zero when a write goes past it.
    if (position > node.size) node.content.fill(0, node.size, position);
    node.content.set(from, position);
    node.size = Math.max(node.size, end);
    stream.shared.position = end;
    return from.length;
  }

  /** A read-only file that comes from outside, opened at once: it is in no directory. */
  openDetached(path: string, content: Uint8Array): Stream {
    const node = {
      id: this.nextId++,
      name: path,
      mode: FILE | 0o444,
      device: 0,
      timestamp: 0,
      link: '',
      children: new Map(),
      content,
      size: content.length,
    } as unknown as FileNode;
    node.parent = node;
    const stream: Stream = {
      fd: this.#nextDescriptor(),
      node,
      path,
      shared: { flags: 0, position: 0 },
      device: undefined,
    };
    this.#streams[stream.fd] = stream;
    this.touched = true;
    return stream;
  }

  /** Everything as text, or '' while nothing differs from a fresh instance. */
  save(): string {
    if (!this.touched) return '';
    const nodes: SavedNode[] = [];
    const seen = new Set<FileNode>();
    const visit = (node: FileNode) => {
      if (seen.has(node)) return;
      seen.add(node);
      nodes.push({
        i: node.id,
        n: node.name,
        p: node.parent.id,
        m: node.mode,
        d: node.device,
        t: node.timestamp,
        ...(node.link ? { l: node.link } : {}),
        ...(node.size ? { c: toBase64Url(node.content.subarray(0, node.size)) } : {}),
        ...(node.parent !== node && node.parent.children.get(node.name) !== node ? { x: true } : {}),
      });
      for (const child of node.children.values()) visit(child);
    };
    visit(this.root);
    const shared: { flags: number; position: number }[] = [];
    const streams: SavedStream[] = [];
    for (const stream of this.#streams) {
      if (!stream) continue;
      visit(stream.node);
      let at = shared.indexOf(stream.shared);
      if (at < 0) at = shared.push(stream.shared) - 1;
      streams.push({ f: stream.fd, i: stream.node.id, p: stream.path, s: at });
    }
    return JSON.stringify({
      next: this.nextId,
      random: this.#random,
      nodes,
      shared,
      streams,
    } satisfies Saved);
  }

  /** Takes what `save` gave. The text comes from this node's own storage. */
  load(text: string): void {
    const saved = JSON.parse(text) as Saved;
    const nodes = new Map<number, FileNode>();
    this.used = 0;
    for (const { i, n, m, d, t, l, c } of saved.nodes) {
      const content = c ? fromBase64(c) : new Uint8Array(0);
      this.used += content.length;
      nodes.set(i, {
        id: i,
        name: n,
        mode: m,
        device: d,
        timestamp: t,
        link: l ?? '',
        children: new Map(),
        content,
        size: content.length,
      } as unknown as FileNode);
    }
    for (const { i, n, p, x } of saved.nodes) {
      const node = nodes.get(i)!;
      node.parent = nodes.get(p) ?? node;
      if (node.parent !== node && !x) node.parent.children.set(n, node);
    }
    this.root = nodes.get(1)!;
    this.nextId = saved.next;
    this.#random = saved.random;
    this.#streams = [];
    for (const { f, i, p, s } of saved.streams) {
      const node = nodes.get(i)!;
      const device = isKind(node, DEVICE) ? this.#devices.get(node.device) : undefined;
      this.#streams[f] = { fd: f, node, path: p, shared: saved.shared[s]!, device };
    }
    this.touched = true;
  }
}
