/** `tonumber(text, base)` (lua.md §10.1). */
import { LuaCrash } from './errors.ts';
import { LuaFloat } from './value.ts';

/** A float, or undefined: exactly one word, an optional sign, digits of the base. */
export function parseInBase(text: string, base: number | bigint): LuaFloat | undefined {
  const words = text.split(/[\t-\r \xa0]+/).filter((word) => word !== '');
  const match = words.length === 1 ? /^([+-]?)([0-9A-Za-z]+)$/.exec(words[0]!) : null;
  if (!match || base < 2 || base > 36) return undefined;
  const radix = Number(base);
  let value = 0n;
  for (const digit of match[2]!) {
    const n = Number.parseInt(digit, 36);
    if (n >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(n);
  }
  const n = Number(value);
  if (!Number.isFinite(n)) throw new LuaCrash('badarg: a text that is too large for a float');
  return new LuaFloat(match[1] === '-' && n !== 0 ? -n : n);
}
