/**
 * Paths are octets (resolver.md §4). Inside the parser one character stands for one byte (Latin-1), so that
 * lengths and separators are those of the bytes; what leaves the parser is text in the form of `base/bytes.ts`.
 */
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes, utf8 } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';

const ASCII = /^[\0-\x7f]*$/;

/** Any text as one character per byte. */
export function toOctets(text: string): string {
  return ASCII.test(text) ? text : bytesToLatin1(toBytes(text));
}

/** The text that octets are the bytes of. */
export function fromOctets(octets: string): string {
  return ASCII.test(octets) ? octets : fromBytes(latin1ToBytes(octets));
}

/** Unescapes; what is no escape is handed to `other`, which says what it stands for. */
function unescape(octets: string, other: (rest: string) => string): string {
  if (!octets.includes('%')) return octets;
  return octets.replace(/%([0-9a-fA-F]{2})?/g, (_escape, hex: string | undefined, at: number) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : other(octets.slice(at)),
  );
}

function notAnEscape(rest: string): never {
  throw new AoError('bad-escape', `A path holds ${JSON.stringify(rest.slice(0, 3))}, which escapes nothing.`);
}

/**
 * Percent-decodes a whole path once; `+` stays, and so does a `%` with fewer than two characters after it.
 * @throws AoError `bad-escape`, also where the path is no UTF-8
 */
export function percentDecode(octets: string): string {
  const decoded = unescape(octets, (rest) => (rest.length < 3 ? '%' : notAnEscape(rest)));
  if (!ASCII.test(decoded) && utf8(latin1ToBytes(decoded)) === undefined)
    throw new AoError('bad-escape', 'A path is not UTF-8.');
  return decoded;
}

/** Decodes one name or value of a query: `+` is a space. @throws AoError `bad-escape` */
export function formDecode(octets: string): string {
  return unescape(octets.replaceAll('+', ' '), notAnEscape);
}
