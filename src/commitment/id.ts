/**
 * IDs of messages (messages.md §7): the commitments that are meant, or an HMAC over the whole where there is none.
 * Each is computed once and remembered with the fields of its message.
 */
import { toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeStructured, encodeStructuredMessage } from '../codec/structured.ts';
import { sha256 } from '../crypto/hash.ts';
import { hmacSha256 } from '../crypto/hmac.ts';
import { nativeId } from '../message/keys.ts';
import { listToMessage } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import { binaryBytes, isBinary, Link, type Value } from '../message/value.ts';
import { HMAC_TYPE, uncommitted } from './commitment.ts';
import { DEFAULT_KEYID } from './keyid.ts';
import { linkify } from './link.ts';
import { EVERY, selectCommitments, type Selection, SIGNED, UNSIGNED } from './select.ts';
import { componentsOf, signatureBase } from './signature-base.ts';

/** `unsigned` (default), `signed` (the committers', else unsigned), `every` commitment together, or a selection. */
export type IdSelector = 'unsigned' | 'signed' | 'every' | Selection;

interface Known {
  /** Of the whole content, computed; whatever commitments there are. */
  content?: string;
  unsigned?: string;
  signed?: string;
}

const known = new WeakMap<object, Known>();

/**
 * ID of any value: of a binary its SHA-256, of a link where it leads, of a list that of its numbered message. 43 characters.
 * @throws AoError `unknown-committer` (404), `bad-id` for a commitment whose ID has not 32 octets
 */
export function messageId(value: Value, selector: IdSelector = 'unsigned'): string {
  if (value instanceof Message) return idOfMessage(value, selector);
  if (Array.isArray(value)) return listId(value as readonly Value[]);
  if (value instanceof Link && !value.lazy) return value.id;
  const binary = encodeStructured(value);
  if (!isBinary(binary)) throw new AoError('bad-value', 'A value of this type has no ID.');
  return toBase64Url(sha256(binaryBytes(binary)));
}

/** How several IDs become one: `combineIds`, or `hashIds` as newer nodes do it. */
export type Combine = (ids: readonly string[]) => string;

/** The ID by which a parent links to this value. */
export function linkIdOf(value: Value, combine: Combine = combineIds): string {
  if (combine === combineIds || typeof value !== 'object') return messageId(value, 'signed');
  if (value instanceof Message) {
    const ids = value.has('commitments') ? selectCommitments(value, SIGNED) : [];
    return ids.length ? combine(ids) : hmacId(encodeStructuredMessage(linkify(uncommitted(value), combine)));
  }
  return Array.isArray(value) ? hmacId(listTabm(value as readonly Value[], combine)) : messageId(value);
}

function remember(of: object): Known {
  let ids = known.get(of);
  if (!ids) known.set(of, (ids = {}));
  return ids;
}

function idOfMessage(message: Message, selector: IdSelector): string {
  if (!message.has('commitments')) {
    if (typeof selector !== 'string') selectCommitments(message, selector);
    return contentId(message);
  }
  if (typeof selector !== 'string') return combined(message, selector);
  if (selector === 'every') return combined(message, EVERY);
  const ids = remember(message.identity);
  return (ids[selector] ??= combined(message, selector === 'signed' ? SIGNED : UNSIGNED));
}

function combined(message: Message, selection: Selection): string {
  const ids = selectCommitments(message, selection);
  return ids.length ? combineIds(ids) : contentId(message);
}

/**
 * Unsigned ID of all that a message holds, its commitments aside and unbelieved: HMAC-SHA-256 with the key that
 * everybody knows. Nested messages count by their own IDs.
 */
export function contentId(message: Message): string {
  const ids = remember(message.identity);
  return (ids.content ??= hmacId(encodeStructuredMessage(linkify(uncommitted(message)))));
}

const CONSTANT_KEY = toBytes(DEFAULT_KEYID);
const CONSTANT = Message.of({ type: HMAC_TYPE, keyid: DEFAULT_KEYID });

/** Unsigned ID of a TABM whose nested messages are links. */
function hmacId(tabm: Message): string {
  return toBase64Url(hmacSha256(CONSTANT_KEY, signatureBase(componentsOf(tabm), CONSTANT)));
}

function listId(list: readonly Value[]): string {
  const ids = remember(list);
  return (ids.content ??= hmacId(listTabm(list, combineIds)));
}

function listTabm(list: readonly Value[], combine: Combine): Message {
  const encoded = encodeStructuredMessage(linkify(listToMessage(list), combine));
  const types = encoded.text('ao-types');
  return encoded.with([['ao-types', types ? `.="list", ${types}` : '.="list"']]);
}

const MODULUS = 1n << 256n;

/**
 * One ID of several: their sum modulo 2^256, as 32 octets big endian.
 * @throws AoError `bad-id`
 */
export function combineIds(ids: readonly string[]): string {
  const [first] = ids;
  if (ids.length === 1 && first!.length === 43 && /[AEIMQUYcgkosw048]$/.test(first!)) return first!;
  let sum = 0n;
  for (const id of ids) {
    const bytes = nativeId(id);
    if (bytes.length !== 32) throw new AoError('bad-id', 'An ID that has not 32 octets cannot be combined.');
    sum += toNumber(bytes);
  }
  return toBase64Url(toOctets(sum % MODULUS));
}

/** The form of mid-2026 nodes: SHA-256 of the sorted IDs, a line each (messages.md §15). */
export function hashIds(ids: readonly string[]): string {
  return ids.length === 1 ? ids[0]! : toBase64Url(sha256(toBytes(byteOrder(ids).join('\n'))));
}

export function toNumber(bytes: Uint8Array): bigint {
  let hex = '0x0';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return BigInt(hex);
}

export function toOctets(value: bigint): Uint8Array {
  const hex = value.toString(16).padStart(64, '0');
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}
