/** The two texts of a float: C's `%.20e` (messages.md §2.2) and the shortest that reads back (§9.2). */
import { AoError } from '../base/errors.ts';

const DIGITS = 21;
const view = new DataView(new ArrayBuffer(8));

/**
 * `%.20e`: the exact binary value rounded half to even. JavaScript's `toExponential(20)` rounds ties away from
 * zero, so the digits come from the exact expansion.
 * @throws AoError `bad-float` for infinities and NaN, which AO-Core does not have
 */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) throw new AoError('bad-float', 'Infinities and NaN cannot be encoded.');
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  const sign = high >>> 31 ? '-' : '';
  if (value === 0) return `${sign}0.${'0'.repeat(DIGITS - 1)}e+00`;
  const raised = (high >>> 20) & 0x7ff;
  const fraction = view.getBigUint64(0) & 0xfffffffffffffn;
  const mantissa = raised ? fraction | 0x10000000000000n : fraction;
  const power = (raised || 1) - 1075;
  // value = number / 10^scale, exactly
  const scale = power < 0 ? -power : 0;
  const number = power < 0 ? mantissa * 5n ** BigInt(scale) : mantissa << BigInt(power);
  let digits = number.toString();
  let exponent = digits.length - 1 - scale;
  if (digits.length > DIGITS) {
    const rounded = roundHalfEven(digits);
    if (rounded.length > DIGITS) exponent++;
    digits = rounded.slice(0, DIGITS);
  }
  digits = digits.padEnd(DIGITS, '0');
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${digits[0]}.${digits.slice(1)}e${exponent < 0 ? '-' : '+'}${size}`;
}

function roundHalfEven(digits: string): string {
  const kept = BigInt(digits.slice(0, DIGITS));
  const rest = digits.slice(DIGITS);
  const half = '5'.padEnd(rest.length, '0');
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return (up ? kept + 1n : kept).toString();
}

/**
 * Erlang's shortest text of a float: always with a point, with an exponent where that is shorter or the
 * value is beyond 2^53 (`100.0`, `1.0e22`, `0.1`).
 * @throws AoError `bad-float`
 */
export function shortFloatText(value: number): string {
  if (!Number.isFinite(value)) throw new AoError('bad-float', 'Infinities and NaN cannot be encoded.');
  if (Object.is(value, -0)) return '-0.0';
  if (value === 0) return '0.0';
  const sign = value < 0 ? '-' : '';
  const [mantissa, power] = Math.abs(value).toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  const scientific = `${digits[0]}.${digits.slice(1) || '0'}e${exponent}`;
  let decimal: string;
  if (exponent < 0) decimal = `0.${'0'.repeat(-exponent - 1)}${digits}`;
  else if (digits.length <= exponent + 1) decimal = `${digits.padEnd(exponent + 1, '0')}.0`;
  else decimal = `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
  const large = Math.abs(value) >= 2 ** 53;
  return sign + (large || scientific.length < decimal.length ? scientific : decimal);
}

const FLOAT = /^[+-]?\d+\.\d+(?:[eE][+-]?\d+)?$/;

/** Reads Erlang's float syntax, which needs a point with digits on both sides. @throws AoError `bad-float` */
export function parseFloatText(text: string): number {
  const value = FLOAT.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value))
    throw new AoError('bad-float', `${JSON.stringify(text.slice(0, 60))} is no float.`);
  return value;
}
