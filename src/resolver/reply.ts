/** What another node answered, as a message (resolver.md §7.10). Nothing of it is verified here. */
import { AoError } from '../base/errors.ts';
import { fromBytes } from '../base/bytes.ts';
import { decodeAns104 } from '../codec/ans104.ts';
import { decodeJson } from '../codec/json.ts';
import { decodeStructured } from '../codec/structured.ts';
import { decodeHttpMessage, httpForm } from '../commitment/http.ts';
import { Message } from '../message/message.ts';
import { isBinary, type Value } from '../message/value.ts';
import type { HttpResponse } from './context.ts';

/** Headers that are the transport's, not the message's. */
const TRANSPORT = new Set(['connection', 'date', 'keep-alive', 'server', 'transfer-encoding', 'vary']);

/**
 * A response in any codec that nodes answer in. `status` is an integer, whatever came.
 * @throws AoError for a body that cannot be read
 */
export function decodeReply(response: HttpResponse): Message {
  const headers = lastSpelling(response.headers.filter(([name]) => !TRANSPORT.has(name.toLowerCase())));
  const form = httpForm(headers, response.body.length > 0 ? response.body : undefined);
  const codec = form.headers.get('codec-device');
  const decoded =
    decodeBody(isBinary(codec) ? text(codec) : undefined, response.body) ?? decodeHttpMessage(form);
  return decoded.with({ status: BigInt(response.status) });
}

/** Keys that differ in case alone come as one field name in two spellings: of these the last counts. */
function lastSpelling(headers: HttpResponse['headers']): HttpResponse['headers'] {
  const spellings = new Map<string, string>();
  for (const [name] of headers) spellings.set(name.toLowerCase(), name);
  return headers.filter(([name]) => spellings.get(name.toLowerCase()) === name);
}

function decodeBody(codec: string | undefined, body: Uint8Array): Message | undefined {
  if (codec !== 'json@1.0' && codec !== 'ans104@1.0') return undefined;
  const value = codec === 'json@1.0' ? decodeJson(body) : decodeStructured(decodeAns104(body));
  if (value instanceof Message) return value;
  throw new AoError('bad-reply', 'A node answered with something other than a message.', { status: 502 });
}

/** The value that a reply is about: that of the key that `ao-result` names, else the whole message. */
export function resultOf(reply: Message): Value {
  const key = reply.get('ao-result');
  if (!isBinary(key)) return reply;
  return reply.get(text(key)) ?? '';
}

/** How a step ended, from an HTTP status. */
export function statusName(status: number): string {
  if (status === 201) return 'created';
  if (status < 400) return 'ok';
  return status < 500 ? 'error' : 'failure';
}

const text = (value: string | Uint8Array) => (typeof value === 'string' ? value : fromBytes(value));
