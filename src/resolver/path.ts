/** Paths: the URL grammar (`parseSingleton`) and the plain splitting that resolution itself uses (resolver.md §5.3). */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { As, Atom, binaryBytes, isBinary, Link, Subpath, type Value } from '../message/value.ts';
import { fromBytes, toBytes } from '../base/bytes.ts';
import { isIdLength } from './path/segment.ts';

export { parseSingleton, splitQuery, type Query } from './path/parse.ts';
export { PATH_LIMITS } from './path/limits.ts';

/** The ID test (resolver.md §1): a binary of 43, 42 or 32 bytes, whatever they are. */
export function isId(value: unknown): boolean {
  if (typeof value === 'string') return isIdLength(value.length <= 43 ? toBytes(value).length : 0);
  return value instanceof Uint8Array && isIdLength(value.length);
}

/** Parts of a path by plain splitting: `undefined` for a missing or empty path, `[]` for `/`. */
export function pathParts(path: Value | undefined): Value[] | undefined {
  if (path === undefined) return undefined;
  if (isBinary(path)) {
    const text = typeof path === 'string' ? path : fromBytes(binaryBytes(path));
    if (text === '') return undefined;
    return text.split('/').filter((part) => part !== '');
  }
  if (Array.isArray(path)) {
    if (path.length === 0) return undefined;
    return (path as readonly Value[]).flatMap((part) => pathParts(part) ?? []);
  }
  return [path];
}

/** A path as text without a leading slash. @throws AoError `bad-path` */
export function pathText(path: Value | undefined): string {
  return (pathParts(path) ?? []).map(partText).join('/');
}

/** The text of one part of a path. @throws AoError `bad-path` */
export function partText(part: Value): string {
  if (isBinary(part)) return typeof part === 'string' ? part : fromBytes(part);
  if (part instanceof Atom) return part.name;
  if (typeof part === 'bigint') return part.toString();
  if (part instanceof As || part instanceof Subpath || part instanceof Link || part instanceof Message)
    throw new AoError('bad-path', 'A path part is no text.');
  throw new AoError('bad-path', 'A path part must be text, a number or an atom.');
}
