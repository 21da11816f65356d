/** Random numbers that a seed repeats (xoshiro128**, seeded by splitmix32), and changes to octets drawn from them. */

export class Random {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let x = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      x = (x + 0x9e3779b9) >>> 0;
      let z = x;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      this.#state[i] = z ^ (z >>> 15);
    }
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    const s = this.#state;
    const [a, b, c, d] = s as unknown as [number, number, number, number];
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    s[2] = c ^ a;
    s[3] = d ^ b;
    s[1] = b ^ s[2]!;
    s[0] = a ^ s[3]!;
    s[2] = s[2]! ^ shifted;
    s[3] = rotate(s[3]!, 11);
    return Math.floor((scrambled / 0x1_0000_0000) * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by));
}

/** Inputs longer than this are cut: size limits have tests of their own. */
export const MAX_INPUT = 1 << 17;

const BYTES = [0, 1, 9, 10, 13, 32, 34, 37, 43, 44, 47, 58, 59, 61, 92, 127, 128, 192, 237, 255];
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
];
const encoder = new TextEncoder();

/** One to six changes to `input`; `others` lend parts. */
export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array {
  let out = Uint8Array.from(input);
  for (let left = 1 + random.below(6); left > 0; left--) out = change(out, others, words, random);
  return out.subarray(0, MAX_INPUT);
}

function change(
  input: Uint8Array,
  others: readonly Uint8Array[],
  words: readonly string[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const at = random.below(input.length + 1);
  const length = Math.min(input.length - at, 1 + random.below(random.below(4) ? 16 : 512));
  const part = input.subarray(at, at + length);
  switch (random.below(11)) {
    case 0: {
      const out = Uint8Array.from(input);
      if (at < out.length) out[at]! ^= 1 << random.below(8);
      return out;
    }
    case 1: {
      const out = Uint8Array.from(input);
      if (at < out.length) out[at] = random.pick(BYTES);
      return out;
    }
    case 2:
      return splice(input, at, length, new Uint8Array(0));
    case 3:
      return splice(input, at, 0, Uint8Array.of(random.pick(BYTES)));
    case 4:
      return splice(input, random.below(input.length + 1), 0, part);
    case 5: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return splice(input, at, length, other.subarray(from, from + 1 + random.below(256)));
    }
    case 6:
      return input.slice(0, at);
    case 7:
      return splice(input, at, 0, repeat(part, 1 + random.below(random.below(8) ? 8 : 4096)));
    case 8:
      return splice(input, at, digits(input, at), encoder.encode(random.pick(NUMBERS)));
    case 9:
      return words.length
        ? splice(input, at, random.below(2) ? 0 : length, encoder.encode(random.pick(words)))
        : splice(input, at, length, part.toReversed());
    default:
      return words.length
        ? splice(
            input,
            at,
            0,
            repeat(encoder.encode(random.pick(words)), 1 + random.below(random.below(8) ? 4 : 4096)),
          )
        : input.slice(0, at);
  }
}

function splice(input: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const tail = input.subarray(at + remove);
  const out = new Uint8Array(at + insert.length + tail.length);
  out.set(input.subarray(0, at));
  out.set(insert, at);
  out.set(tail, at + insert.length);
  return out;
}

function repeat(part: Uint8Array, times: number): Uint8Array {
  const count = Math.min(times, Math.ceil(MAX_INPUT / Math.max(1, part.length)));
  const out = new Uint8Array(part.length * count);
  for (let i = 0; i < count; i++) out.set(part, i * part.length);
  return out;
}

/** How many decimal digits stand from `at` on. */
function digits(input: Uint8Array, at: number): number {
  let end = at;
  while (end < input.length && input[end]! >= 48 && input[end]! <= 57) end++;
  return end - at;
}
