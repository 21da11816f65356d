/**
 * Reads the outline of a WebAssembly binary (WebAssembly core specification, binary format): what it imports
 * and exports, its memory and globals. Nothing is compiled and no code is looked at.
 */
import { AoError } from '../base/errors.ts';
import { utf8 } from '../base/bytes.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'ref';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

export type ExternalKind = 'function' | 'table' | 'memory' | 'global' | 'tag';

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternalKind;
  readonly signature?: Signature;
}

export interface Export {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
  readonly signature?: Signature;
}

export interface MemoryType {
  readonly initialPages: number;
  readonly maximumPages: number | undefined;
  readonly wordBits: 32 | 64;
  readonly shared: boolean;
  readonly imported: boolean;
  /** Where its limits stand in the binary, so that a smaller maximum can be written. */
  readonly at: number;
  readonly end: number;
}

export interface ModuleOutline {
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
  readonly memories: readonly MemoryType[];
  readonly hasStart: boolean;
}

const KINDS: readonly ExternalKind[] = ['function', 'table', 'memory', 'global', 'tag'];
const TYPES: Readonly<Record<number, ValueType>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
};
/** More entries than any real module has in one section: a count that lies must not cost memory. */
const MOST_ENTRIES = 1_000_000;

const bad = (sentence: string) => new AoError('bad-module', sentence, { status: 422 });

class Reader {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw bad('The module is cut off.');
    return this.bytes[this.at++]!;
  }

  /** LEB128, unsigned; exact to 2^53, which is more than any size or index may be. */
  unsigned(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw bad('The module holds a number that is too large.');
  }

  count(): number {
    const count = this.unsigned();
    if (count > MOST_ENTRIES || count > this.end - this.at)
      throw bad('The module is cut off, or a section counts more entries than it holds.');
    return count;
  }

  name(): string {
    const length = this.unsigned();
    if (length > this.end - this.at) throw bad('The module is cut off in a name.');
    const name = utf8(this.bytes.subarray(this.at, this.at + length));
    if (name === undefined) throw bad('The module has a name that is not UTF-8.');
    this.at += length;
    return name;
  }

  kind(): ExternalKind {
    const kind = KINDS[this.byte()];
    if (!kind) throw bad('The module imports or exports something of an unknown kind.');
    return kind;
  }

  valueType(): ValueType {
    const code = this.byte();
    // (ref null ht) and (ref ht) carry a heap type behind them.
    if (code === 0x63 || code === 0x64) this.unsigned();
    return TYPES[code] ?? 'ref';
  }

  limits(): { initial: number; maximum: number | undefined; flags: number } {
    const flags = this.byte();
    if (flags > 7) throw bad('The module declares a memory or table of an unknown kind.');
    const initial = this.unsigned();
    return { initial, maximum: flags & 1 ? this.unsigned() : undefined, flags };
  }
}

/** @throws AoError `bad-module` (422) */
export function readOutline(bytes: Uint8Array): ModuleOutline {
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0x61 || bytes[2] !== 0x73 || bytes[3] !== 0x6d)
    throw bad('This is not a WebAssembly module: it does not begin with the bytes "\\0asm".');
  if (bytes.length < 8) throw bad('The module is cut off after its first bytes.');
  if (bytes[4] !== 1 || bytes[5] || bytes[6] || bytes[7])
    throw bad('The module is of a WebAssembly version (or a component) that is not supported.');
  const types: (Signature | undefined)[] = [];
  const functions: number[] = [];
  const imports: Import[] = [];
  const exports: Export[] = [];
  const memories: MemoryType[] = [];
  let hasStart = false;
  let last = 0;
  const reader = new Reader(bytes, 8, bytes.length);

  const signature = (index: number): Signature => {
    const found = types[index];
    if (!found) throw bad('The module names a function type that it does not declare.');
    return found;
  };
  const memory = (section: Reader, imported: boolean) => {
    const at = section.at;
    const { initial, maximum, flags } = section.limits();
    memories.push({
      initialPages: initial,
      maximumPages: maximum,
      wordBits: flags & 4 ? 64 : 32,
      shared: (flags & 2) !== 0,
      imported,
      at,
      end: section.at,
    });
  };

  while (reader.at < reader.end) {
    const id = reader.byte();
    const size = reader.unsigned();
    if (size > reader.end - reader.at) throw bad('The module is cut off in the middle of a section.');
    const section = new Reader(bytes, reader.at, reader.at + size);
    reader.at += size;
    if (id !== 0) {
      if (id > 13) throw bad('The module has a section of an unknown kind.');
      const order = ORDER[id]!;
      if (order <= last) throw bad('The sections of the module are out of order.');
      last = order;
    }
    if (id === 1) readTypes(section, types);
    else if (id === 2)
      for (let left = section.count(); left > 0; left--) {
        const module = section.name();
        const name = section.name();
        const kind = section.kind();
        if (kind === 'function') {
          const index = section.unsigned();
          functions.push(index);
          imports.push({ module, name, kind, signature: signature(index) });
          continue;
        }
        if (kind === 'memory') memory(section, true);
        else if (kind === 'table') {
          section.valueType();
          section.limits();
        } else if (kind === 'global') {
          section.valueType();
          section.byte();
        } else {
          section.byte();
          section.unsigned();
        }
        imports.push({ module, name, kind });
      }
    else if (id === 3) for (let left = section.count(); left > 0; left--) functions.push(section.unsigned());
    else if (id === 5) for (let left = section.count(); left > 0; left--) memory(section, false);
    else if (id === 7)
      for (let left = section.count(); left > 0; left--) {
        const name = section.name();
        const kind = section.kind();
        const index = section.unsigned();
        if (kind !== 'function') exports.push({ name, kind, index });
        else {
          const type = functions[index];
          if (type === undefined) throw bad('The module exports a function that it does not have.');
          exports.push({ name, kind, index, signature: signature(type) });
        }
      }
    else if (id === 8) hasStart = true;
  }
  return { imports, exports, memories, hasStart };
}

/** Sections come in this order (tags between memories and globals, the data count before code). */
const ORDER: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 11, 6];

function readTypes(section: Reader, types: (Signature | undefined)[]): void {
  for (let left = section.count(); left > 0; left--) {
    // A recursive group or a struct type: modules that use them are left to the browser to judge.
    if (section.byte() !== 0x60) return;
    const parameters: ValueType[] = [];
    for (let n = section.count(); n > 0; n--) parameters.push(section.valueType());
    const results: ValueType[] = [];
    for (let n = section.count(); n > 0; n--) results.push(section.valueType());
    types.push({ parameters, results });
  }
}

/** The same module with a smaller maximum for its (only, own) memory. */
export function withMaximumPages(
  bytes: Uint8Array<ArrayBuffer>,
  maximumPages: number,
): Uint8Array<ArrayBuffer> {
  const memory = readOutline(bytes).memories[0];
  if (!memory || memory.imported || (memory.maximumPages ?? Infinity) <= maximumPages) return bytes;
  const limits = Uint8Array.of(bytes[memory.at]! | 1, ...leb(memory.initialPages), ...leb(maximumPages));
  // The section that holds the limits has to state its new size.
  let at = 8;
  while (at < bytes.length) {
    const reader = new Reader(bytes, at + 1, bytes.length);
    const size = reader.unsigned();
    const body = reader.at;
    if (memory.at >= body && memory.end <= body + size) {
      const section = [
        ...bytes.subarray(body, memory.at),
        ...limits,
        ...bytes.subarray(memory.end, body + size),
      ];
      const head = Uint8Array.of(bytes[at]!, ...leb(section.length), ...section);
      const out = new Uint8Array(at + head.length + bytes.length - body - size);
      out.set(bytes.subarray(0, at));
      out.set(head, at);
      out.set(bytes.subarray(body + size), at + head.length);
      return out;
    }
    at = body + size;
  }
  return bytes;
}

function leb(value: number): number[] {
  const out: number[] = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value ? low | 0x80 : low);
  } while (value);
  return out;
}
