/**
 * A recorded process that ships with the app, so that verifying can be tried on first start and without a network: its
 * schedule is the very reply that a HyperBEAM node signed, its states are what that node computed. A twin of it lies
 * about one balance from some slot on. Both answer at addresses that exist nowhere else.
 */
import { fromBase64, fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeHttp } from '../commitment/http.ts';
import { integerOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import { fromPlain } from '../message/plain.ts';
import { binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { VerifiableSample } from '../protocol/api.ts';
import type { HttpRequest, HttpResponse, Transport } from '../resolver/context.ts';
import { jsonToPlain } from './plain-json.ts';

/** The file, made by `test/setup/make-sample.ts` from recorded data. */
export interface RecordedProcess {
  readonly process: string;
  /** The node's signed reply to `GET /PID~process@1.0/schedule`. */
  readonly schedule: { readonly headers: readonly (readonly [string, string])[]; readonly body: string };
  /** Messages that the process stands on, by ID, in the form of `plain-json.ts`. */
  readonly messages: Readonly<Record<string, unknown>>;
  /** State with results after each slot, in the same form. */
  readonly states: readonly unknown[];
  /** What the twin says instead, from a slot on. */
  readonly lie: { readonly slot: number; readonly path: readonly string[]; readonly value: string };
}

const HONEST = 'https://recorded.beamlet.example';
const LYING = 'https://tampered.beamlet.example';
const FILE = '/samples/recorded.json';

/** `http`, with the recorded process answering at its own addresses. */
export function withSamplePeers(
  http: Transport,
  load: () => Promise<RecordedProcess> = loadRecorded,
): Transport {
  let record: Promise<RecordedProcess> | undefined;
  return {
    async request(request, options) {
      const lying = request.target.startsWith(`${LYING}/`);
      if (!lying && !request.target.startsWith(`${HONEST}/`)) return http.request(request, options);
      record ??= load();
      record.catch(() => (record = undefined));
      return answer(request, await record, lying);
    },
  };
}

/** What can be verified without a network. */
export async function verifiableSamples(
  load: () => Promise<RecordedProcess> = loadRecorded,
): Promise<VerifiableSample[]> {
  const { process, lie } = await load();
  const path = `${process}~process@1.0/now/${lie.path.join('/')}`;
  return [
    {
      title: 'A recorded ledger',
      about: 'Recorded from a real HyperBEAM node: its signed schedule and what it computed.',
      url: `${HONEST}/${path}`,
    },
    {
      title: 'Its tampered twin',
      about: `The same process, served by a node that lies about a balance.`,
      url: `${LYING}/${path}`,
    },
  ];
}

async function loadRecorded(): Promise<RecordedProcess> {
  const response = await fetch(FILE).catch(() => undefined);
  if (!response?.ok || !response.headers.get('content-type')?.includes('json'))
    throw new AoError('sample-unreachable', 'The recorded process is not served with this page.', {
      status: 404,
    });
  return (await response.json()) as RecordedProcess;
}

async function answer(
  { target }: HttpRequest,
  record: RecordedProcess,
  lying: boolean,
): Promise<HttpResponse> {
  const path = target.replace(/^https:\/\/[^/]+/, '');
  const base = `/${record.process}~process@1.0/`;
  const head = record.states.length - 1;
  if (path === `${base}slot/current`) return literal(BigInt(head));
  if (path.startsWith(`${base}schedule`)) return schedule(record, path, head);
  const asked = /^compute&slot=(\d{1,9})(?:\/(.*))?$/.exec(
    path.startsWith(base) ? path.slice(base.length) : '',
  );
  if (asked) return computed(record, Number(asked[1]), asked[2] ?? '', lying);
  const stored = record.messages[path.slice(1)];
  return stored === undefined ? literal('not_found', 404) : reply(fromPlain(jsonToPlain(stored)));
}

function schedule(
  { schedule: { headers, body } }: RecordedProcess,
  path: string,
  head: number,
): HttpResponse {
  const from = integerOf(/[&?]from=(\d{1,9})/.exec(path)?.[1]) ?? 0;
  if (from > head) return { status: 404, headers: [], body: new Uint8Array(0) };
  return { status: 200, headers, body: fromBase64(body) };
}

async function computed(
  record: RecordedProcess,
  slot: number,
  path: string,
  lying: boolean,
): Promise<HttpResponse> {
  const plain = record.states[slot];
  if (plain === undefined) return literal('not_found', 404);
  let value: Value | undefined = fromPlain(jsonToPlain(plain));
  const { lie } = record;
  if (lying && slot >= lie.slot) value = replaced(value, lie.path, lie.value);
  for (const key of path.split('/').filter((part) => part !== ''))
    value = value instanceof Message ? value.get(key) : undefined;
  return value === undefined ? literal('not_found', 404) : reply(value);
}

function replaced(value: Value, [key, ...rest]: readonly string[], to: string): Value {
  if (key === undefined || !(value instanceof Message)) return to;
  return value.with({ [key]: replaced(value.get(key) ?? Message.empty, rest, to) });
}

function literal(value: Value, status = 200): Promise<HttpResponse> {
  return reply(
    Message.from([
      ['ao-result', 'body'],
      ['body', value],
    ]),
    status,
  );
}

async function reply(value: Value, status = 200): Promise<HttpResponse> {
  if (!(value instanceof Message)) return literal(value, status);
  const { headers, body } = await encodeHttp(value.with({ status: BigInt(status) }), { bundle: true });
  const list = [...headers].map(([name, field]): [string, string] => [
    name,
    isBinary(field) ? fromBytes(binaryBytes(field)) : '',
  ]);
  return { status, headers: list, body: body ?? new Uint8Array(0) };
}
