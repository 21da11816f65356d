/**
 * The order in which the reference walks the keys of a message (messages.md §1.7). Bytes depend on it:
 * signature components, part headers, `ao-ids`, bundle items and JSON members all follow it.
 *
 * Up to 32 keys it is byte order. From 33 keys on it is the order of a 64-bit hash of each key (OTP 27),
 * compared nibble by nibble from the least significant one.
 */
import { compareText, toBytes } from '../base/bytes.ts';

const BYTE_ORDER_LIMIT = 32;

/** Code units from which UTF-16 order and byte order may differ. */
const PLAIN = /^[\0-\ud7ff]*$/;

/** Keys in byte order, whatever their number. */
export function byteOrder(keys: Iterable<string>): string[] {
  const list = [...keys];
  // The default sort compares UTF-16 code units, which is byte order below the surrogates.
  return list.every((key) => PLAIN.test(key)) ? list.sort() : list.sort(compareText);
}

/** KO of messages.md §1.7: the order of `maps:keys`. */
export function keysOrder(keys: Iterable<string>): string[] {
  const list = [...keys];
  return list.length <= BYTE_ORDER_LIMIT ? byteOrder(list) : hashOrder(list).reverse();
}

/** IO of messages.md §1.7: the order of `maps:fold` and comprehensions. */
export function iterationOrder(keys: Iterable<string>): string[] {
  const list = [...keys];
  return list.length <= BYTE_ORDER_LIMIT ? byteOrder(list) : hashOrder(list);
}

interface Hashed {
  readonly key: string;
  /** Lower and upper half of the hash with their nibbles reversed, so that numbers compare as nibbles do. */
  readonly low: number;
  readonly high: number;
}

function hashOrder(keys: readonly string[]): string[] {
  const hashed: Hashed[] = keys.map((key) => {
    hash(toBytes(key));
    return { key, low: reverseNibbles(hashLow), high: reverseNibbles(hashHigh) };
  });
  hashed.sort((a, b) => a.low - b.low || a.high - b.high || compareText(a.key, b.key));
  return hashed.map(({ key }) => key);
}

function reverseNibbles(x: number): number {
  const bytes = (x << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24);
  return (((bytes & 0x0f0f0f0f) << 4) | ((bytes >>> 4) & 0x0f0f0f0f)) >>> 0;
}

/** The hash of the octets as 64 bits in hexadecimal, for tests. */
export function keyHash(key: string): string {
  hash(toBytes(key));
  return [hashHigh, hashLow].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

// 64-bit arithmetic in halves of 32 bits: BigInt makes long lists some twenty times slower. Every operation
// leaves its result in `high` and `low`; the state of the hash is (aHigh, aLow) and (bHigh, bLow).
let high = 0;
let low = 0;
let hashHigh = 0;
let hashLow = 0;

const C1_HIGH = 0x87c37b91 | 0;
const C1_LOW = 0x114253d5 | 0;
const C2_HIGH = 0x4cf5ad43 | 0;
const C2_LOW = 0x2745937f | 0;

function multiply(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const a0 = aLow & 0xffff;
  const a1 = aLow >>> 16;
  const b0 = bLow & 0xffff;
  const b1 = bLow >>> 16;
  const p00 = a0 * b0;
  const p01 = a0 * b1;
  const p10 = a1 * b0;
  const middle = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
  const carry = (middle >>> 16) + (p01 >>> 16) + (p10 >>> 16);
  high = (a1 * b1 + carry + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0;
  low = (middle << 16) | (p00 & 0xffff);
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = (aLow >>> 0) + (bLow >>> 0);
  low = sum | 0;
  high = (aHigh + bHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
}

function rotate(aHigh: number, aLow: number, by: number): void {
  if (by >= 32) {
    const left = by - 32;
    high = left ? (aLow << left) | (aHigh >>> (32 - left)) : aLow;
    low = left ? (aHigh << left) | (aLow >>> (32 - left)) : aHigh;
  } else {
    high = (aHigh << by) | (aLow >>> (32 - by));
    low = (aLow << by) | (aHigh >>> (32 - by));
  }
}

/** rotl(x * first, by) * second */
function scramble(xHigh: number, xLow: number, intoA: boolean): void {
  if (intoA) {
    multiply(xHigh, xLow, C1_HIGH, C1_LOW);
    rotate(high, low, 31);
    multiply(high, low, C2_HIGH, C2_LOW);
  } else {
    multiply(xHigh, xLow, C2_HIGH, C2_LOW);
    rotate(high, low, 33);
    multiply(high, low, C1_HIGH, C1_LOW);
  }
}

function finish(xHigh: number, xLow: number): void {
  multiply(xHigh, xLow ^ (xHigh >>> 1), 0xff51afd7 | 0, 0xed558ccd | 0);
  multiply(high, low ^ (high >>> 1), 0xc4ceb9fe | 0, 0x1a85ec53 | 0);
  low ^= high >>> 1;
}

function hash(bytes: Uint8Array): void {
  const length = bytes.length;
  let aHigh = 0;
  let aLow = 0;
  let bHigh = 0;
  let bLow = 0;
  let count = 0;

  const mixA = (xHigh: number, xLow: number): void => {
    scramble(xHigh, xLow, true);
    rotate(aHigh ^ high, aLow ^ low, 27);
    add(high, low, bHigh, bLow);
    multiply(high, low, 0, 5);
    add(high, low, 0, 0x52dce729);
    aHigh = high;
    aLow = low;
    count++;
  };
  const mixB = (xHigh: number, xLow: number): void => {
    scramble(xHigh, xLow, false);
    rotate(bHigh ^ high, bLow ^ low, 31);
    add(high, low, aHigh, aLow);
    multiply(high, low, 0, 5);
    add(high, low, 0, 0x38495ab5);
    bHigh = high;
    bLow = low;
    count++;
  };
  const word = (at: number): number =>
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24);

  mixA(0, 11);
  mixB(0, 8 * length);
  const blocks = length & ~15;
  for (let at = 0; at < blocks; at += 16) {
    mixA(word(at + 4), word(at));
    mixB(word(at + 12), word(at + 8));
  }
  const rest = length - blocks;
  if (rest > 8) {
    scramble(word(blocks + 12), word(blocks + 8), false);
    bHigh ^= high;
    bLow ^= low;
  }
  if (rest > 0) {
    scramble(word(blocks + 4), word(blocks), true);
    aHigh ^= high;
    aLow ^= low;
  }
  aLow ^= count;
  bLow ^= count;
  add(aHigh, aLow, bHigh, bLow);
  aHigh = high;
  aLow = low;
  add(bHigh, bLow, aHigh, aLow);
  bHigh = high;
  bLow = low;
  finish(aHigh, aLow);
  aHigh = high;
  aLow = low;
  finish(bHigh, bLow);
  bHigh = high;
  bLow = low;
  add(aHigh, aLow, bHigh, bLow);
  aHigh = high;
  aLow = low;
  add(bHigh, bLow, aHigh, aLow);
  hashHigh = aHigh ^ high;
  hashLow = aLow ^ low;
}
