/**
 * The body of `httpsig@1.0` where it holds more than one thing (messages.md §4.5, §5.3): an unescaped multipart
 * form whose boundary is the hash of its parts.
 *
 * Lost on the way: what follows a CR LF in a part's header, header names that hold `: `, a nested `content-type`.
 */
import { concatBytes, fromBytes, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { createHasher, sha256 } from '../crypto/hash.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { byteOrder, keysOrder } from '../message/order.ts';
import { type Tabm, textOf, toBinary } from '../message/tabm.ts';
import { type Binary, binaryBytes, isBinary, type Value } from '../message/value.ts';
import { KeyCount, MAX_PARTS } from './limits.ts';
import { isInnerList, parseItem } from './structured-fields.ts';

const CRLF = Uint8Array.of(13, 10);
const BLANK_LINE = Uint8Array.of(13, 10, 13, 10);

/** One entry of the body: a binary, or the scalars of one nested message. */
export type BodyEntry = Binary | Tabm;

export interface Multipart {
  readonly boundary: string;
  /** The body in pieces, so that large parts are not held twice where only its hash is wanted. */
  readonly chunks: readonly Uint8Array[];
}

/** Told the path of a value that will not be read as it was written, or not under its key. */
export type OnLoss = (path: string) => void;

/** Writes entries as parts, in byte order of their names. `onLoss`: see messages.md §13, row 21. */
export function writeMultipart(
  entries: ReadonlyMap<string, BodyEntry>,
  inlineKey: string,
  onLoss?: OnLoss,
): Multipart {
  const names = byteOrder(entries.keys());
  if (onLoss) for (const name of names) findLosses(name, entries.get(name)!, onLoss);
  const parts = names.map((name) => writePart(name, entries.get(name)!, inlineKey));
  const boundary = toBase64Url(hashParts(parts));
  const opening = toBytes(`--${boundary}\r\n`);
  const chunks: Uint8Array[] = [];
  for (const part of parts) chunks.push(opening, ...part, CRLF);
  chunks.push(toBytes(`--${boundary}--`));
  return { boundary, chunks };
}

/** Headers of parts are not escaped: a CR LF ends them, and the first `: ` ends their names. */
function findLosses(name: string, entry: BodyEntry, onLoss: OnLoss): void {
  if (isBinary(entry)) return;
  for (const [key, value] of entry) {
    if (key === 'body' || isPrivateKey(key)) continue;
    const taken = key === 'content-type' || key === 'content-digest';
    if (taken || /\r\n|: |\//.test(key) || textOf(value)!.includes('\r\n')) onLoss(`${name}/${key}`);
  }
}

const SMALL = 0x40000;

/** SHA-256 of the parts joined by CR LF. */
function hashParts(parts: readonly (readonly Uint8Array[])[]): Uint8Array {
  return hashChunks(parts.flatMap((part, index) => (index ? [CRLF, ...part] : part)));
}

/** SHA-256 of octets in pieces. */
export function hashChunks(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return sha256(chunks[0]!);
  // One call is faster than many, but not worth a second copy of a large body.
  if (chunks.reduce((sum, chunk) => sum + chunk.length, 0) <= SMALL) return sha256(concatBytes(...chunks));
  const hasher = createHasher('sha256');
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.digest();
}

/** A part as its header block and, if it has one, its body. */
function writePart(name: string, entry: BodyEntry, inlineKey: string): Uint8Array[] {
  if (isBinary(entry)) {
    const disposition = name === inlineKey ? 'inline' : `form-data;name="${name}"`;
    return [toBytes(`content-disposition: ${disposition}\r\n\r\n`), binaryBytes(entry)];
  }
  const onlyBody = entry.size === 1 && entry.has('body');
  const disposition =
    name === inlineKey && !onlyBody ? 'inline' : `form-data;name="${onlyBody ? `${name}/body` : name}"`;
  const names = ['content-disposition'];
  for (const key of entry.keys())
    if (key !== 'body' && key !== 'content-disposition' && !isPrivateKey(key)) names.push(key);
  const body = entry.get('body');
  const hasBody = isBinary(body) && body.length > 0;
  const head = keysOrder(names)
    .map((key) => `${key}: ${key === 'content-disposition' ? disposition : textOf(entry.get(key))!}`)
    .join('\r\n');
  return hasBody ? [toBytes(`${head}\r\n\r\n`), binaryBytes(body)] : [toBytes(head)];
}

export interface Part {
  readonly name: string;
  readonly value: Binary | Tabm;
}

/**
 * Reads the parts of a body.
 * @throws AoError `bad-multipart`, `too-many-keys`
 */
export function readMultipart(body: Uint8Array, boundary: string, inlineKey: string): Part[] {
  const delimiter = toBytes(`--${boundary}`);
  const opening = find(body, concatBytes(delimiter, CRLF), 0);
  if (opening < 0) throw new AoError('bad-multipart', 'A multipart body does not begin with its boundary.');
  const start = opening + delimiter.length + 2;
  const separator = concatBytes(CRLF, delimiter);
  const closing = find(body, concatBytes(separator, toBytes('--')), start - 2);
  if (closing < 0) throw new AoError('bad-multipart', 'A multipart body does not end with its boundary.');
  const parts: Part[] = [];
  const count = new KeyCount();
  for (let at = start; at <= closing;) {
    const next = find(body, separator, at);
    const end = next < 0 || next > closing ? closing : next;
    if (parts.length >= MAX_PARTS)
      throw new AoError('too-many-keys', `A multipart body has more than ${MAX_PARTS} parts.`);
    parts.push(readPart(body.subarray(at, end), inlineKey, count));
    at = end + separator.length;
  }
  return parts;
}

function readPart(part: Uint8Array, inlineKey: string, count: KeyCount): Part {
  // Parts after the first still have the CR LF of their delimiter, which reads as an empty line.
  const gap = find(part, BLANK_LINE, 0);
  const head = gap < 0 ? part : part.subarray(0, gap);
  const body = gap < 0 ? undefined : part.subarray(gap + 4);
  const headers = new Map<string, Value>();
  let disposition: string | undefined;
  // What writes parts puts nothing but `body` there. (The reference takes it for `data` where a header has that
  // name, and so loses a nested message that has both.)
  let bodyKey = 'body';
  for (const [name, value] of headerLines(head)) {
    count.add();
    if (name === 'content-disposition' || name.toLowerCase() === 'content-disposition')
      disposition = fromBytes(value);
    else if (name === 'ao-body-key') bodyKey = fromBytes(value);
    else if (name !== 'content-type' && name !== 'content-digest') headers.set(name, toBinary(value));
  }
  const name = partName(disposition, inlineKey);
  if (body === undefined || body.length === 0) {
    if (headers.size === 1 && headers.get('ao-types') === 'empty-message')
      return { name, value: Message.empty };
    return { name, value: new Message(headers) };
  }
  if (headers.size === 0) return { name, value: toBinary(body) };
  headers.set(bodyKey, toBinary(body));
  return { name, value: new Message(headers) };
}

function* headerLines(head: Uint8Array): Generator<[string, Uint8Array]> {
  const colon = Uint8Array.of(58, 32);
  for (let at = 0; at < head.length;) {
    const found = find(head, CRLF, at);
    const end = found < 0 ? head.length : found;
    const line = head.subarray(at, end);
    const split = find(line, colon, 0);
    if (split >= 0) yield [fromBytes(line.subarray(0, split)), line.subarray(split + 2)];
    at = end + 2;
  }
}

const NAMED = /^form-data;\s*name="([^"\\]*)"$/;

function partName(disposition: string | undefined, inlineKey: string): string {
  if (disposition === undefined)
    throw new AoError('bad-multipart', 'A part of a multipart body has no content-disposition.');
  if (disposition === 'inline') return inlineKey;
  const plain = NAMED.exec(disposition);
  if (plain) return plain[1]!;
  const { bare, parameters } = parseItem(disposition);
  if (bare.kind === 'token' && bare.text === 'inline') return inlineKey;
  const name = parameters.get('name');
  if (name?.kind === 'string' || name?.kind === 'token') return name.text;
  throw new AoError('bad-multipart', 'A part of a multipart body has no name.');
}

/** Boundary of a `content-type`, if it has one. @throws AoError `bad-structured-field` for one that cannot be read */
export function boundaryOf(contentType: string): string | undefined {
  const found = parseItem(contentType);
  if (isInnerList(found)) return undefined;
  const boundary = found.parameters.get('boundary');
  return boundary?.kind === 'string' || boundary?.kind === 'token' ? boundary.text : undefined;
}

/** First place of `wanted` in `bytes` from `from` on, or -1. */
function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const first = wanted[0]!;
  const last = bytes.length - wanted.length;
  for (let at = bytes.indexOf(first, from); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}
