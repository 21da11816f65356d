/** From an HTTP request to the singleton message that it is (resolver.md §7.2). */
import { fromBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { decodeJson } from '../../codec/json.ts';
import { decodeFlat, textToFlat } from '../../codec/flat.ts';
import { decodeStructured } from '../../codec/structured.ts';
import { committedKeys, commitmentsOf } from '../../commitment/commitment.ts';
import { decodeHttpMessage, httpForm, type HttpForm } from '../../commitment/http.ts';
import { committers, EVERY, withOnlyCommitted } from '../../commitment/select.ts';
import { verifyMessage } from '../../commitment/verify.ts';
import { Message } from '../../message/message.ts';
import { Atom, isBinary, type Link, type Value } from '../../message/value.ts';
import type { HttpRequest } from '../../resolver/context.ts';
import type { NodeContext } from '../../resolver/node-context.ts';
import { isTrue } from '../../resolver/options.ts';
import { splitQuery, type Query } from '../../resolver/path.ts';
import { withSigners } from '../../resolver/request-marks.ts';
import { markTransport } from '../../resolver/transport-keys.ts';
import { CLIENT_LABELS, isClientSigned, verifyClientSignatures } from './client-signature.ts';
import { decodeItem } from './item.ts';
import { codecOf, DEFAULT_CODEC } from './mime.ts';
import { parseCookies } from './cookies.ts';

/** Dropped unless a signature covers them: the transport's own business. */
const FILTERED = ['content-length', 'content-digest', 'transfer-encoding', 'connection', 'cookie'];

/**
 * The request as a message, with what was verified of it in private data (`resolver/request-marks.ts`).
 * @throws AoError 4xx for a body, a field or a signature that is no good
 */
export async function toSingleton(request: HttpRequest, context: NodeContext): Promise<Message> {
  const hasSignature = request.headers.some(([name]) => name.toLowerCase() === 'signature');
  const form = httpForm(request.headers, request.body.length > 0 || hasSignature ? request.body : undefined);
  const { query } = splitQuery(request.target);
  const { message, signers } = await decode(form, query, request, context);
  const signed = new Set([...commitmentsOf(message).values()].flatMap(committedKeys));
  const complete = addTransport(message, signed, form, query, request);
  return withSigners(markTransport(complete, new Set([...signed, ...queryNames(query)])), signers);
}

interface Decoded {
  readonly message: Message;
  /** Addresses whose signatures were verified. */
  readonly signers: readonly string[];
}

async function decode(
  form: HttpForm,
  query: Query,
  request: HttpRequest,
  context: NodeContext,
): Promise<Decoded> {
  const asked = text(query.get('codec-device')) ?? text(form.headers.get('codec-device'));
  const contentType = text(query.get('content-type')) ?? text(form.headers.get('content-type'));
  const fallback = text(context.option('default-codec')) ?? DEFAULT_CODEC;
  const codec = asked ?? (form.body === undefined ? fallback : codecOf(contentType, fallback));
  switch (codec) {
    case 'httpsig@1.0':
      return isClientSigned(form)
        ? decodeClientSigned(form, query, request, context)
        : verified(decodeFields(form, query), context);
    case 'ans104@1.0':
      if (form.body === undefined || form.body.length === 0)
        throw new AoError('bad-body', 'A data item was announced, but the body is empty.');
      return decodeItem(form.body).then(({ message, signer }) => ({ message, signers: [signer] }));
    case 'json@1.0':
    case 'flat@1.0':
    case 'structured@1.0':
      return verified(decodeOver(codec, form, query), context);
    default:
      throw new AoError('unknown-codec', `There is no codec ${JSON.stringify(codec.slice(0, 80))}.`, {
        status: 415,
      });
  }
}

/** Fields and body as the message itself. Of a signed message only what was signed is kept. */
function decodeFields(form: HttpForm, query: Query): Message {
  const digest = form.headers.has('content-digest');
  const message = decodeHttpMessage(form, { checkDigest: digest });
  if (message.has('commitments')) return withOnlyCommitted(message);
  return withQuery(message, query);
}

/**
 * What a JavaScript client signed: where the message itself bears the signature out, it stays with it as a commitment.
 * @throws AoError `bad-signature`, `wrong-digest` (400)
 */
async function decodeClientSigned(
  form: HttpForm,
  query: Query,
  request: HttpRequest,
  context: NodeContext,
): Promise<Decoded> {
  const signers = await verifyClientSignatures(form, request);
  const load = (link: Link) => context.cache.load(link);
  const options = { checkDigest: form.headers.has('content-digest'), labels: CLIENT_LABELS };
  const message = decodeHttpMessage(form, options);
  if (message.has('commitments') && (await verifyMessage(message, EVERY, { load })))
    return { message: withOnlyCommitted(message), signers };
  // Signed in a form that no message has once it is read (quoted atoms, say): to the message nobody's signature is on it.
  return { message: decodeFields(form, query), signers: [] };
}

function withQuery(message: Message, query: Query): Message {
  // A typed parameter gets its value when the path is parsed.
  return message.with([...query].filter(([name]) => !/[+ .]/.test(name)));
}

/** A body in a codec of its own, laid over fields and query. */
function decodeOver(codec: string, form: HttpForm, query: Query): Message {
  const primitive = withQuery(decodeHttpMessage({ headers: form.headers }), query);
  if (form.body === undefined || form.body.length === 0) return primitive;
  const decoded =
    codec === 'json@1.0' ? decodeJson(form.body) : decodeStructured(decodeFlat(textToFlat(form.body)));
  if (!(decoded instanceof Message)) throw new AoError('bad-body', 'The body is no message.');
  if (decoded.has('commitments')) return withOnlyCommitted(decoded);
  return primitive.without('body').with(decoded);
}

/**
 * The message with who signed it, once everything that claims to be signed has been verified.
 * @throws AoError `bad-signature` (400)
 */
async function verified(message: Message, context: NodeContext): Promise<Decoded> {
  if (!message.has('commitments')) return { message, signers: [] };
  const load = (link: Link) => context.cache.load(link);
  if (!(await verifyMessage(message, EVERY, { load })))
    throw new AoError('bad-signature', 'A signature of the request does not hold.');
  return { message, signers: [...new Set(committers(message))] };
}

function addTransport(
  message: Message,
  signed: ReadonlySet<string>,
  form: HttpForm,
  query: Query,
  request: HttpRequest,
): Message {
  const fields = new Map<string, Value>(message.entries());
  for (const name of FILTERED) if (!signed.has(name)) fields.delete(name);
  const body = fields.get('body');
  if (isBinary(body) && body.length === 0 && !signed.has('body')) fields.delete('body');
  const find = (name: string): Value | undefined =>
    message.get(name) ?? query.get(name) ?? form.headers.get(name);
  fields.set('method', request.method);
  fields.set('path', message.get('path') ?? request.target);
  fields.set('accept', find('accept') ?? '*/*');
  fields.set('accept-bundle', find('accept-bundle') ?? Atom.false);
  addPeer(fields, form);
  const cookie = text(form.headers.get('cookie'));
  const out = new Message(fields);
  return cookie === undefined ? out : out.withPrivate({ cookie: parseCookies(cookie) });
}

/** The port that a peer says it listens on becomes its address, as far as that is known. */
function addPeer(fields: Map<string, Value>, form: HttpForm): void {
  const port = text(fields.get('ao-peer-port'));
  if (port === undefined) return;
  fields.delete('ao-peer-port');
  fields.set('ao-peer', `${text(form.headers.get('x-real-ip')) ?? 'unknown'}:${port}`);
}

function queryNames(query: Query): string[] {
  return [...query.keys()].map((name) => name.split(/[+ ]/)[0]!);
}

function text(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? fromBytes(value) : undefined;
}

/** True if the requester wants nested messages whole. @throws AoError `bad-accept-bundle` */
export function wantsBundle(value: Value | undefined): boolean {
  if (value === undefined || value === 'false' || Atom.false.is(value) || Atom.notFound.is(value))
    return false;
  if (isTrue(value)) return true;
  throw new AoError('bad-accept-bundle', 'accept-bundle is true or false.');
}
