/** What the file system of emscripten programs is made of, its errors, and its stored form. */

/** WASI error numbers, which emscripten's C library uses. */
export const ERRNO = {
  access: 2,
  badFile: 8,
  busy: 10,
  exists: 20,
  invalid: 28,
  io: 29,
  isDirectory: 31,
  loop: 32,
  tooManyFiles: 33,
  noDevice: 43,
  noEntry: 44,
  notImplemented: 52,
  notDirectory: 54,
  notEmpty: 55,
  notTerminal: 59,
  notPermitted: 63,
  range: 68,
  notSeekable: 70,
} as const;

export class FileError extends Error {
  readonly errno: number;
  constructor(errno: number) {
    super(`file system error ${errno}`);
    this.errno = errno;
  }
}

export const fail = (errno: number): never => {
  throw new FileError(errno);
};

const TYPE = 0o170000;
export const FILE = 0o100000;
export const DIRECTORY = 0o040000;
export const DEVICE = 0o020000;
export const LINK = 0o120000;

export interface FileNode {
  id: number;
  name: string;
  parent: FileNode;
  mode: number;
  device: number;
  /** Milliseconds of the pinned clock. */
  timestamp: number;
  link: string;
  children: Map<string, FileNode>;
  content: Uint8Array;
  size: number;
}

/** An open file; copies made by `dup` share position and flags. */
export interface Stream {
  fd: number;
  readonly node: FileNode;
  readonly path: string;
  readonly shared: { flags: number; position: number };
  readonly device: Device | undefined;
}

export interface Device {
  readonly terminal: boolean;
  read(into: Uint8Array): number;
  write(from: Uint8Array): number;
  close?(): void;
}

export interface FileStat {
  device: number;
  mode: number;
  rdev: number;
  size: number;
  blocks: number;
  time: number;
  ino: number;
}

export const isKind = (node: FileNode, kind: number) => (node.mode & TYPE) === kind;
export const isDirectory = (node: FileNode) => isKind(node, DIRECTORY);
export const isLink = (node: FileNode) => isKind(node, LINK);
export const isFile = (node: FileNode) => isKind(node, FILE);

/** A file system as text, `JSON.stringify` of this. */
export interface SavedNode {
  i: number;
  n: string;
  p: number;
  m: number;
  d: number;
  t: number;
  l?: string;
  c?: string;
  /** Open, but in no directory any more. */
  x?: true;
}

export interface SavedStream {
  f: number;
  i: number;
  p: string;
  s: number;
}

export interface Saved {
  next: number;
  random: number;
  nodes: SavedNode[];
  shared: { flags: number; position: number }[];
  streams: SavedStream[];
}
