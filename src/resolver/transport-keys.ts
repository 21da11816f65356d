/**
 * Keys that a request only has because HTTP brought it: `accept`, `host`, `user-agent` … They are global keys of
 * every step as in the reference (resolver.md §7.2), but where a caller's own keys are meant, they are left out
 * (§13, Q5, Q15, Q16). They are marked in private data, so that a step made in the node has none.
 */
import type { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';

const HEADERS =
  /^(?:accept(?:-.*)?|ao-peer(?:-port)?|authorization|cache-control|connection|content-length|cookie|dnt|forwarded|host|if-.*|keep-alive|method|origin|pragma|priority|proxy-.*|range|referer|require-codec|sec-.*|te|trailer|transfer-encoding|upgrade(?:-.*)?|user-agent|via|x-forwarded-.*|x-real-ip|codec-device)$/;

type Marks = ReadonlyMap<string, Value>;

/** Marks what the transport added; `own` are the keys that the caller meant (signed ones, those of the query). */
export function markTransport(message: Message, own: ReadonlySet<string>): Message {
  const marks = new Map<string, Value>();
  for (const [key, value] of message) if (HEADERS.test(key) && !own.has(key)) marks.set(key, value);
  return message.withPrivate({ transport: marks });
}

/** The marks of one message on another that was made of it. */
export function copyTransport(from: Message, to: Message): Message {
  const { transport } = from.private;
  return transport === undefined ? to : to.withPrivate({ transport });
}

/** Names of the keys of this message that the transport added and nobody has changed since. */
export function transportKeys(message: Message): ReadonlySet<string> {
  const marks = message.private['transport'] as Marks | undefined;
  if (!marks) return NONE;
  return new Set([...marks].filter(([key, value]) => message.get(key) === value).map(([key]) => key));
}

const NONE: ReadonlySet<string> = new Set();
