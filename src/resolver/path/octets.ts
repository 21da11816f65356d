/**
 * Paths are octets (resolver.md §4). Inside the parser one character stands for one byte (Latin-1), so that
 * lengths and separators are those of the bytes; what leaves the parser is text in the form of `base/bytes.ts`.
 */
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes } from '../../base/bytes.ts';
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

/** Percent-decodes once; `+` stays. @throws AoError `bad-escape` */
export function percentDecode(octets: string): string {
  if (!octets.includes('%')) return octets;
  return octets.replace(/%([0-9a-fA-F]{2})?/g, (escape, hex: string | undefined) => {
    if (!hex)
      throw new AoError('bad-escape', `A path holds ${JSON.stringify(escape)}, which escapes nothing.`);
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
}

/** Decodes one name or value of a query: `+` is a space. */
export function formDecode(octets: string): string {
  return percentDecode(octets.replaceAll('+', ' '));
}
