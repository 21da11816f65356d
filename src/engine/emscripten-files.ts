/**
 * The in-memory file system that emscripten programs see: the tree, inode numbers, permissions and errors of
 * the network's loader, because a program can read them back into its memory (`stat`, SQLite's inode locks).
 * It lives outside linear memory. Every change of a node asks the pinned clock once, as there, since the
 * clock is a counter (vectors/legacy-aos.md).
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import {
  DEVICE,
  DIRECTORY,
  ERRNO,
  fail,
  FILE,
  FileError,
  isDirectory,
  isFile,
  isKind,
  isLink,
  LINK,
  type Device,
  type FileNode,
  type FileStat,
  type Saved,
  type SavedNode,
  type SavedStream,
  type Stream,
} from './emscripten-file-node.ts';
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
/** Bytes that all files of one process may hold together. */
const MOST_BYTES = 512 * 1024 * 1024;

export class Files {
  #tick: () => number;
  readonly #output: Output;
  #nextId = 1;
  #root: FileNode;
  #streams: (Stream | undefined)[] = [];
  #devices = new Map<number, Device>();
  #random = 0x9e3779b9;
  #used = 0;
  /** False while everything is as in a fresh instance. */
  touched = false;

  /** Building the tree asks the clock three times, for the links of the standard streams. */
  constructor(tick: () => number, output: Output) {
    this.#output = output;
    this.#tick = () => 0;
    const root: FileNode = this.#node(undefined, '/', DIRECTORY | 0o777, 0);
    this.#root = root;
    for (const path of ['/tmp', '/home', '/home/web_user', '/dev']) this.makeDirectory(path, 0o777);
    this.#device('/dev/null', 1, 3, { terminal: false, read: () => 0, write: (from) => from.length });
    this.#device('/dev/tty', 5, 0, this.#terminal());
    this.#device('/dev/tty1', 6, 0, this.#terminal());
    this.#device('/dev/random', 64, 0, this.#randomDevice());
    this.#device('/dev/urandom', 65, 0, this.#randomDevice());
    for (const path of ['/dev/shm', '/dev/shm/tmp', '/proc', '/proc/self', '/proc/self/fd'])
      this.makeDirectory(path, 0o777);
    // The loader mounts a second node over /proc/self/fd, which takes a number of its own.
    this.#nextId++;
    this.#tick = tick;
    this.#symlink('/dev/tty', '/dev/stdin');
    this.#symlink('/dev/tty', '/dev/stdout');
    this.#symlink('/dev/tty1', '/dev/stderr');
    this.open('/dev/stdin', 0, 0);
    this.open('/dev/stdout', 1, 0);
    this.open('/dev/stderr', 1, 0);
    this.touched = false;
  }

  #node(parent: FileNode | undefined, name: string, mode: number, device: number): FileNode {
    const node = {
      id: this.#nextId++,
      name,
      mode,
      device,
      timestamp: this.#tick(),
      link: '',
      children: new Map(),
      content: new Uint8Array(0),
      size: 0,
    } as unknown as FileNode;
    node.parent = parent ?? node;
    if (parent) {
      parent.children.set(name, node);
      parent.timestamp = node.timestamp;
    }
    this.touched = true;
    return node;
  }

  #device(path: string, major: number, minor: number, device: Device): void {
    const id = (major << 8) | minor;
    this.#devices.set(id, device);
    this.#make(path, DEVICE | 0o666, id);
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

  /** Absolute form with `.` and `..` worked out; the working directory is always `/`. */
  static normalize(path: string): string {
    const parts: string[] = [];
    for (const part of path.split('/')) {
      if (part === '' || part === '.') continue;
      if (part === '..') parts.pop();
      else parts.push(part);
    }
    return `/${parts.join('/')}`;
  }

  #permitted(node: FileNode, wanted: string): number {
    if (wanted.includes('r') && !(node.mode & 0o444)) return ERRNO.access;
    if (wanted.includes('w') && !(node.mode & 0o222)) return ERRNO.access;
    if (wanted.includes('x') && !(node.mode & 0o111)) return ERRNO.access;
    return 0;
  }

  #child(parent: FileNode, name: string): FileNode {
    if (!isDirectory(parent)) fail(ERRNO.notDirectory);
    const refusal = this.#permitted(parent, 'x');
    if (refusal) fail(refusal);
    return parent.children.get(name) ?? fail(ERRNO.noEntry);
  }

  /** @throws FileError */
  lookup(path: string, follow: boolean, depth = 0): FileNode {
    if (path === '') fail(ERRNO.noEntry);
    if (depth > 8) fail(ERRNO.loop);
    let current = this.#root;
    const parts = Files.normalize(path).split('/').filter(Boolean);
    for (const [i, part] of parts.entries()) {
      current = this.#child(current, part);
      if ((i < parts.length - 1 || follow) && isLink(current))
        current = this.lookup(this.#target(current), true, depth + 1);
    }
    return current;
  }

  #target(link: FileNode): string {
    return link.link.startsWith('/')
      ? Files.normalize(link.link)
      : Files.normalize(`${this.pathOf(link.parent)}/${link.link}`);
  }

  pathOf(node: FileNode): string {
    const parts: string[] = [];
    for (let at = node; at.parent !== at; at = at.parent) parts.unshift(at.name);
    return `/${parts.join('/')}`;
  }

  #split(path: string): { parent: FileNode; name: string } {
    const full = Files.normalize(path);
    const slash = full.lastIndexOf('/');
    return { parent: this.lookup(full.slice(0, slash) || '/', true), name: full.slice(slash + 1) };
  }

  #mayCreate(parent: FileNode, name: string): void {
    if (isDirectory(parent) && !this.#permitted(parent, 'x') && parent.children.has(name)) fail(ERRNO.exists);
    const refusal = this.#permitted(parent, 'wx');
    if (refusal) fail(refusal);
  }

  #mayDelete(parent: FileNode, name: string, directory: boolean): FileNode {
    const node = this.#child(parent, name);
    const refusal = this.#permitted(parent, 'wx');
    if (refusal) fail(refusal);
    if (directory && !isDirectory(node)) fail(ERRNO.notDirectory);
    if (directory && node === this.#root) fail(ERRNO.busy);
    if (!directory && isDirectory(node)) fail(ERRNO.isDirectory);
    return node;
  }

  #make(path: string, mode: number, device = 0): FileNode {
    const { parent, name } = this.#split(path);
    if (!name) fail(ERRNO.invalid);
    this.#mayCreate(parent, name);
    if (!isDirectory(parent)) fail(ERRNO.notPermitted);
    return this.#node(parent, name, mode, device);
  }

  makeDirectory(path: string, mode: number): void {
    this.#make(path, DIRECTORY | (mode & 0o1777));
  }

  #symlink(target: string, path: string): void {
    const { parent, name } = this.#split(path);
    this.#mayCreate(parent, name);
    this.#node(parent, name, LINK | 0o777, 0).link = target;
  }

  readLink(path: string): string {
    const node = this.lookup(path, false);
    if (!isLink(node)) fail(ERRNO.invalid);
    return this.#target(node);
  }

  stat(path: string, follow: boolean): FileStat {
    return this.statOf(this.lookup(path, follow));
  }

  statOf(node: FileNode): FileStat {
    const size = isDirectory(node) ? 4096 : isFile(node) ? node.size : isLink(node) ? node.link.length : 0;
    return {
      device: isKind(node, DEVICE) ? node.id : 1,
      mode: node.mode,
      rdev: node.device,
      size,
      blocks: Math.ceil(size / 4096),
      time: node.timestamp,
      ino: node.id,
    };
  }

  accessible(path: string, mode: number): number {
    const node = this.lookup(path, true);
    const wanted = (mode & 4 ? 'r' : '') + (mode & 2 ? 'w' : '') + (mode & 1 ? 'x' : '');
    return this.#permitted(node, wanted);
  }

  changeMode(node: FileNode, mode: number): void {
    node.mode = (mode & 0o7777) | (node.mode & ~0o7777);
    this.#touch(node);
  }

  changeOwner(node: FileNode): void {
    this.#touch(node);
  }

  setTime(path: string, time: number | undefined): void {
    const now = time ?? this.#tick();
    this.lookup(path, true).timestamp = now;
    this.touched = true;
  }

  #touch(node: FileNode): void {
    node.timestamp = this.#tick();
    this.touched = true;
  }

  truncate(node: FileNode, size: number): void {
    if (size < 0) fail(ERRNO.invalid);
    if (isDirectory(node)) fail(ERRNO.isDirectory);
    if (!isFile(node)) fail(ERRNO.invalid);
    const refusal = this.#permitted(node, 'w');
    if (refusal) fail(refusal);
    this.#touch(node);
    if (size === node.size) return;
    const content = new Uint8Array(this.#reserve(node, size));
    content.set(node.content.subarray(0, Math.min(size, node.size)));
    node.content = content;
    node.size = size;
  }

  /** Accounts for the room a node's content takes. */
  #reserve(node: FileNode, capacity: number): number {
    const used = this.#used + capacity - node.content.length;
    if (used > MOST_BYTES) fail(ERRNO.io);
    this.#used = used;
    return capacity;
  }

  unlink(path: string): void {
    const { parent, name } = this.#split(path);
    this.#child(parent, name);
    this.#mayDelete(parent, name, false);
    parent.children.delete(name);
    this.#touch(parent);
  }

  removeDirectory(path: string): void {
    const { parent, name } = this.#split(path);
    const node = this.#child(parent, name);
    this.#mayDelete(parent, name, true);
    if (node.children.size) fail(ERRNO.notEmpty);
    parent.children.delete(name);
    this.#touch(parent);
  }

  rename(from: string, to: string): void {
    const source = this.#split(from);
    const target = this.#split(to);
    const node = this.#child(source.parent, source.name);
    const inside = (path: string, directory: string) => `${path}/`.startsWith(`${directory}/`);
    const fromPath = Files.normalize(from);
    const toPath = Files.normalize(to);
    if (inside(toPath.slice(0, toPath.lastIndexOf('/')), fromPath)) fail(ERRNO.invalid);
    if (inside(fromPath.slice(0, fromPath.lastIndexOf('/')), toPath)) fail(ERRNO.notEmpty);
    const old = target.parent.children.get(target.name);
    if (old === node) return;
    const directory = isDirectory(node);
    this.#mayDelete(source.parent, source.name, directory);
    if (old) this.#mayDelete(target.parent, target.name, directory);
    else this.#mayCreate(target.parent, target.name);
    if (source.parent !== target.parent) {
      const refusal = this.#permitted(source.parent, 'w');
      if (refusal) fail(refusal);
    }
    if (directory && old?.children.size) fail(ERRNO.notEmpty);
    source.parent.children.delete(source.name);
    this.#touch(source.parent);
    node.name = target.name;
    node.parent = target.parent;
    target.parent.children.set(target.name, node);
    target.parent.timestamp = source.parent.timestamp;
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
        node = this.#make(full, FILE | (mode & 0o7777));
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
      const refusal = this.#permitted(node, wanted);
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
      if (count) this.#touch(node);
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
      if (from.length && stream.device.terminal) node.timestamp = this.#tick();
      return count;
    }
    if (stream.shared.flags & APPEND) this.seek(stream, 0, 2);
    if (!from.length) return 0;
    this.#touch(node);
    const { position } = stream.shared;
    const end = position + from.length;
    if (end > node.content.length) {
      const grown = new Uint8Array(
        this.#reserve(node, Math.max(end, Math.min(node.content.length * 2, end + (1 << 20)))),
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
      id: this.#nextId++,
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
    visit(this.#root);
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
      next: this.#nextId,
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
    this.#used = 0;
    for (const { i, n, m, d, t, l, c } of saved.nodes) {
      const content = c ? fromBase64(c) : new Uint8Array(0);
      this.#used += content.length;
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
    this.#root = nodes.get(1)!;
    this.#nextId = saved.next;
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
