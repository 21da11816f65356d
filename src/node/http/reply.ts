/** From an answer to the HTTP response that carries it (resolver.md §7.6). */
import { fromBytes, toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { ans104Bytes } from '../../codec/ans104.ts';
import { flatToText } from '../../codec/flat.ts';
import { encodeJson } from '../../codec/json.ts';
import { encodeHttp, linkTop, toTabm, type HttpForm } from '../../commitment/http.ts';
import { loadLinks } from '../../commitment/link.ts';
import { encodeStructured } from '../../codec/structured.ts';
import { isLinkKey, isPrivateKey, withoutLinkSuffix } from '../../message/keys.ts';
import { Message } from '../../message/message.ts';
import { Atom, binaryBytes, isBinary, Link, type Value } from '../../message/value.ts';
import type { HttpRequest, HttpResponse } from '../../resolver/context.ts';
import type { NodeContext } from '../../resolver/node-context.ts';
import { isFalse } from '../../resolver/options.ts';
import { messageAnswered } from '../../resolver/request-marks.ts';
import { statusOf } from '../../resolver/status.ts';
import { isCarriable } from './carriable.ts';
import { setCookieLines } from './cookies.ts';
import { codecOf, DEFAULT_CODEC } from './mime.ts';
import { errorPage } from './pages.ts';
import { wantsBundle } from './request.ts';
import { writtenForm } from './sign.ts';

export interface ReplyForm {
  readonly codec: string;
  readonly bundle: boolean;
}

/** How the requester wants the answer. @throws AoError `unknown-codec` (415), `bad-accept-bundle` */
export function replyForm(request: Message, answer: Message): ReplyForm {
  const bundle = wantsBundle(request.get('accept-bundle'));
  const required = request.text('require-codec');
  if (required !== undefined) return { codec: codecOf(required), bundle };
  if (answer.has('content-type')) return { codec: DEFAULT_CODEC, bundle };
  return { codec: codecOf(request.text('accept')), bundle };
}

/** CORS headers that every reply has unless the answer itself has them. */
export function corsHeaders(request: HttpRequest): [string, string][] {
  const headers: [string, string][] = [
    ['access-control-allow-origin', '*'],
    ['access-control-allow-methods', 'GET, POST, PUT, DELETE, OPTIONS'],
    ['access-control-expose-headers', '*'],
  ];
  const asked = request.headers.find(([name]) => name.toLowerCase() === 'access-control-request-headers');
  if (asked) headers.push(['access-control-allow-headers', asked[1]]);
  return headers;
}

/**
 * Where the fields of HTTP cannot hold a key or a value of the answer, it is written as JSON, else as a data item.
 * @throws AoError where the answer cannot be put into the form
 */
export async function toResponse(
  answer: Message,
  asked: ReplyForm,
  request: HttpRequest,
  context: NodeContext,
): Promise<HttpResponse> {
  const status = statusOf({ status: 'ok', value: answer });
  const isPlain = asked.codec === DEFAULT_CODEC && !asked.bundle;
  if (isPlain && (status === 404 || status === 500)) return page(status, answer, request);
  const { encoded, form } = await encodeCarriable(answer, asked, context);
  const headers = new Map<string, string>();
  for (const [name, value] of encoded.headers) headers.set(name, fromBytes(binaryBytes(value)));
  for (const [name, value] of corsHeaders(request)) if (!headers.has(name)) headers.set(name, value);
  const sent = messageAnswered(answer);
  // Beside a body of its own a header is no key of the answer.
  if (sent !== undefined && form.codec !== DEFAULT_CODEC) headers.set('message', sent);
  const list: [string, string][] = [...headers];
  for (const line of setCookieLines(answer.private['set-cookie'])) list.push(['set-cookie', line]);
  return { status, headers: list, body: encoded.body ?? new Uint8Array(0) };
}

async function encodeCarriable(
  answer: Message,
  asked: ReplyForm,
  context: NodeContext,
): Promise<{ encoded: HttpForm; form: ReplyForm }> {
  const encoded = await encode(answer, asked, context);
  if (asked.codec !== DEFAULT_CODEC || isCarriable(encoded.headers)) return { encoded, form: asked };
  const json = { ...asked, codec: 'json@1.0' };
  try {
    return { encoded: await encode(answer, json, context), form: json };
  } catch (thrown) {
    // Octets that are no text have no JSON form.
    if (AoError.wrap(thrown).code !== 'not-text') throw thrown;
    const item = { ...asked, codec: 'ans104@1.0' };
    return { encoded: await encode(answer, item, context), form: item };
  }
}

async function encode(answer: Message, form: ReplyForm, context: NodeContext): Promise<HttpForm> {
  const load = (link: Link) => context.cache.load(link);
  if (!form.bundle) await offload(answer, context);
  switch (form.codec) {
    case DEFAULT_CODEC: {
      const encoded = await writtenForm(answer, form.bundle, () =>
        encodeHttp(form.bundle ? withLinks(answer) : answer, {
          bundle: form.bundle,
          load,
          onLoss: (key) => context.report({ type: 'value-lost', codec: DEFAULT_CODEC, key }),
        }),
      );
      return form.bundle ? encoded : withIndex(answer, encoded, context);
    }
    case 'ans104@1.0': {
      const item = await encodeItem(answer, form.bundle, load);
      return {
        headers: new Map([
          ['codec-device', form.codec],
          ['content-type', 'application/ans104'],
        ]),
        body: item,
      };
    }
    default: {
      const value = form.bundle ? await loadLinks(answer, load) : linkTop(answer);
      const body = await encodeBody(value, form, load);
      return { headers: scalarHeaders(answer, form.codec), body };
    }
  }
}

async function encodeItem(
  answer: Message,
  bundle: boolean,
  load: (link: Link) => Promise<Value>,
): Promise<Uint8Array> {
  const tabm = await toTabm(answer, { bundle, load });
  return ans104Bytes(tabm);
}

async function encodeBody(
  value: Value,
  form: ReplyForm,
  load: (link: Link) => Promise<Value>,
): Promise<Uint8Array> {
  if (form.codec === 'json@1.0') return toBytes(encodeJson(value));
  const tabm = await toTabm(value, { bundle: form.bundle, load });
  if (form.codec === 'flat@1.0' || form.codec === 'structured@1.0') return binaryBytes(flatToText(tabm));
  throw new AoError('unknown-codec', `There is no codec ${form.codec}.`, { status: 415 });
}

const CONTENT_TYPES: Readonly<Record<string, string>> = { 'json@1.0': 'application/json' };

/** Beside a body in a codec of its own: every scalar of the answer as text. */
function scalarHeaders(answer: Message, codec: string): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [key, value] of answer) {
    if (key === 'body' || key === 'data' || isPrivateKey(key)) continue;
    const text = scalarText(value);
    // What HTTP cannot carry, and what would be no header, is in the body all the same.
    if (
      text !== undefined &&
      text.length <= 4096 &&
      !hasControls(text) &&
      /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key)
    )
      headers.set(key, text);
  }
  headers.set('codec-device', codec);
  const contentType = CONTENT_TYPES[codec];
  if (contentType) headers.set('content-type', contentType);
  return headers;
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

function scalarText(value: Value): string | undefined {
  if (isBinary(value)) return fromBytes(binaryBytes(value));
  if (value instanceof Atom) return value.name;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return encodeStructuredFloat(value);
  return undefined;
}

function encodeStructuredFloat(value: number): string | undefined {
  const encoded = encodeStructured(Message.from([['f', value]]));
  return encoded instanceof Message ? encoded.text('f') : undefined;
}

/** A message in the type-annotated form has links as text under `key+link`; they are followed like any other. */
function withLinks(answer: Message): Message {
  if (!answer.has('ao-types') && ![...answer.keys()].some(isLinkKey)) return answer;
  const fields = new Map<string, Value>();
  for (const [key, value] of answer)
    if (isLinkKey(key) && typeof value === 'string') fields.set(withoutLinkSuffix(key), new Link(value));
    else fields.set(key, value);
  return new Message(fields, answer.private);
}

/** What a reply only links to has to be there when the link is followed. */
async function offload(answer: Message, context: NodeContext): Promise<void> {
  for (const [key, value] of answer)
    if (key !== 'commitments' && !isPrivateKey(key) && (value instanceof Message || Array.isArray(value)))
      await context.cache.write(value);
}

/** A message without a body of its own gets the page that shows it, so that a browser has something to show. */
async function withIndex(answer: Message, encoded: HttpForm, context: NodeContext): Promise<HttpForm> {
  if (encoded.body !== undefined || encoded.headers.has('content-type')) return encoded;
  if (isFalse(context.option('generate-index'))) return encoded;
  const result = await context
    .resolve(answer.without('status', 'commitments'), 'index')
    .catch(() => undefined);
  if (result?.status !== 'ok' || !(result.value instanceof Message)) return encoded;
  const body = result.value.get('body');
  if (!isBinary(body)) return encoded;
  const headers = new Map(encoded.headers);
  headers.set('content-type', result.value.text('content-type') ?? 'text/html');
  return { headers, body: binaryBytes(body) };
}

function page(status: number, answer: Message, request: HttpRequest): HttpResponse {
  const details = answer.text('details') ?? answer.text('body');
  const fallback =
    status === 404 ? 'This path leads to nothing on this node.' : 'The request could not be answered.';
  return {
    status,
    headers: [...corsHeaders(request), ['content-type', 'text/html']],
    body: errorPage(status, details ?? fallback),
  };
}
