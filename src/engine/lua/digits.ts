/**
 * Fixed and scientific digits of a double as the reference prints them (lua.md §10.3): the exact decimal expansion
 * to 21 significant digits (half to even), that digit string rounded half up to the place that is wanted, zeros after.
 */
const PRECISION = 21;

interface Decimal {
  /** 21 digits, the first not 0; all 0 for zero. */
  readonly digits: string;
  /** Value = 0.digits × 10^exponent. */
  readonly exponent: number;
}

const view = new DataView(new ArrayBuffer(8));

/** `magnitude` ≥ 0 as 21 digits, correctly rounded. */
function expand(magnitude: number): Decimal {
  if (magnitude === 0) return { digits: '0'.repeat(PRECISION), exponent: 1 };
  view.setFloat64(0, magnitude);
  const bits = view.getBigUint64(0);
  const raw = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (raw ? 1n << 52n : 0n);
  const power = (raw || 1) - 1075;
  const numerator = power >= 0 ? mantissa << BigInt(power) : mantissa;
  const denominator = power >= 0 ? 1n : 1n << BigInt(-power);
  // Where the point goes: from the value's decimal exponent.
  let exponent = Number(magnitude.toExponential().split('e')[1]) + 1;
  let digits = scaled(numerator, denominator, PRECISION - exponent);
  if (digits >= 10n ** BigInt(PRECISION)) {
    exponent++;
    digits = scaled(numerator, denominator, PRECISION - exponent);
  }
  return { digits: digits.toString().padStart(PRECISION, '0'), exponent };
}

/** numerator/denominator × 10^places, half to even. */
function scaled(numerator: bigint, denominator: bigint, places: number): bigint {
  const n = places >= 0 ? numerator * 10n ** BigInt(places) : numerator;
  const d = places >= 0 ? denominator : denominator * 10n ** BigInt(-places);
  const quotient = n / d;
  const twice = (n % d) * 2n;
  return twice > d || (twice === d && quotient & 1n) ? quotient + 1n : quotient;
}

/** The first `count` digits (count ≥ 0, may be more than there are), rounded half up; one digit more on carry. */
function cut(digits: string, count: number): string {
  if (count >= digits.length) return digits + '0'.repeat(count - digits.length);
  const kept = BigInt(`0${digits.slice(0, count)}`) + (digits.charCodeAt(count) >= 53 ? 1n : 0n);
  return kept.toString().padStart(count, '0');
}

/** `%f` of a magnitude, with `places` ≥ 1 decimals. */
export function fixed(magnitude: number, places: number): string {
  const { digits, exponent } = expand(magnitude);
  const count = exponent + places;
  const whole = count < 0 ? '0' : cut(digits, count);
  const text = whole.padStart(places + 1, '0');
  return `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** `%e` of a magnitude with `count` ≥ 2 significant digits: exponent always with its sign, not padded. */
export function scientific(magnitude: number, count: number): string {
  const { digits, exponent } = expand(magnitude);
  let power = magnitude === 0 ? 0 : exponent - 1;
  let text = cut(digits, count);
  if (text.length > count) {
    text = text.slice(0, count);
    power++;
  }
  return `${text[0]}.${text.slice(1)}e${power < 0 ? '-' : '+'}${Math.abs(power)}`;
}

/** `%g` of a magnitude: always `count` significant digits, zeros kept; undefined if the reference refuses. */
export function general(magnitude: number, count: number): string {
  const scale =
    magnitude < 0.1 ? undefined : [1, 10, 100, 1000, 10000].findIndex((limit) => magnitude < limit) - 1;
  if (scale !== undefined && scale >= -1 && magnitude < 10000) {
    if (count <= 1 && scale === -1) return fixed(magnitude, 1);
    if (count - 1 > scale) return fixed(magnitude, count - 1 - scale);
  }
  return scientific(magnitude, Math.max(count, 2));
}
