/**
 * Puts gas metering into a module, as the network does for the formats that are metered when they are loaded
 * (process.md §4.8): in front of every stretch of code that runs as a whole, a call of `metering.usegas` with
 * the stretch's cost. Equal costs and equal stretches, so that `GasUsed` is the network's.
 */
import { AoError } from '../base/errors.ts';

const bad = (sentence: string) => new AoError('bad-module', sentence, { status: 422 });

const I32 = 0x7f;
const I64 = 0x7e;
const CALL = 0x10;

/** Gas of each opcode; what is not here is free. */
const COSTS = costs([
  [1, 0x00, 0x01, 0x02, 0x03, 0x04, [0x41, 0x44]],
  [90, 0x05, 0x0c, 0x0d, 0x0f, CALL],
  [10_000, 0x11, 0x40],
  [120, 0x0e, 0x1a, 0x1b, [0x20, 0x24], [0x28, 0x3e]],
  [100, 0x3f],
  [45, [0x45, 0x5c], 0x61, 0x62, [0x67, 0x6c], [0x71, 0x73], [0x79, 0x7e], [0x83, 0x85]],
  [45, [0x92, 0x94], [0xa0, 0xa2]],
  [36_000, [0x6d, 0x70], [0x7f, 0x82]],
  [67, [0x74, 0x76], [0x86, 0x88]],
  [90, 0x77, 0x78, 0x89, 0x8a],
]);

/** Opcodes that end a stretch: memory.grow, end, br, br_table, br_if, if, else, return, loop. */
const ENDS = new Set([0x40, 0x0b, 0x0c, 0x0e, 0x0d, 0x04, 0x05, 0x0f, 0x03]);

/** What the two instructions that are put in cost themselves. */
const OVERHEAD = COSTS[0x41]! + COSTS[CALL]!;

function costs(rows: readonly (readonly [number, ...(number | readonly [number, number])[]])[]): Uint16Array {
  const out = new Uint16Array(256);
  for (const [cost, ...opcodes] of rows)
    for (const range of opcodes) {
      const [first, last] = typeof range === 'number' ? [range, range] : range;
      out.fill(cost, first, last + 1);
    }
  return out;
}

class Code {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
  constructor(bytes: Uint8Array, at: number, end: number) {
    if (end > bytes.length) throw bad('The module is cut off.');
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  byte(): number {
    if (this.at >= this.end) throw bad('The module is cut off.');
    return this.bytes[this.at++]!;
  }

  /** LEB128 of any width; exact to 2^53. */
  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (scale > 2 ** 63) throw bad('The module holds a number that is too large.');
    }
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw bad('The module is cut off.');
    this.at += count;
  }
}

/** Bytes in the making. */
class Out {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  constructor(room: number) {
    this.#bytes = new Uint8Array(Math.max(room, 64));
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  copy(from: Uint8Array): this {
    this.#reserve(from.length);
    this.#bytes.set(from, this.#length);
    this.#length += from.length;
    return this;
  }

  number(value: number): this {
    do {
      const low = value % 128;
      value = Math.floor(value / 128);
      this.byte(value ? low | 0x80 : low);
    } while (value);
    return this;
  }

  /** Signed LEB128 of a number that is not negative. */
  signed(value: number): this {
    for (;;) {
      const low = value % 128;
      value = Math.floor(value / 128);
      if (value === 0 && low < 64) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  text(value: string): this {
    const octets = new TextEncoder().encode(value);
    return this.number(octets.length).copy(octets);
  }

  /** A length in front of what was made. */
  sized(inner: Out): this {
    const made = inner.take();
    return this.number(made.length).copy(made);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * The module with metering in it. `width`: type of the amount.
 * @throws AoError `bad-module` (422): it is metered already, cut off, or uses instructions that have no price
 */
export function meterModule(bytes: Uint8Array<ArrayBuffer>, width: 'i32' | 'i64'): Uint8Array<ArrayBuffer> {
  const out = new Out(bytes.length * 2).copy(bytes.subarray(0, 8));
  let types = 0;
  let imported = 0;
  let placed = false;
  for (let at = 8; at < bytes.length;) {
    const head = new Code(bytes, at, bytes.length);
    const id = head.byte();
    const size = head.number();
    const body = new Code(bytes, head.at, head.at + size);
    // A module that imports nothing gets the section where it belongs, between types and functions.
    if (!placed && id > 2) {
      out.byte(2).sized(importOf(new Out(64).number(1), types));
      placed = true;
    }
    if (id === 1) {
      types = body.number();
      const section = new Out(size + 16).number(types + 1).copy(bytes.subarray(body.at, body.end));
      section
        .byte(0x60)
        .number(1)
        .byte(width === 'i64' ? I64 : I32)
        .number(0);
      out.byte(1).sized(section);
    } else if (id === 2) {
      const count = body.number();
      const start = body.at;
      for (let left = count; left > 0; left--) if (skipImport(body)) imported++;
      const section = new Out(size + 64).number(count + 1).copy(bytes.subarray(start, body.end));
      out.byte(2).sized(importOf(section, types));
      placed = true;
    } else if (id === 7) out.byte(7).sized(shiftExports(body, imported));
    else if (id === 8) out.byte(8).sized(new Out(8).number(shifted(body.number(), imported)));
    else if (id === 9) out.byte(9).sized(shiftElements(body, imported));
    else if (id === 10) out.byte(10).sized(meterBodies(body, imported, width));
    else out.copy(bytes.subarray(at, body.end));
    at = body.end;
  }
  return out.take().slice();
}

function importOf(section: Out, type: number): Out {
  return section.text('metering').text('usegas').byte(0).number(type);
}

const shifted = (index: number, imported: number) => (index >= imported ? index + 1 : index);

/** True for a function. */
function skipImport(code: Code): boolean {
  const names = [0, 1].map(() => {
    const length = code.number();
    const start = code.at;
    code.skip(length);
    return new TextDecoder().decode(code.bytes.subarray(start, code.at));
  });
  if (names[0] === 'metering' && names[1] === 'usegas') throw bad('The module is metered already.');
  const kind = code.byte();
  if (kind === 0) code.number();
  else if (kind === 3) code.skip(2);
  else if (kind === 4) {
    code.byte();
    code.number();
  } else {
    if (kind === 1) code.byte();
    const flags = code.byte();
    code.number();
    if (flags & 1) code.number();
  }
  return kind === 0;
}

function shiftExports(code: Code, imported: number): Out {
  const count = code.number();
  const out = new Out(code.end - code.at + count + 8).number(count);
  for (let left = count; left > 0; left--) {
    const start = code.at;
    code.skip(code.number());
    const kind = code.byte();
    out.copy(code.bytes.subarray(start, code.at));
    const index = code.number();
    out.number(kind === 0 ? shifted(index, imported) : index);
  }
  return out;
}

/** Active segments of function indexes, which is what C compilers make. */
function shiftElements(code: Code, imported: number): Out {
  const count = code.number();
  const out = new Out(code.end - code.at + 1024).number(count);
  for (let left = count; left > 0; left--) {
    const start = code.at;
    if (code.number() !== 0) throw bad('The module has an element segment that cannot be metered.');
    while (code.bytes[code.at] !== 0x0b) skipInstruction(code, code.byte());
    code.skip(1);
    out.copy(code.bytes.subarray(start, code.at));
    const entries = code.number();
    out.number(entries);
    for (let i = 0; i < entries; i++) out.number(shifted(code.number(), imported));
  }
  return out;
}

function meterBodies(code: Code, imported: number, width: 'i32' | 'i64'): Out {
  const count = code.number();
  const out = new Out((code.end - code.at) * 2).number(count);
  for (let left = count; left > 0; left--) {
    const size = code.number();
    const body = new Code(code.bytes, code.at, code.at + size);
    out.sized(meterBody(body, imported, width));
    code.skip(size);
  }
  return out;
}

function meterBody(code: Code, imported: number, width: 'i32' | 'i64'): Out {
  const out = new Out((code.end - code.at) * 2);
  const start = code.at;
  for (let groups = code.number(); groups > 0; groups--) {
    code.number();
    code.byte();
  }
  out.copy(code.bytes.subarray(start, code.at));
  while (code.at < code.end) {
    const stretch = new Out(256);
    let cost = 0;
    for (let opcode = -1; !ENDS.has(opcode);) {
      const at = code.at;
      opcode = code.byte();
      cost += COSTS[opcode]!;
      if (opcode === CALL || opcode === 0x12 || opcode === 0xd2) {
        stretch.byte(opcode).number(shifted(code.number(), imported));
        continue;
      }
      skipInstruction(code, opcode);
      stretch.copy(code.bytes.subarray(at, code.at));
    }
    if (cost)
      out
        .byte(width === 'i64' ? 0x42 : 0x41)
        .signed(cost + OVERHEAD)
        .byte(CALL)
        .number(imported);
    out.copy(stretch.take());
  }
  return out;
}

/** Goes past the immediates of an instruction whose opcode was just read. */
function skipInstruction(code: Code, opcode: number): void {
  if (opcode >= 0x28 && opcode <= 0x3e) {
    const alignment = code.number();
    if (alignment & 0x40) code.number();
    code.number();
  } else if ((opcode >= 0x45 && opcode <= 0xc4) || PLAIN.has(opcode)) return;
  else if (ONE_NUMBER.has(opcode)) code.number();
  else if (opcode === 0x11 || opcode === 0x13) {
    code.number();
    code.number();
  } else if (opcode === 0x43) code.skip(4);
  else if (opcode === 0x44) code.skip(8);
  else if (opcode === 0x0e) for (let targets = code.number() + 1; targets > 0; targets--) code.number();
  else if (opcode === 0x1c) for (let types = code.number(); types > 0; types--) code.byte();
  else if (opcode === 0xfc) {
    const which = code.number();
    if (which > 17) throw bad('The module uses instructions that cannot be metered.');
    if (which === 8 || which === 10 || which === 12 || which === 14) code.number();
    if (which >= 8) code.number();
  } else throw bad('The module uses instructions that cannot be metered.');
}

/** unreachable, nop, else, catch_all, end, return, drop, select, ref.is_null */
const PLAIN = new Set([0x00, 0x01, 0x05, 0x19, 0x0b, 0x0f, 0x1a, 0x1b, 0xd1]);
/** Blocks, branches, calls, variables, memory size and growth, integer constants, references, exceptions. */
const ONE_NUMBER = new Set([
  0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x10, 0x12, 0x18, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25,
  0x26, 0x3f, 0x40, 0x41, 0x42, 0xd0, 0xd2,
]);
