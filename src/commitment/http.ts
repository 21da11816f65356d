/** Messages with their commitments ⇄ HTTP fields and body: the whole of `httpsig@1.0`. */
import {
  decodeHttpsig,
  encodeHttpsig,
  hasWrongDigest,
  type HttpForm,
  type OnLoss,
} from '../codec/httpsig.ts';
import { decodeStructured, encodeStructured } from '../codec/structured.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { type Binary, binaryBytes, isBinary, type Value } from '../message/value.ts';
import { readSignatureFields, writeSignatureFields } from './httpsig-fields.ts';
import { linkify, type Load, loadLinks } from './link.ts';
import { signatureFieldsOf } from './own-signature.ts';

export type { HttpForm } from '../codec/httpsig.ts';

export interface EncodeOptions {
  /** Nested messages whole instead of by their IDs. Default false. */
  readonly bundle?: boolean | undefined;
  /** Follows links when bundling. */
  readonly load?: Load | undefined;
  /** Told the path of each value that the form loses (messages.md §13, row 21). */
  readonly onLoss?: OnLoss | undefined;
}

/**
 * A message as fields and body, its commitments as signature fields. A binary is a body alone.
 * @throws AoError `bad-value`, `necessary-message-not-found` (404)
 */
export async function encodeHttp(value: Value, options: EncodeOptions = {}): Promise<HttpForm> {
  const tabm = await toTabm(value, options);
  if (isBinary(tabm)) return { headers: new Map(), body: binaryBytes(tabm) };
  const form = encodeHttpsig(tabm, options.onLoss);
  const fields =
    value instanceof Message && value.has('commitments')
      ? await writeSignatureFields(value, options.load)
      : signatureFieldsOf(tabm);
  const headers = form.headers as Map<string, Binary>;
  for (const [name, text] of fields) headers.set(name, text);
  return form;
}

/** Typed values as TABM, nested ones whole or by their IDs. @throws AoError `necessary-message-not-found` (404) */
export async function toTabm(value: Value, options: EncodeOptions = {}): Promise<Binary | Message> {
  if (options.bundle) return encodeStructured(await loadLinks(value, options.load));
  return encodeStructured(linkTop(value));
}

/** The value with what is nested in it as links. */
export function linkTop(value: Value): Value {
  if (value instanceof Message) return linkify(value);
  if (!Array.isArray(value)) return value;
  const numbered = linkify(new Message(new Map(value.map((item: Value, index) => [String(index), item]))));
  return value.map((_, index) => numbered.get(String(index))!);
}

export interface DecodeOptions {
  /** Refuse a body that is not the one that `content-digest` names. Default false: signatures do not rest on the field. */
  readonly checkDigest?: boolean | undefined;
  /** How the labels of signatures begin that are commitments. Default `comm-`. */
  readonly labels?: string | undefined;
}

/**
 * A message from fields (lower-case names) and body, with commitments, none of them verified.
 * @throws AoError for fields or a body that cannot be read; `wrong-digest`
 */
export function decodeHttp(form: HttpForm, options: DecodeOptions = {}): Value {
  if (options.checkDigest && hasWrongDigest(form))
    throw new AoError('wrong-digest', 'The body is not the one that its content-digest names.');
  const decoded = decodeHttpsig(form);
  const commitments = readSignatureFields(decoded, options.labels);
  if (!commitments) return decodeStructured(decoded.tabm);
  return decodeStructured(decoded.tabm.without(...commitments.keys()).with([['commitments', commitments]]));
}

/** `decodeHttp` where it has to be a message. @throws AoError `not-a-message` */
export function decodeHttpMessage(form: HttpForm, options: DecodeOptions = {}): Message {
  const value = decodeHttp(form, options);
  if (value instanceof Message) return value;
  throw new AoError('not-a-message', 'A list came where a message has to be.');
}

/**
 * A list of header names and values, as they came over HTTP, as fields: names in lower case, repeated ones joined.
 * Values are octets in their string form.
 */
export function httpForm(headers: Iterable<readonly [string, string]>, body?: Uint8Array): HttpForm {
  const fields = new Map<string, Binary>();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = fields.get(key) as string | undefined;
    fields.set(key, before === undefined ? value : `${before}${key === 'cookie' ? '; ' : ', '}${value}`);
  }
  return { headers: fields, body };
}

/** The form as one message: fields as keys, the body under `body`. */
export function formToMessage(form: HttpForm): Message {
  const fields = new Map<string, Value>(form.headers);
  if (form.body !== undefined) fields.set('body', form.body);
  return new Message(fields);
}

/** The reverse of `formToMessage`. @throws AoError `bad-value` for a field that is no binary */
export function messageToForm(message: Message): HttpForm {
  const headers = new Map<string, Binary>();
  let body: Uint8Array | undefined;
  for (const [key, value] of message) {
    if (!isBinary(value)) throw new AoError('bad-value', 'A field of an HTTP message is no binary.');
    if (key === 'body') body = binaryBytes(value);
    else headers.set(key, value);
  }
  return { headers, body };
}
