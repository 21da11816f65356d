/** How library functions read their arguments. */
import { toInteger, toNumber, toText } from './number-text.ts';
import type { Value } from './value.ts';

/**
 * Converts the arguments that are there, from the left, by one letter each: `s` string, `i` integer, `n` number,
 * `a` anything, `b` truth. undefined if one does not fit; arguments beyond the letters are dropped.
 */
export function convert(args: readonly Value[], kinds: string): Value[] | undefined {
  const out: Value[] = [];
  const count = Math.min(args.length, kinds.length);
  for (let i = 0; i < count; i++) {
    const value = args[i];
    const kind = kinds[i];
    const converted =
      kind === 's'
        ? toText(value)
        : kind === 'i'
          ? toInteger(value)
          : kind === 'n'
            ? toNumber(value)
            : kind === 'b'
              ? value !== undefined && value !== false
              : value;
    if (converted === undefined && kind !== 'a') return undefined;
    out.push(converted);
  }
  return out;
}

/** All arguments as integers, or undefined. */
export function integers(args: readonly Value[]): (number | bigint)[] | undefined {
  const out: (number | bigint)[] = [];
  for (const arg of args) {
    const value = toInteger(arg);
    if (value === undefined) return undefined;
    out.push(value);
  }
  return out;
}

/** An integer as a JavaScript number; far beyond anything that exists it only keeps its sign. */
export function clamp(value: number | bigint): number {
  if (typeof value === 'number') return value;
  return value > 0n ? Number.MAX_SAFE_INTEGER : -Number.MAX_SAFE_INTEGER;
}
