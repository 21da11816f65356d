/**
 * Tags of a data item: an Avro array of records of two strings (ANS-104 §2.2; messages.md §8.1).
 *
 * Written: one block with a positive count, then `00`. Read: also several blocks, negative counts with a block
 * size, long forms of numbers; such tags are reported as not canonical, and an item that has them never verifies.
 */
import { toBytes, utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { binaryBytes, type Binary } from '../message/value.ts';

export interface Tag {
  readonly name: string;
  readonly value: Binary;
}

/** Tags that are valid in an item; more can be read (messages.md §13, 27 and 28). */
export const MAX_TAGS = 128;
export const MAX_NAME_BYTES = 1024;
export const MAX_VALUE_BYTES = 3072;
const MAX_READ_TAGS = 4096;

export interface ReadTags {
  readonly tags: readonly Tag[];
  /** The bytes are the ones that `writeTags` gives, and no name is empty. */
  readonly canonical: boolean;
}

const bad = (message: string) => new AoError('bad-item', message);

/** @throws AoError `bad-item` */
export function readTags(bytes: Uint8Array): ReadTags {
  const reader = new Reader(bytes);
  const tags: Tag[] = [];
  for (let block = 0; ; block++) {
    let count = reader.long();
    if (count === 0) {
      if (block !== 1) reader.canonical = false;
      break;
    }
    if (count < 0) {
      reader.canonical = false;
      count = -count;
      reader.long();
    }
    if (tags.length + count > MAX_READ_TAGS)
      throw bad(`A data item has more than ${MAX_READ_TAGS} tags, which none that is valid has.`);
    for (; count > 0; count--) tags.push(reader.tag());
  }
  if (reader.at !== bytes.length)
    throw bad('The tags of a data item end before or after their stated length.');
  return { tags, canonical: reader.canonical };
}

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;
  canonical = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A zigzag number, little endian base 128. */
  long(): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let length = 1; ; length++) {
      if (this.at >= bytes.length || length > 5) throw bad('A number in the tags of a data item has no end.');
      const byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) {
        if (byte === 0 && length > 1) this.canonical = false;
        return value % 2 ? -(value + 1) / 2 : value / 2;
      }
    }
  }

  tag(): Tag {
    const nameEnd = this.#end(MAX_VALUE_BYTES, 'name');
    const name = text(this.#bytes, this.at, nameEnd);
    if (name === undefined) throw bad('The name of a tag is not UTF-8.');
    if (name === '') this.canonical = false;
    this.at = nameEnd;
    const valueEnd = this.#end(MAX_VALUE_BYTES, 'value');
    const value = text(this.#bytes, this.at, valueEnd) ?? this.#bytes.slice(this.at, valueEnd);
    this.at = valueEnd;
    return { name, value };
  }

  #end(limit: number, what: string): number {
    const length = this.long();
    if (length < 0 || this.at + length > this.#bytes.length) throw bad(`The ${what} of a tag has no end.`);
    if (length > limit) throw bad(`The ${what} of a tag has more than ${limit} bytes.`);
    return this.at + length;
  }
}

/** A decoder call costs more than a short name has letters. */
const SHORT = 40;

function text(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > SHORT) return utf8(bytes.subarray(from, to));
  let out = '';
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return utf8(bytes.subarray(from, to));
    out += String.fromCharCode(byte);
  }
  return out;
}

/** Where tags are put together before they are cut out: allocating for each costs more than writing it. */
let scratch = new Uint8Array(16 * 1024);

function reserve(at: number, length: number): void {
  if (at + length <= scratch.length) return;
  const larger = new Uint8Array(Math.max(2 * scratch.length, at + length));
  larger.set(scratch.subarray(0, at));
  scratch = larger;
}

/** No bytes at all for no tags. */
export function writeTags(tags: readonly Tag[]): Uint8Array<ArrayBuffer> {
  if (tags.length === 0) return new Uint8Array(0);
  let at = writeLong(0, tags.length);
  for (const { name, value } of tags) at = writeBinary(writeBinary(at, name), value);
  reserve(at, 1);
  scratch[at++] = 0;
  return scratch.slice(0, at);
}

function writeBinary(at: number, value: Binary): number {
  if (typeof value === 'string' && value.length <= SHORT) {
    let to = writeLong(at, value.length);
    reserve(to, value.length);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return writeBytes(at, toBytes(value));
      scratch[to++] = code;
    }
    return to;
  }
  return writeBytes(at, binaryBytes(value));
}

function writeBytes(at: number, bytes: Uint8Array): number {
  const to = writeLong(at, bytes.length);
  reserve(to, bytes.length);
  scratch.set(bytes, to);
  return to + bytes.length;
}

function writeLong(at: number, value: number): number {
  reserve(at, 10);
  let rest = 2 * value;
  while (rest > 0x7f) {
    scratch[at++] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
  }
  scratch[at++] = rest;
  return at;
}

/** @throws AoError `bad-item` where a tag is too long to be written, or its name no text (messages.md §8.1, §8.4) */
export function checkTags(tags: readonly Tag[]): void {
  for (const { name, value } of tags) {
    if (!name.isWellFormed()) throw bad('The name of a tag is not UTF-8.');
    if (longer(name, MAX_VALUE_BYTES)) throw bad(`The name of a tag has more than ${MAX_VALUE_BYTES} bytes.`);
    if (longer(value, MAX_VALUE_BYTES))
      throw bad(`The value of a tag has more than ${MAX_VALUE_BYTES} bytes.`);
  }
}

/** Whether tags are as many and as long as a valid item may have them. */
export function withinLimits(tags: readonly Tag[]): boolean {
  return (
    tags.length <= MAX_TAGS &&
    tags.every(({ name, value }) => !longer(name, MAX_NAME_BYTES) && !longer(value, MAX_VALUE_BYTES))
  );
}

/** True if the octets of a binary are more than `limit`. */
export function longer(value: Binary, limit: number): boolean {
  if (typeof value !== 'string' || value.length > limit) return value.length > limit;
  // At most three bytes for a UTF-16 code unit.
  return 3 * value.length > limit && toBytes(value).length > limit;
}

/** A tag name as a key: lower case letter by letter, without the rules for words (no final sigma). */
export function lowerCase(name: string): string {
  if (!UPPER.test(name)) return name;
  let out = '';
  for (const letter of name) out += letter.toLowerCase();
  return out;
}

const UPPER = /[A-Z\u0080-\u{10ffff}]/u;
