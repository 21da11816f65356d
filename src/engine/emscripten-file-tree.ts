/**
 * The tree of the file system that emscripten programs see: nodes, their numbers, permissions and errors as the
 * network's loader has them. Every change of a node asks the clock once.
 */
import {
  DEVICE,
  DIRECTORY,
  ERRNO,
  fail,
  isDirectory,
  isFile,
  isKind,
  isLink,
  LINK,
  type FileNode,
  type FileStat,
} from './emscripten-file-node.ts';

/** Bytes that all files of one process may hold together. */
const MOST_BYTES = 512 * 1024 * 1024;

export class FileTree {
  /** The clock; the root and its first directories do not ask it. */
  protected tick: () => number = () => 0;
  protected nextId = 1;
  /** Bytes that the contents of all files take. */
  protected used = 0;
  protected root: FileNode;
  /** False while everything is as in a fresh instance. */
  touched = false;

  constructor() {
    this.root = this.node(undefined, '/', DIRECTORY | 0o777, 0);
  }

  protected node(parent: FileNode | undefined, name: string, mode: number, device: number): FileNode {
    const node = {
      id: this.nextId++,
      name,
      mode,
      device,
      timestamp: this.tick(),
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

  protected permitted(node: FileNode, wanted: string): number {
    if (wanted.includes('r') && !(node.mode & 0o444)) return ERRNO.access;
    if (wanted.includes('w') && !(node.mode & 0o222)) return ERRNO.access;
    if (wanted.includes('x') && !(node.mode & 0o111)) return ERRNO.access;
    return 0;
  }

  #child(parent: FileNode, name: string): FileNode {
    if (!isDirectory(parent)) fail(ERRNO.notDirectory);
    const refusal = this.permitted(parent, 'x');
    if (refusal) fail(refusal);
    return parent.children.get(name) ?? fail(ERRNO.noEntry);
  }

  /** @throws FileError */
  lookup(path: string, follow: boolean, depth = 0): FileNode {
    if (path === '') fail(ERRNO.noEntry);
    if (depth > 8) fail(ERRNO.loop);
    let current = this.root;
    const parts = FileTree.normalize(path).split('/').filter(Boolean);
    for (const [i, part] of parts.entries()) {
      current = this.#child(current, part);
      if ((i < parts.length - 1 || follow) && isLink(current))
        current = this.lookup(this.#target(current), true, depth + 1);
    }
    return current;
  }

  #target(link: FileNode): string {
    return link.link.startsWith('/')
      ? FileTree.normalize(link.link)
      : FileTree.normalize(`${this.pathOf(link.parent)}/${link.link}`);
  }

  pathOf(node: FileNode): string {
    const parts: string[] = [];
    for (let at = node; at.parent !== at; at = at.parent) parts.unshift(at.name);
    return `/${parts.join('/')}`;
  }

  #split(path: string): { parent: FileNode; name: string } {
    const full = FileTree.normalize(path);
    const slash = full.lastIndexOf('/');
    return { parent: this.lookup(full.slice(0, slash) || '/', true), name: full.slice(slash + 1) };
  }

  #mayCreate(parent: FileNode, name: string): void {
    if (isDirectory(parent) && !this.permitted(parent, 'x') && parent.children.has(name)) fail(ERRNO.exists);
    const refusal = this.permitted(parent, 'wx');
    if (refusal) fail(refusal);
  }

  #mayDelete(parent: FileNode, name: string, directory: boolean): FileNode {
    const node = this.#child(parent, name);
    const refusal = this.permitted(parent, 'wx');
    if (refusal) fail(refusal);
    if (directory && !isDirectory(node)) fail(ERRNO.notDirectory);
    if (directory && node === this.root) fail(ERRNO.busy);
    if (!directory && isDirectory(node)) fail(ERRNO.isDirectory);
    return node;
  }

  protected make(path: string, mode: number, device = 0): FileNode {
    const { parent, name } = this.#split(path);
    if (!name) fail(ERRNO.invalid);
    this.#mayCreate(parent, name);
    if (!isDirectory(parent)) fail(ERRNO.notPermitted);
    return this.node(parent, name, mode, device);
  }

  makeDirectory(path: string, mode: number): void {
    this.make(path, DIRECTORY | (mode & 0o1777));
  }

  protected symlink(target: string, path: string): void {
    const { parent, name } = this.#split(path);
    this.#mayCreate(parent, name);
    this.node(parent, name, LINK | 0o777, 0).link = target;
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
    return this.permitted(node, wanted);
  }

  changeMode(node: FileNode, mode: number): void {
    node.mode = (mode & 0o7777) | (node.mode & ~0o7777);
    this.touch(node);
  }

  changeOwner(node: FileNode): void {
    this.touch(node);
  }

  setTime(path: string, time: number | undefined): void {
    const now = time ?? this.tick();
    this.lookup(path, true).timestamp = now;
    this.touched = true;
  }

  protected touch(node: FileNode): void {
    node.timestamp = this.tick();
    this.touched = true;
  }

  truncate(node: FileNode, size: number): void {
    if (size < 0) fail(ERRNO.invalid);
    if (isDirectory(node)) fail(ERRNO.isDirectory);
    if (!isFile(node)) fail(ERRNO.invalid);
    const refusal = this.permitted(node, 'w');
    if (refusal) fail(refusal);
    this.touch(node);
    if (size === node.size) return;
    const content = new Uint8Array(this.reserve(node, size));
    content.set(node.content.subarray(0, Math.min(size, node.size)));
    node.content = content;
    node.size = size;
  }

  /** Accounts for the room a node's content takes. */
  protected reserve(node: FileNode, capacity: number): number {
    const used = this.used + capacity - node.content.length;
    if (used > MOST_BYTES) fail(ERRNO.io);
    this.used = used;
    return capacity;
  }

  unlink(path: string): void {
    const { parent, name } = this.#split(path);
    this.#child(parent, name);
    this.#mayDelete(parent, name, false);
    parent.children.delete(name);
    this.touch(parent);
  }

  removeDirectory(path: string): void {
    const { parent, name } = this.#split(path);
    const node = this.#child(parent, name);
    this.#mayDelete(parent, name, true);
    if (node.children.size) fail(ERRNO.notEmpty);
    parent.children.delete(name);
    this.touch(parent);
  }

  rename(from: string, to: string): void {
    const source = this.#split(from);
    const target = this.#split(to);
    const node = this.#child(source.parent, source.name);
    const inside = (path: string, directory: string) => `${path}/`.startsWith(`${directory}/`);
    const fromPath = FileTree.normalize(from);
    const toPath = FileTree.normalize(to);
    if (inside(toPath.slice(0, toPath.lastIndexOf('/')), fromPath)) fail(ERRNO.invalid);
    if (inside(fromPath.slice(0, fromPath.lastIndexOf('/')), toPath)) fail(ERRNO.notEmpty);
    const old = target.parent.children.get(target.name);
    if (old === node) return;
    const directory = isDirectory(node);
    this.#mayDelete(source.parent, source.name, directory);
    if (old) this.#mayDelete(target.parent, target.name, directory);
    else this.#mayCreate(target.parent, target.name);
    if (source.parent !== target.parent) {
      const refusal = this.permitted(source.parent, 'w');
      if (refusal) fail(refusal);
    }
    if (directory && old?.children.size) fail(ERRNO.notEmpty);
    source.parent.children.delete(source.name);
    this.touch(source.parent);
    node.name = target.name;
    node.parent = target.parent;
    target.parent.children.set(target.name, node);
    target.parent.timestamp = source.parent.timestamp;
  }
}
