/** Numbers as text and text as numbers (lua.md §3). */
import { LuaCrash } from './errors.ts';
import { scanNumeral } from './numeral.ts';
import { LuaFloat, type Value } from './value.ts';

const TWO53 = 9007199254740992;

/** The shortest digits that read back, as `digits × 10^exponent` with `0.digits`. `n` is positive. */
function shortest(n: number): { digits: string; exponent: number } {
  const [mantissa, exponent] = n.toExponential().split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  return { digits, exponent: Number(exponent) + 1 };
}

/** A float in the reference's short form: `1.0e3`, `100.0`, `0.001`. */
export function floatText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const sign = value < 0 ? '-' : '';
  const magnitude = Math.abs(value);
  const { digits, exponent } = shortest(magnitude);
  const n = digits.length;
  const positional = exponent <= 0 ? n + 2 - exponent : exponent < n ? n + 1 : exponent + 2;
  const power = String(exponent - 1);
  const scientific = Math.max(n, 2) + 2 + power.length;
  if (scientific < positional || magnitude >= TWO53)
    return `${sign}${digits[0]}.${n > 1 ? digits.slice(1) : '0'}e${power}`;
  if (exponent <= 0) return `${sign}0.${'0'.repeat(-exponent)}${digits}`;
  if (exponent < n) return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
  return `${sign}${digits}${'0'.repeat(exponent - n)}.0`;
}

export function numberText(value: number | bigint | LuaFloat): string {
  return value instanceof LuaFloat ? floatText(value.n) : value.toString();
}

export function isNumber(value: Value): value is number | bigint | LuaFloat {
  return typeof value === 'number' || value instanceof LuaFloat || typeof value === 'bigint';
}

/** A string argument (lua.md §3.5): string, or number as text; undefined if it is neither. */
export function toText(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  return isNumber(value) ? numberText(value) : undefined;
}

const BLANK = /[\t-\r \xa0]/;

/** Skips what the scanner skips between tokens. */
function skipBlanks(text: string, at: number): number {
  for (;;) {
    while (at < text.length && BLANK.test(text[at]!)) at++;
    const after = skipComment(text, at);
    if (after === at) return at;
    at = after;
  }
}

/** The place after a comment that begins at `at`, or `at`. */
export function skipComment(text: string, at: number): number {
  if (text[at] !== '-' || text[at + 1] !== '-') return at;
  if (text.startsWith('[[', at + 2)) {
    const end = text.indexOf(']]', at + 4);
    return end < 0 ? at : end + 2;
  }
  // `--` and `--[` are comments only if something follows.
  if (at + 2 >= text.length || (text[at + 2] === '[' && at + 3 >= text.length)) return at;
  const end = text.indexOf('\n', at);
  if (end < 0) return text.length;
  return end === at + 2 || (end === at + 3 && text[at + 2] === '[') ? end + 1 : end;
}

/**
 * The number a text stands for as an operand or argument: exactly one numeral, a sign and blanks around it.
 * Always a float. @throws LuaCrash for an integer too large for a double
 */
export function textToFloat(text: string): LuaFloat | undefined {
  const code = text.charCodeAt(0);
  // Nearly all that come here are plain: digits only.
  if (text.length < 16 && code >= 48 && code <= 57 && /^[0-9]+$/.test(text))
    return new LuaFloat(Number(text));
  let at = skipBlanks(text, 0);
  let negative = false;
  if (text[at] === '+' || text[at] === '-') {
    negative = text[at] === '-';
    at = skipBlanks(text, at + 1);
  }
  const numeral = scanNumeral(text, at);
  if (!numeral || numeral.value === undefined) return undefined;
  if (skipBlanks(text, numeral.end) !== text.length) return undefined;
  const value = numeral.value;
  const n = value instanceof LuaFloat ? value.n : Number(value);
  if (!Number.isFinite(n)) throw new LuaCrash('badarg: a text that is too large for a float');
  return new LuaFloat(negative ? (value instanceof LuaFloat || n !== 0 ? -n : 0) : n);
}

/** A number operand: numbers as they are, texts as floats, undefined for all else. */
export function toNumber(value: Value): number | bigint | LuaFloat | undefined {
  if (typeof value === 'number' || value instanceof LuaFloat || typeof value === 'bigint') return value;
  return typeof value === 'string' ? textToFloat(value) : undefined;
}

/** A double as an integer of either size. */
export function wholeToInteger(n: number): number | bigint {
  return Number.isSafeInteger(n) ? n + 0 : BigInt(n);
}

/** An integer argument (lua.md §3.4), undefined if the value is not whole. */
export function toInteger(value: Value): number | bigint | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  const number = toNumber(value);
  if (!(number instanceof LuaFloat)) return number;
  return Number.isInteger(number.n) ? wholeToInteger(number.n) : undefined;
}
