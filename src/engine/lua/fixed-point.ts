/**
 * Real functions in fixed point with as many bits as it takes: integers that stand for value × 2^bits.
 * Slow (tens of microseconds), exact enough to be rounded correctly.
 */
export interface Fixed {
  readonly value: bigint;
  readonly bits: number;
}

const view = new DataView(new ArrayBuffer(8));

/** Exponent e of a finite double x ≠ 0 with 2^e ≤ |x| < 2^(e+1), and its value as integer × 2^power. */
export function decompose(x: number): { mantissa: bigint; power: number; exponent: number } {
  view.setFloat64(0, x);
  const raw = view.getBigUint64(0);
  const field = Number((raw >> 52n) & 0x7ffn);
  const fraction = raw & 0xfffffffffffffn;
  const mantissa = field ? fraction | (1n << 52n) : fraction;
  const power = (field || 1) - 1075;
  const signed = raw >> 63n ? -mantissa : mantissa;
  return { mantissa: signed, power, exponent: power + mantissa.toString(2).length - 1 };
}

/** x × 2^bits, cut. */
export function fixed(x: number, bits: number): bigint {
  if (x === 0) return 0n;
  const { mantissa, power } = decompose(x);
  return shift(mantissa, power + bits);
}

export function shift(value: bigint, by: number): bigint {
  return by >= 0 ? value << BigInt(by) : value >> BigInt(-by);
}

/** The double nearest to value × 2^-bits. */
export function nearest(value: bigint, bits: number): number {
  if (value < 0n) return -nearest(-value, bits);
  if (value === 0n) return 0;
  const exponent = value.toString(2).length - 1 - bits;
  if (exponent > 1100) return Infinity;
  // Below the normal range the last place is 2^-1074; above, the conversion of an integer rounds by itself.
  const places = exponent < -1022 ? 1074 : 62 - exponent;
  const scaled = shift(value, places - bits);
  const lost = bits > places && shift(scaled, bits - places) !== value;
  if (exponent < -1022) {
    const half = lost ? (value >> BigInt(bits - places - 1)) & 1n : 0n;
    const beyond = lost && value !== (scaled * 2n + 1n) << BigInt(bits - places - 1);
    const up = half === 1n && (beyond || scaled % 2n === 1n);
    return Number(scaled + (up ? 1n : 0n)) * 2 ** -1074;
  }
  // 62 bits and a sticky one: as good as all of them.
  const sticky = (scaled << 1n) | (lost ? 1n : 0n);
  const half = Math.trunc(-(places + 1) / 2);
  return Number(sticky) * 2 ** half * 2 ** (-(places + 1) - half);
}

const constants = new Map<string, Fixed>();

/** A constant with at least so many bits, computed when first needed. */
function constant(name: string, bits: number, compute: (bits: number) => bigint): bigint {
  let known = constants.get(name);
  if (!known || known.bits < bits) {
    known = { value: compute(bits + 64), bits: bits + 64 };
    constants.set(name, known);
  }
  return known.value >> BigInt(known.bits - bits);
}

/** atan(1/n) for a whole n. */
function arctanInverse(n: bigint, bits: number): bigint {
  const work = bits + 32;
  let power = (1n << BigInt(work)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = -power / (n * n);
    sum += power / k;
  }
  return sum >> 32n;
}

/** atanh(1/n) for a whole n. */
function artanhInverse(n: bigint, bits: number): bigint {
  const work = bits + 32;
  let power = (1n << BigInt(work)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= n * n;
    sum += power / k;
  }
  return sum >> 32n;
}

export function pi(bits: number): bigint {
  return constant('pi', bits, (b) => 4n * (4n * arctanInverse(5n, b) - arctanInverse(239n, b)));
}

export function ln2(bits: number): bigint {
  return constant('ln2', bits, (b) => 2n * artanhInverse(3n, b));
}

/** e^x: value × 2^scale, the value in [0.7, 1.5). */
export function expFixed(x: bigint, bits: number): { value: bigint; scale: number } {
  const unit = ln2(bits);
  const scale = Number((2n * x + unit) / (2n * unit)) - (2n * x + unit < 0n ? 1 : 0);
  const rest = x - BigInt(scale) * unit;
  let term = 1n << BigInt(bits);
  let sum = term;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = ((term * rest) >> BigInt(bits)) / k;
    sum += term;
  }
  return { value: sum, scale };
}

/** ln of a positive double. */
export function lnFixed(x: number, bits: number): bigint {
  const { mantissa, power, exponent } = decompose(x);
  let scale = exponent;
  // The mantissa in [0.75, 1.5), so that near 1 nothing cancels.
  let m = shift(mantissa, power + bits - scale);
  if (m >= 3n << BigInt(bits - 1)) {
    scale++;
    m = shift(mantissa, power + bits - scale);
  }
  const one = 1n << BigInt(bits);
  const t = ((m - one) << BigInt(bits)) / (m + one);
  const square = (t * t) >> BigInt(bits);
  let term = t;
  let sum = t;
  for (let k = 3n; term !== 0n && term !== -1n; k += 2n) {
    term = (term * square) >> BigInt(bits);
    sum += term / k;
  }
  return 2n * sum + BigInt(scale) * ln2(bits);
}

/** Sine and cosine of any angle. */
export function sinCosFixed(x: bigint, bits: number): { sin: bigint; cos: bigint } {
  const quarter = pi(bits) >> 1n;
  let turns = x / quarter;
  if (x < 0n) turns--;
  const rest = x - turns * quarter;
  const [s, c] = [taylor(rest, bits, rest, 1n), taylor(rest, bits, 1n << BigInt(bits), 0n)];
  switch (Number(BigInt.asUintN(2, turns))) {
    case 0:
      return { sin: s, cos: c };
    case 1:
      return { sin: c, cos: -s };
    case 2:
      return { sin: -s, cos: -c };
    default:
      return { sin: -c, cos: s };
  }
}

function taylor(x: bigint, bits: number, first: bigint, start: bigint): bigint {
  const square = (x * x) >> BigInt(bits);
  let term = first;
  let sum = first;
  for (let k = start; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * square) >> BigInt(bits)) / ((k + 1n) * (k + 2n));
    sum += term;
  }
  return sum;
}

export function sqrtFixed(x: bigint, bits: number): bigint {
  return integerSqrt(x << BigInt(bits));
}

function integerSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  let guess = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (guess + n / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** atan of a non-negative value. */
export function atanFixed(x: bigint, bits: number): bigint {
  const one = 1n << BigInt(bits);
  if (x > one) return (pi(bits) >> 1n) - atanFixed((one * one) / x, bits);
  // Halving the angle twice makes the series short.
  let t = x;
  for (let i = 0; i < 2; i++)
    t = (t << BigInt(bits)) / (one + sqrtFixed(one + ((t * t) >> BigInt(bits)), bits));
  const square = (t * t) >> BigInt(bits);
  let term = t;
  let sum = t;
  for (let k = 3n; term !== 0n && term !== -1n; k += 2n) {
    term = -((term * square) >> BigInt(bits));
    sum += term / k;
  }
  return 4n * sum;
}
