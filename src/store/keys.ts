/** The order of keys, as IndexedDB has it: numbers, then strings (by UTF-16 units), then arrays element by element. */
import { AoError } from '../base/errors.ts';
import type { Key, Write } from './store.ts';

type Part = string | number;

function rank(key: Key): number {
  if (typeof key === 'number') return 0;
  return typeof key === 'string' ? 1 : 2;
}

function compareParts(a: Part, b: Part): number {
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === 'number' ? -1 : 1;
}

/** Negative, zero or positive as `a` stands before, at or after `b`. */
export function compareKeys(a: Key, b: Key): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a !== 'object') return compareParts(a, b as Part);
  const other = b as readonly Part[];
  const length = Math.min(a.length, other.length);
  for (let i = 0; i < length; i++) {
    const order = compareParts(a[i]!, other[i]!);
    if (order !== 0) return order;
  }
  return a.length - other.length;
}

/** Text that is equal exactly when two keys are. */
export function keyText(key: Key): string {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'number') return `n${key}`;
  let text = 'a';
  for (const part of key) text += typeof part === 'string' ? `s${part.length}:${part}` : `n${part}:`;
  return text;
}

/** @throws AoError `bad-key` for what no store can hold as a key (`NaN`, other types). */
export function checkKey(key: Key): void {
  const good = (part: unknown) =>
    typeof part === 'string' || (typeof part === 'number' && !Number.isNaN(part));
  if (Array.isArray(key) ? key.every(good) : good(key)) return;
  throw new AoError('bad-key', 'A store key is text, a number, or a list of those.', { status: 500 });
}

/** @throws AoError `bad-key` for a key that no store can hold, `bad-write` for a value that is put at a range */
export function checkWrite({ key, value, to }: Write): void {
  checkKey(key);
  if (to === undefined) return;
  checkKey(to);
  if (value !== undefined)
    throw new AoError('bad-write', 'A range of keys can only be deleted.', { status: 500 });
}
