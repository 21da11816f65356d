/**
 * A strict DER reader, just enough for AMD's certificates (attestation.md §1.7, appendix A).
 *
 * Not a general X.509 package on purpose: serial number 0 and explicit PSS parameters break several, and what is
 * not needed is refused. Definite lengths in their shortest form, no trailing bytes. Refusals are `SNP_DER`.
 */
import { refuse } from './error.ts';

export interface Der {
  /** Identifier octet. */
  readonly tag: number;
  /** The content octets. */
  readonly content: Uint8Array;
  /** The whole element with its identifier and length. */
  readonly raw: Uint8Array;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8: 0x0c,
  printable: 0x13,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The element at `offset`, which must lie within `bytes`. */
function readAt(bytes: Uint8Array, offset: number): Der {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) return refuse('SNP_DER', 'A DER element is cut off.');
  if ((tag & 0x1f) === 0x1f) refuse('SNP_DER', 'A DER element has a long tag, which AMD does not use.');
  let length = first;
  let start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) refuse('SNP_DER', 'A DER length is indefinite or longer than four octets.');
    length = 0;
    for (let i = 0; i < count; i++)
      length = length * 256 + (bytes[start + i] ?? refuse('SNP_DER', 'A DER length is cut off.'));
    start += count;
    if (length < 0x80 || length < 256 ** (count - 1))
      refuse('SNP_DER', 'A DER length is not in its shortest form.');
  }
  if (start + length > bytes.length) refuse('SNP_DER', 'A DER element is longer than what holds it.');
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(offset, start + length) };
}

/** The one element that `bytes` are; `tag` is required where given. */
export function readDer(bytes: Uint8Array, tag?: number): Der {
  const element = readAt(bytes, 0);
  if (element.raw.length !== bytes.length)
    refuse('SNP_DER', 'Octets follow a DER element that should be the last.');
  if (tag !== undefined) expectTag(element, tag);
  return element;
}

/** The elements inside a constructed one. */
export function children(parent: Der): Der[] {
  const out: Der[] = [];
  for (let at = 0; at < parent.content.length;) {
    const child = readAt(parent.content, at);
    out.push(child);
    at += child.raw.length;
  }
  return out;
}

export function expectTag(element: Der | undefined, tag: number): Der {
  if (element?.tag !== tag) return refuse('SNP_DER', `A DER element has tag ${element?.tag}, not ${tag}.`);
  return element;
}

/** A non-negative INTEGER in its shortest form. */
export function readUnsigned(element: Der): bigint {
  const { content } = expectTag(element, TAG.integer);
  if (content.length === 0) refuse('SNP_DER', 'A DER integer is empty.');
  if (content[0]! & 0x80) refuse('SNP_DER', 'A DER integer reads as negative.');
  if (content.length > 1 && content[0] === 0 && !(content[1]! & 0x80))
    refuse('SNP_DER', 'A DER integer has a needless zero.');
  let value = 0n;
  for (const octet of content) value = (value << 8n) | BigInt(octet);
  return value;
}

/** Dotted text of an OBJECT IDENTIFIER. */
export function readObjectId(element: Der): string {
  const { content } = expectTag(element, TAG.objectId);
  const arcs: number[] = [];
  let value = 0;
  content.forEach((octet, index) => {
    if (value === 0 && octet === 0x80) refuse('SNP_DER', 'An object identifier has a needless zero.');
    value = value * 128 + (octet & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) refuse('SNP_DER', 'An object identifier is too large.');
    if (octet & 0x80) {
      if (index === content.length - 1) refuse('SNP_DER', 'An object identifier is cut off.');
      return;
    }
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(value / 40)), value - 40 * Math.min(2, Math.floor(value / 40)));
    else arcs.push(value);
    value = 0;
  });
  if (arcs.length === 0) refuse('SNP_DER', 'An object identifier is empty.');
  return arcs.join('.');
}

/** The octets of a BIT STRING that fills whole octets. */
export function readBits(element: Der): Uint8Array {
  const { content } = expectTag(element, TAG.bitString);
  if (content[0] !== 0) refuse('SNP_DER', 'A bit string does not fill whole octets.');
  return content.subarray(1);
}

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime. */
export function readTime(element: Der): number {
  const text = String.fromCharCode(...element.content);
  const short = element.tag === TAG.utcTime;
  if (!short && element.tag !== TAG.generalizedTime)
    return refuse('SNP_DER', 'A time is neither UTCTime nor GeneralizedTime.');
  const match = (
    short ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
  ).exec(text);
  if (!match) return refuse('SNP_DER', 'A time is not in the form that DER asks for.');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const full = short ? (year < 50 ? 2000 + year : 1900 + year) : year;
  const time = Date.UTC(full, month - 1, day, hour, minute, second);
  if (
    new Date(time).getUTCDate() !== day ||
    month < 1 ||
    month > 12 ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    refuse('SNP_DER', 'A time names a day or hour that does not exist.');
  return time;
}
