/** HTTP exchanges as the vector files record them, and what must hold of an answer (vectors README). */
import { fromBase64, fromBytes } from '../../src/base/bytes.ts';
import { messageId } from '../../src/commitment/id.ts';
import { Message } from '../../src/message/message.ts';
import { type Value } from '../../src/message/value.ts';
import type { HttpRequest, HttpResponse } from '../../src/resolver/context.ts';
import type { NodeContext } from '../../src/resolver/node-context.ts';
import { decodeReply } from '../../src/resolver/reply.ts';
import { check, Mismatch, type Json } from './family.ts';
import { expectValue, fromValue } from './value.ts';

export interface RecordedRequest {
  method: string;
  path: string;
  headers: { [name: string]: Json } | [string, Json][];
  body?: string;
}

export interface RecordedResponse {
  status: number;
  headers?: { [name: string]: Json };
  body?: string;
  decoded?: Json;
  value?: Json;
  'some-keys'?: Json;
  'html-page'?: boolean;
  'internal-error'?: boolean;
  'body-has-signature'?: boolean;
  'trace-dropped'?: boolean;
  'process-dropped'?: boolean;
}

/** A request as it was sent, headers as octets. */
export function toRequest({ method, path, headers, body = '' }: RecordedRequest): HttpRequest {
  const entries = Array.isArray(headers) ? headers : Object.entries(headers);
  return {
    method,
    target: path,
    headers: entries.map(([name, value]) => [name, octets(value)] as const),
    body: fromBase64(body),
  };
}

function octets(value: Json): string {
  if (typeof value === 'string') return value;
  const bin =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? value['$bin'] : undefined;
  if (typeof bin !== 'string') throw new Error('A recorded header is neither text nor bytes.');
  return fromBytes(fromBase64(bin));
}

/** Throws unless the response is what was recorded, as far as the record says. */
export async function expectResponse(
  recorded: RecordedResponse,
  got: HttpResponse,
  context: NodeContext,
  part = '',
): Promise<void> {
  const at = (name: string) => (part === '' ? name : `${part}/${name}`);
  if (recorded['internal-error']) {
    // Any refusal is right, as long as it is one.
    check(500, recorded.status, at('recorded status'));
    if (got.status < 400) throw new Mismatch('a refusal', describe(got), at('status'));
    return;
  }
  if (got.status !== recorded.status) throw new Mismatch(`${recorded.status}`, describe(got), at('status'));
  const headers = new Map(got.headers.map(([name, value]) => [name.toLowerCase(), value]));
  const skipped = skippedHeaders(recorded);
  for (const [name, value] of Object.entries(recorded.headers ?? {})) {
    if (skipped.has(name)) continue;
    check(octets(value), headers.get(name), at(`headers/${name}`));
  }
  if (recorded['html-page']) return;
  const reply = withoutCommitments(decodeReply(got));
  const comparison = {
    id: (value: Value) => messageId(value, 'signed'),
    load: (link: Value) => context.cache.load(link).catch(() => undefined),
    tables: true,
  };
  if (recorded['some-keys'] !== undefined) {
    for (const [key, value] of Object.entries(recorded['some-keys'] as { [key: string]: Json }))
      await expectValue(value, reply.get(key), { ...comparison, where: at(`some-keys/${key}`) });
    return;
  }
  if (recorded.decoded === undefined) return;
  const left = leftOut(recorded);
  const ignore = (path: readonly string[]) => path.length === 1 && left.has(path[0]!);
  await expectValue(recorded.decoded, reply, { ...comparison, ignore, where: at('decoded') });
  if (recorded.value !== undefined) {
    const key = reply.text('ao-result') ?? '';
    await expectValue(recorded.value, reply.get(key), { ...comparison, where: at('value') });
  }
  if (recorded.body === undefined) return;
  const body = fromBase64(recorded.body);
  if (!headers.has('codec-device')) check(fromBytes(body), fromBytes(got.body), at('body'));
  else
    await expectValue(fromValue(recordedReply(recorded, body)), reply, {
      ...comparison,
      ignore,
      where: at('body'),
    });
}

/** A body that may hold its members in another order, or a fresh signature: what it decodes to. */
function recordedReply({ status, headers = {} }: RecordedResponse, body: Uint8Array): Message {
  const entries = Object.entries(headers).map(([name, value]) => [name, octets(value)] as const);
  return withoutCommitments(decodeReply({ status, headers: entries, body }));
}

/** What the record leaves out of the body cannot agree with digests of it. */
function skippedHeaders(recorded: RecordedResponse): ReadonlySet<string> {
  return recorded['trace-dropped'] || recorded['process-dropped']
    ? new Set(['content-digest', 'content-type', 'content-length'])
    : new Set();
}

/** Keys of the answer that the record leaves out: the trace of a Lua failure, the definition of a process. */
function leftOut(recorded: RecordedResponse): ReadonlySet<string> {
  return new Set([
    ...(recorded['trace-dropped'] ? ['body', 'trace'] : []),
    ...(recorded['process-dropped'] ? ['process', 'body'] : []),
  ]);
}

function describe({ status, body }: HttpResponse): string {
  return `${status} ${fromBytes(body.subarray(0, 200))}`;
}

/** The message without `commitments`, at every depth. */
export function withoutCommitments(message: Message): Message {
  const fields = new Map<string, Value>();
  for (const [key, value] of message)
    if (key !== 'commitments') fields.set(key, value instanceof Message ? withoutCommitments(value) : value);
  return new Message(fields);
}
