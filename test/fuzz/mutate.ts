/** Changes to valid inputs, made in one buffer that is used again and again: a fuzzer is as good as it is fast. */
import type { Random } from './random.ts';

/** Inputs longer than this are cut: size limits have tests of their own. */
export const MAX_INPUT = 1 << 17;

const BYTES = [0, 1, 9, 10, 13, 32, 34, 37, 43, 44, 47, 58, 59, 61, 92, 127, 128, 192, 237, 255];
const encoder = new TextEncoder();
const NUMBERS = [
  '0',
  '-1',
  '255',
  '65536',
  '2147483648',
  '4294967296',
  '18446744073709551616',
  '1e999',
  '-0',
].map((text) => encoder.encode(text));
const NONE = new Uint8Array(0);
/** One input in so many grows to many thousands of octets: depth and length have their limits, but take time. */
const GROWS = 512;

export class Mutator {
  readonly #buffer = new Uint8Array(MAX_INPUT);
  readonly #part = new Uint8Array(MAX_INPUT);
  readonly #seeds: readonly Uint8Array[];
  readonly #words: readonly Uint8Array[];
  #length = 0;

  /** @param words pieces of the format that a change may put in */
  constructor(seeds: readonly Uint8Array[], words: readonly string[] = []) {
    this.#seeds = seeds;
    this.#words = words.map((word) => encoder.encode(word));
  }

  /** A seed with one to six changes. */
  next(random: Random): Uint8Array<ArrayBuffer> {
    const seed = random.pick(this.#seeds);
    this.#length = Math.min(seed.length, MAX_INPUT);
    this.#buffer.set(seed.length > MAX_INPUT ? seed.subarray(0, MAX_INPUT) : seed);
    for (let left = 1 + random.below(6); left > 0; left--) this.#change(random);
    if (random.below(GROWS) === 0) this.#grow(random);
    return this.#buffer.slice(0, this.#length);
  }

  #change(random: Random): void {
    const length = this.#length;
    const at = random.below(length + 1);
    const some = Math.min(length - at, 1 + random.below(random.below(4) ? 16 : 256));
    switch (random.below(11)) {
      case 0:
        if (at < length) this.#buffer[at]! ^= 1 << random.below(8);
        return;
      case 1:
        if (at < length) this.#buffer[at] = random.pick(BYTES);
        return;
      case 2:
        return this.#splice(at, some, NONE);
      case 3:
        this.#part[0] = random.pick(BYTES);
        return this.#splice(at, 0, this.#part.subarray(0, 1));
      case 4:
        return this.#splice(random.below(length + 1), 0, this.#copy(at, some));
      case 5: {
        const other = random.pick(this.#seeds);
        const from = random.below(other.length + 1);
        return this.#splice(at, some, other.subarray(from, from + 1 + random.below(256)));
      }
      case 6:
        // Cutting off most of an input leaves little to look at, so it is rarer than the rest.
        if (random.below(3) === 0) this.#length = at;
        else this.#length = Math.max(0, length - 1 - random.below(16));
        return;
      case 7:
        return this.#splice(at, 0, repeat(this.#copy(at, some), 1 + random.below(8)));
      case 8:
        return this.#splice(at, this.#digits(at), random.pick(NUMBERS));
      case 9:
        if (this.#words.length) this.#splice(at, random.below(2) ? 0 : some, random.pick(this.#words));
        else this.#buffer.subarray(at, at + some).reverse();
        return;
      default:
        if (this.#words.length)
          return this.#splice(at, 0, repeat(random.pick(this.#words), 1 + random.below(4)));
        if (at < length) this.#buffer[at]! += random.below(2) ? 1 : 255;
    }
  }

  #grow(random: Random): void {
    const at = random.below(this.#length + 1);
    const word = this.#words.length && random.below(2) ? random.pick(this.#words) : undefined;
    const part = word ?? this.#copy(at, Math.min(this.#length - at, 1 + random.below(256)));
    this.#splice(at, 0, repeat(part, 1 + random.below(4096)));
  }

  #copy(at: number, length: number): Uint8Array {
    this.#part.set(this.#buffer.subarray(at, at + length));
    return this.#part.subarray(0, length);
  }

  #splice(at: number, remove: number, insert: Uint8Array): void {
    const room = Math.min(insert.length, MAX_INPUT - at);
    const tail = Math.min(this.#length - at - remove, MAX_INPUT - at - room);
    this.#buffer.copyWithin(at + room, at + remove, at + remove + tail);
    this.#buffer.set(room < insert.length ? insert.subarray(0, room) : insert, at);
    this.#length = at + room + tail;
  }

  /** How many decimal digits stand from `at` on. */
  #digits(at: number): number {
    let end = at;
    while (end < this.#length && this.#buffer[end]! >= 48 && this.#buffer[end]! <= 57) end++;
    return end - at;
  }
}

function repeat(part: Uint8Array, times: number): Uint8Array {
  if (times === 1 || part.length === 0) return part;
  const count = Math.min(times, Math.ceil(MAX_INPUT / part.length));
  const out = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) out.set(part, i * part.length);
  return out;
}
