/** Fields of an answer that servers and proxies add by themselves: they are no part of what a node says. */
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';

const FIELDS = new Set([
  'age',
  'alt-svc',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'date',
  'etag',
  'expires',
  'keep-alive',
  'last-modified',
  'nel',
  'pragma',
  'referrer-policy',
  'report-to',
  'reporting-endpoints',
  'server',
  'server-timing',
  'strict-transport-security',
  'timing-allow-origin',
  'transfer-encoding',
  'vary',
  'via',
]);
const PREFIXES = [
  'access-control-',
  'cf-',
  'x-cache',
  'x-amz-',
  'x-served-by',
  'x-timer',
  'x-fastly-',
  'x-envoy-',
];

export function isTransportField(name: string): boolean {
  return FIELDS.has(name) || PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Keys of every answer that say how it came, not what it says. */
const ENVELOPE = new Set(['commitments', 'status', 'ao-types', 'hashpath']);

export function isEnvelope(name: string): boolean {
  return ENVELOPE.has(name) || isTransportField(name);
}

/** What an answer says, where its value is the whole of it. What our own value has under such a name stays. */
export function withoutEnvelope(said: Value, right?: Value): Value {
  if (!(said instanceof Message)) return said;
  const ours = right instanceof Message ? right : Message.empty;
  return said.filter((key) => ours.has(key) || !isEnvelope(key));
}
