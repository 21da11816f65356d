/** Rules of keys (messages.md §0, §1.2, §1.3, §1.6): private ones, ID-shaped ones, links, normal form. */
import { fromBase64, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Atom, binaryBytes, type Binary, isBinary, type Value } from './value.ts';

const LINK_SUFFIX = '+link';
const ASCII = /^[\0-\x7f]*$/;

/** Number of octets that a key or text stands for. */
export function byteLength(text: string): number {
  return ASCII.test(text) ? text.length : toBytes(text).length;
}

/** True for keys that never travel: everything that begins with `priv`. */
export function isPrivateKey(key: string): boolean {
  return key.startsWith('priv');
}

/** A key of exactly 32, 42 or 43 octets; only the length is looked at. */
export function isIdShaped(key: string): boolean {
  if (key.length < 8 || key.length > 43) return false;
  const length = byteLength(key);
  return length === 43 || length === 42 || length === 32;
}

/** 43 characters of base64url: what an ID, an address or a process looks like in text. */
export function isId(text: string): boolean {
  return text.length === 43 && /^[A-Za-z0-9_-]{43}$/.test(text);
}

/**
 * `human` of messages.md §0: 32 octets as 43 characters; 42 or 43 octets unchanged.
 * @throws AoError `bad-id`
 */
export function humanId(id: Binary): string {
  const bytes = binaryBytes(id);
  if (bytes.length === 32) return toBase64Url(bytes);
  if (bytes.length === 42 || bytes.length === 43) return fromBytes(bytes);
  throw new AoError('bad-id', `An ID has 32, 42 or 43 octets, not ${bytes.length}.`);
}

/**
 * `native` of messages.md §0: 43 characters as 32 octets; 32 or 42 octets unchanged.
 * @throws AoError `bad-id`
 */
export function nativeId(id: Binary): Uint8Array {
  const bytes = binaryBytes(id);
  if (bytes.length === 43) return fromBase64(fromBytes(bytes));
  if (bytes.length === 32 || bytes.length === 42) return bytes;
  throw new AoError('bad-id', `An ID has 32, 42 or 43 octets, not ${bytes.length}.`);
}

/** True for `K+link`, the key under which a link travels. */
export function isLinkKey(key: string): boolean {
  return key.endsWith(LINK_SUFFIX);
}

/** `K` of `K+link`; any other key is itself. */
export function withoutLinkSuffix(key: string): string {
  return isLinkKey(key) ? key.slice(0, -LINK_SUFFIX.length) : key;
}

export function linkKey(key: string): string {
  return key + LINK_SUFFIX;
}

/**
 * The key that a value names (messages.md §1.2): text as it is, with its case; atoms and integers by their
 * text; a list's parts joined by `/`.
 * @throws AoError `bad-key` for anything else
 */
export function normalizeKey(value: Value): string {
  if (typeof value === 'string') return value;
  if (isBinary(value)) return fromBytes(value);
  if (value instanceof Atom) return value.name;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(normalizeKey).join('/');
  throw new AoError('bad-key', 'Only text, atoms, integers and lists of them can be keys.');
}
