/** Messages to other nodes over HTTP (resolver.md §7.10). */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeHttp } from '../commitment/http.ts';
import { committers } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, type Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { decodeReply, statusName } from '../resolver/reply.ts';
import { textOf } from './values.ts';

export interface Destination {
  /** Absolute URL. */
  readonly target: string;
  readonly method: string;
}

/** Headers that belong to one connection and are not handed on. */
const HOP = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'te',
  'trailer',
]);

/**
 * Sends a message and answers with what came back: every key of the reply, `status` as an integer. A peer that cannot be
 * reached is a `failure`; so is one that refuses pages of other origins.
 * @throws AoError `bad-url` (400)
 */
export async function send(message: Message, destination: Destination, context: Context): Promise<Result> {
  const { target, method } = destination;
  if (!/^https?:\/\//i.test(target))
    throw new AoError('bad-url', 'Messages go to http and https addresses only.');
  const load = (link: Link) => context.cache.load(link);
  const outgoing = message.filter((key) => !isPrivateKey(key) && !HOP.has(key));
  const form = await encodeHttp(
    outgoing.has('accept-bundle') ? outgoing : outgoing.with({ 'accept-bundle': 'true' }),
    { bundle: true, load, onLoss: (key) => context.report({ type: 'value-lost', target, key }) },
  );
  const headers = [...form.headers].map(([name, value]) => [name, fromBytes(binaryBytes(value))] as const);
  const safe = headers.filter(([, value]) => !/[\r\n\0]/.test(value));
  try {
    const response = await context.http.request({
      method,
      target,
      headers: safe,
      body: form.body ?? new Uint8Array(0),
    });
    return { status: statusName(response.status), value: decodeReply(response) };
  } catch (thrown) {
    const { status, message: body } = AoError.wrap(thrown, 'peer-unreachable', 502);
    return { status: 'failure', value: Message.of({ status: BigInt(status), body }) };
  }
}

/** True if everything that claims to be signed in a message is; unsigned messages pass. */
export async function isHonest(message: Message, context: Context): Promise<boolean> {
  if (committers(message).length === 0) return true;
  return verifyMessage(message, undefined, { load: (link) => context.cache.load(link) });
}

/** The URL of a destination: text, or the `uri` of a message. */
export function urlOf(value: unknown): string | undefined {
  if (value instanceof Message) return textOf(value.get('uri')) ?? textOf(value.get('node'));
  return typeof value === 'string' ? value : undefined;
}
