/** Numerals of the language (lua.md §1.7), for source and for texts that are used as numbers. */
import { LuaCrash } from './errors.ts';
import { LuaFloat } from './value.ts';

export interface Numeral {
  /** undefined: `error` says what is wrong with it. */
  readonly value: number | bigint | LuaFloat | undefined;
  readonly error?: string;
  readonly end: number;
}

const HEX = /0[xX](?:[0-9A-Fa-f]*\.?[0-9A-Fa-f]*)(?:[pP][+-]?[0-9]+)?/y;
const FLOAT =
  /(?:[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|[0-9]+\.(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?)/y;
const INTEGER = /[0-9]+/y;

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function integer(digits: string, prefix = ''): number | bigint {
  const n = Number(prefix + digits);
  return Number.isSafeInteger(n) ? n : BigInt(prefix + digits);
}

/** The longest numeral at `at`, or undefined if none begins there. */
export function scanNumeral(text: string, at: number): Numeral | undefined {
  const hex = match(HEX, text, at);
  if (hex !== undefined) return hexadecimal(hex, at + hex.length);
  const float = match(FLOAT, text, at);
  const digits = match(INTEGER, text, at);
  if (float !== undefined) {
    const n = Number(float);
    const end = at + float.length;
    return Number.isFinite(n)
      ? { value: new LuaFloat(n), end }
      : { value: undefined, error: 'illegal number', end };
  }
  if (digits === undefined) return undefined;
  return { value: integer(digits), end: at + digits.length };
}

function hexadecimal(token: string, end: number): Numeral {
  const body = token.slice(2);
  if (/^[0-9A-Fa-f]+$/.test(body)) return { value: integer(body, '0x'), end };
  const [mantissa, exponent] = body.split(/[pP]/) as [string, string | undefined];
  const [whole, fraction] = mantissa.split('.') as [string, string | undefined];
  if (whole === '' && !fraction) {
    // `0x.` and `0x`, but the fraction of `0x.p1` is merely empty.
    if (fraction === undefined || mantissa === '.')
      return { value: undefined, error: 'malformed number', end };
  }
  let n = whole === '' ? 0 : Number(integer(whole, '0x'));
  let power = 16;
  for (const digit of fraction ?? '') {
    n += Number.parseInt(digit, 16) / power;
    power *= 16;
  }
  if (exponent !== undefined) n *= 2 ** Number(exponent);
  if (!Number.isFinite(n)) throw new LuaCrash('badarith: a hexadecimal numeral out of range');
  return { value: new LuaFloat(n), end };
}
