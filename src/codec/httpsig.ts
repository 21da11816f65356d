/**
 * `httpsig@1.0`: TABM ⇄ HTTP fields and body (messages.md §4, §5), without the signatures: those are laid over it by
 * `commitment/httpsig-fields.ts`.
 *
 * Lost on the way: a message's own `content-type` where the body has to be multipart, `signature`,
 * `signature-input`, `content-digest`, and what `multipart.ts` lists.
 */
import { concatBytes, toBase64 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { sha256Async } from '../crypto/hash.ts';
import { byteLength, isIdShaped, isPrivateKey } from '../message/keys.ts';
import { listToMessage } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { type Tabm, textOf, toBinary } from '../message/tabm.ts';
import { type Binary, binaryBytes, isBinary, type Value } from '../message/value.ts';
import { checkDepth, KeyCount } from './limits.ts';
import {
  type BodyEntry,
  boundaryOf,
  hashChunks,
  type OnLoss,
  type Part,
  readMultipart,
  writeMultipart,
} from './multipart.ts';
import { pathParts, PathTree } from './paths.ts';
import { isInnerList, parseDictionary, writeString } from './structured-fields.ts';
import { encodeStructuredMessage, escapeKey, unescapeKey } from './structured.ts';

export type { OnLoss } from './multipart.ts';

/** Values of more octets than this travel in the body. */
export const MAX_HEADER_VALUE = 4096;

/** Fields by their names, case kept, and the body if there is one. */
export interface HttpForm {
  readonly headers: ReadonlyMap<string, Binary>;
  readonly body?: Uint8Array | undefined;
}

/** Keys that the fields never carry as themselves. */
const TAKEN_OUT = new Set(['commitments', 'signature', 'signature-input', 'priv']);

/** True for a binary of more than `limit` octets. */
function isLonger(value: Binary, limit: number): boolean {
  if (typeof value !== 'string' || value.length > limit) return value.length > limit;
  return 3 * value.length > limit && byteLength(value) > limit;
}

/**
 * Fields and body of a message, its `content-digest` included. Nested messages become parts of the body.
 * `onLoss`: told of each value that the form cannot hold; the bytes are those of the reference all the same.
 */
export function encodeHttpsig(tabm: Tabm, onLoss?: OnLoss): HttpForm {
  const { headers, chunks } = layOut(tabm, onLoss);
  if (!chunks) return { headers };
  const body = chunks.length === 1 ? chunks[0]! : concatBytes(...chunks);
  if (body.length) headers.set('content-digest', digestOf(chunks));
  return { headers, body };
}

/**
 * What a signature covers of a message: its fields, and the digest of its body, also of an empty one, which has none
 * on the wire (messages.md §6.3). The body itself is not put together.
 */
export function httpsigFields(tabm: Tabm): Map<string, Binary> {
  const { headers, chunks } = layOut(tabm);
  if (chunks) headers.set('content-digest', digestOf(chunks));
  return headers;
}

interface LaidOut {
  /** Without a `content-digest`. */
  readonly headers: Map<string, Binary>;
  /** The body in pieces, if there is one. */
  readonly chunks: readonly Uint8Array[] | undefined;
}

function layOut(tabm: Tabm, onLoss?: OnLoss): LaidOut {
  const inlineKey = chooseInlineKey(tabm);
  const headers = new Map<string, Binary>();
  const body = new Map<string, BodyEntry>();
  const ids: string[] = [];
  for (const [key, value] of tabm) {
    if (TAKEN_OUT.has(key)) continue;
    if (!isBinary(value)) {
      group(value, key, body, 1);
      continue;
    }
    if (isIdShaped(key)) ids.push(key);
    else if (key === 'body' || key === inlineKey || isLonger(value, MAX_HEADER_VALUE)) body.set(key, value);
    else headers.set(key, value);
  }
  if (ids.length) {
    const grouped = keysOrder(ids)
      .map((key) => `${key}=${writeString(textOf(tabm.get(key))!)}`)
      .join(', ');
    // It takes the place of a key of that name, wherever that would be.
    headers.delete('ao-ids');
    body.delete('ao-ids');
    if (isLonger(grouped, MAX_HEADER_VALUE)) body.set('ao-ids', grouped);
    else headers.set('ao-ids', grouped);
  }
  if (inlineKey === 'data' && !tabm.has('ao-body-key')) headers.set('ao-body-key', 'data');
  if (body.size === 0) return { headers, chunks: undefined };
  const only = body.size === 1 ? body.get(inlineKey) : undefined;
  if (isBinary(only)) return { headers, chunks: [binaryBytes(only)] };
  const { boundary, chunks } = writeMultipart(body, inlineKey, onLoss);
  headers.set('content-type', `multipart/form-data; boundary="${boundary}"`);
  return { headers, chunks };
}

/** Digests of large bodies, which are asked for again and again: by each commitment, and by each check of one. */
const digests = new WeakMap<Uint8Array, string>();
const LARGE = 256 * 1024;

function digestOf(chunks: readonly Uint8Array[]): string {
  const [only] = chunks;
  const large = chunks.length === 1 && only!.length >= LARGE;
  const known = large ? digests.get(only!) : undefined;
  if (known !== undefined) return known;
  const digest = digestText(hashChunks(chunks));
  if (large) digests.set(only!, digest);
  return digest;
}

const digestText = (hash: Uint8Array) => `sha-256=:${toBase64(hash)}:`;

/** `content-digest` of a body (RFC 9530). */
export function contentDigest(body: Uint8Array): string {
  return digestOf([body]);
}

/** Hashes a large body piece by piece, without holding this thread up; its digest is known afterwards. */
export async function digestAhead(tabm: Tabm): Promise<void> {
  const body = tabm.get(chooseInlineKey(tabm));
  if (!(body instanceof Uint8Array) || body.length < LARGE || digests.has(body)) return;
  digests.set(body, digestText(await sha256Async(body)));
}

/** The key whose value is the body (messages.md §4.4). */
function chooseInlineKey(fields: { get(key: string): Value | undefined; has(key: string): boolean }): string {
  const named = textOf(fields.get('ao-body-key'));
  if (named !== undefined) return named;
  return !fields.has('body') && fields.has('data') ? 'data' : 'body';
}

/** The scalars of one nested message as one entry, what is under it as entries of their own (messages.md §4.5). */
function group(value: Value, path: string, out: Map<string, BodyEntry>, depth: number): void {
  checkDepth(depth);
  const message = asMessage(value);
  if (message.size === 0) {
    out.set(path, EMPTY_MESSAGE);
    return;
  }
  const flat = new Map<string, Value>();
  for (const [key, item] of message) {
    if (isPrivateKey(key)) continue;
    // Under the empty key everything is where it would be at the top.
    const at = path === '' ? key : `${path}/${key}`;
    if (!isBinary(item)) group(item, at, out, depth + 1);
    else if (isLonger(item, MAX_HEADER_VALUE)) out.set(at, item);
    else flat.set(key, item);
  }
  if (path === '') for (const [key, item] of flat) out.set(key, item as Binary);
  else if (flat.size) out.set(path, new Message(flat));
}

const EMPTY_MESSAGE = new Message(new Map([['ao-types', 'empty-message']]));

/** What lies under a nested message's commitments may still be typed: it gets its text here. */
function asMessage(value: Value): Tabm {
  if (value instanceof Message)
    return [...value].every(([, item]) => isBinary(item) || item instanceof Message)
      ? value
      : encodeStructuredMessage(value);
  if (!Array.isArray(value))
    throw new AoError('bad-value', 'A value of this type cannot stand in a multipart body.');
  const encoded = encodeStructuredMessage(listToMessage(value as readonly Value[]));
  const types = encoded.text('ao-types');
  return encoded.with([['ao-types', types ? `.="list", ${types}` : '.="list"']]);
}

export interface DecodedHttpsig {
  /** The message without signatures and without what only carried it. */
  readonly tabm: Tabm;
  /** The fields as they came, for those who turn components back into keys. */
  readonly headers: ReadonlyMap<string, Binary>;
  /** Keys that came in the body, in its order (messages.md §5, `OrderedBodyKeys`). */
  readonly bodyKeys: readonly string[];
}

/**
 * A message from fields and body (messages.md §5). Names are taken as they are: HTTP's are made lower-case before.
 * `content-digest` is not compared with the body here; see `hasWrongDigest`.
 * @throws AoError `bad-structured-field`, `bad-multipart`, `path-conflict`, `bad-ids`, `too-deep`, `too-many-keys`
 */
export function decodeHttpsig(form: HttpForm): DecodedHttpsig {
  const count = new KeyCount();
  count.add(form.headers.size);
  const fields = new Map<string, Value>();
  const inlineKey = chooseInlineKey({
    get: (key) => form.headers.get(key),
    has: (key) => form.headers.has(key) || (key === 'body' && form.body !== undefined),
  });
  for (const [key, value] of form.headers) if (!TAKEN_OUT.has(key)) fields.set(key, value);
  const bodyKeys = form.body === undefined ? [] : addBody(fields, form, form.body, inlineKey);
  expandIds(fields, count);
  // Commitments come by the signature fields alone, whatever else calls itself so.
  for (const key of ['commitments', 'commitments+link', 'content-digest', 'ao-body-key']) fields.delete(key);
  const contentType = textOf(fields.get('content-type'));
  if (contentType?.startsWith('multipart/')) fields.delete('content-type');
  return { tabm: new Message(fields), headers: form.headers, bodyKeys };
}

function addBody(fields: Map<string, Value>, form: HttpForm, body: Uint8Array, inlineKey: string): string[] {
  const contentType = textOf(form.headers.get('content-type'));
  const boundary = contentType === undefined ? undefined : boundaryOf(contentType);
  if (boundary === undefined) {
    fields.set(inlineKey, toBinary(body));
    return [inlineKey];
  }
  return addParts(fields, readMultipart(body, boundary, inlineKey));
}

function addParts(fields: Map<string, Value>, parts: readonly Part[]): string[] {
  const tree = new PathTree();
  const keys = new Set<string>();
  for (const { name, value } of parts) {
    const path = pathParts(name);
    keys.add(path[0] ?? '');
    tree.set(path, value);
  }
  for (const [key, value] of tree.fields()) fields.set(key, value);
  return [...keys];
}

/** `ao-ids`, and names that newer nodes escape because they are IDs, back to keys (messages.md §4.3, §15). */
function expandIds(fields: Map<string, Value>, count: KeyCount): void {
  const grouped = fields.get('ao-ids');
  if (isBinary(grouped)) {
    fields.delete('ao-ids');
    for (const [key, member] of parseDictionary(textOf(grouped)!)) {
      count.add();
      if (isInnerList(member) || member.bare.kind !== 'string')
        throw new AoError('bad-ids', 'ao-ids holds a value that is no string.');
      fields.set(key, member.bare.text);
    }
  }
  for (const [name, value] of fields) {
    const key = escapedIdKey(name);
    if (key === undefined) continue;
    fields.delete(name);
    fields.set(key, value);
  }
}

/** The name under which newer nodes send an ID-shaped key. Other keys are themselves. */
export function escapedIdName(key: string): string {
  return isIdShaped(key) ? escapeKey(key) : key;
}

/** The ID-shaped key that a field name is the escaped form of, if it is one. */
export function escapedIdKey(name: string): string | undefined {
  if (!name.includes('%') || name.length <= 32) return undefined;
  if (!/^(?:[^%A-Z]|%[0-9a-f]{2})*$/.test(name)) return undefined;
  const key = unescapeKey(name);
  return isIdShaped(key) && escapeKey(key) === name ? key : undefined;
}

/** True if a `content-digest` field names a SHA-256 that is not the body's. A field that cannot be read is wrong too. */
export function hasWrongDigest(form: HttpForm): boolean {
  const field = textOf(form.headers.get('content-digest'));
  if (field === undefined) return false;
  try {
    const digest = parseDictionary(field).get('sha-256');
    if (digest === undefined) return false;
    if (isInnerList(digest) || digest.bare.kind !== 'bytes') return true;
    return contentDigest(form.body ?? new Uint8Array(0)) !== `sha-256=:${toBase64(digest.bare.bytes)}:`;
  } catch (thrown) {
    if (thrown instanceof AoError) return true;
    throw thrown;
  }
}
