/** The generator behind `math.random`: Erlang's `exs1024` (lua.md §10.7). */
const MASK = (1n << 64n) - 1n;
const MASK21 = (1n << 21n) - 1n;

export interface Random {
  readonly ahead: readonly bigint[];
  readonly behind: readonly bigint[];
}

/** Seeds from three integers. */
export function seedRandom(a: number, b: number, c: number): Random {
  const mix = (n: number, prime: bigint): bigint => (((BigInt(n) & MASK21) + 1n) * prime) & MASK21;
  let r = (mix(a, 2097131n) << 43n) | (mix(b, 2097133n) << 22n) | (mix(c, 2097143n) << 1n) | 1n;
  const ahead: bigint[] = [];
  for (let i = 0; i < 16; i++) {
    r ^= r >> 12n;
    r ^= (r << 25n) & MASK;
    r ^= r >> 27n;
    ahead.unshift((r * 2685821657736338717n) & MASK);
  }
  return { ahead, behind: [] };
}

/** The next 64 bits and the generator after them. */
export function nextRandom({ ahead, behind }: Random): { bits: bigint; next: Random } {
  if (ahead.length < 2) return nextRandom({ ahead: [...ahead, ...[...behind].reverse()], behind: [] });
  const [s0, s1, ...rest] = ahead as [bigint, bigint, ...bigint[]];
  let x = s1 ^ ((s1 << 31n) & MASK);
  x ^= x >> 11n;
  x ^= s0 ^ (s0 >> 30n);
  return {
    bits: (x * 1181783497276652981n) & MASK,
    next: { ahead: [x, ...rest], behind: [s0, ...behind] },
  };
}

/** Seeds as `math.randomseed` does: from the 64 bits of a double, cut into 24, 24 and 16. */
export function seedFromDouble(value: number): Random {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  return seedRandom(Number(bits >> 40n), Number((bits >> 16n) & 0xffffffn), Number(bits & 0xffffn));
}
