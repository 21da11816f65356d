/** Which node schedules a process (process.md §2.6), and the records in which schedulers say where they are. */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { itemsOf, readKey, textOf } from './values.ts';

export type Located =
  | { readonly at: 'here' }
  | { readonly at: 'elsewhere'; readonly url: string; readonly variant: string; readonly address: string };

/** Where records are kept, by the address of who signed them. */
export const RECORDS = 'scheduler@1.0/locations';

/** Addresses in a comma-separated text or a list; quotes are stripped. */
export async function addressesOf(value: Value | undefined, context: Context): Promise<string[]> {
  const loaded = await readKey(Message.from(value === undefined ? [] : [['v', value]]), 'v', context);
  const items = itemsOf(loaded) ?? (loaded === undefined ? [] : [loaded]);
  return items
    .flatMap((item) => (textOf(item) ?? '').split(','))
    .map((text) => text.trim().replace(/^"|"$/g, ''))
    .filter((text) => text !== '');
}

/** Addresses that may schedule a process, by its own keys, else by the request's. */
export async function schedulersOf(process: Message, request: Message, context: Context): Promise<string[]> {
  for (const value of [
    process.get('scheduler'),
    process.get('scheduler-location'),
    request.get('scheduler-location'),
  ]) {
    const addresses = await addressesOf(value, context);
    if (addresses.length) return addresses;
  }
  return [];
}

/**
 * Where a process is scheduled.
 * @throws AoError `no-scheduler` (404), `scheduler-unknown` (404)
 */
export async function locate(process: Message, request: Message, context: Context): Promise<Located> {
  const addresses = await schedulersOf(process, request, context);
  if (addresses.length === 0)
    throw new AoError('no-scheduler', 'No scheduler information provided.', { status: 404 });
  if (addresses.includes(context.identity.address)) return { at: 'here' };
  for (const address of addresses) {
    const url = hintIn(address, context);
    if (url !== undefined)
      return { at: 'elsewhere', url, variant: 'ao.N.1', address: address.split('?')[0]! };
    const record = await readLocation(address, context);
    const known = textOf(record?.get('url')) ?? textOf(record?.get('Url'));
    if (record && known)
      return { at: 'elsewhere', url: known, variant: textOf(record.get('variant')) ?? 'ao.N.1', address };
  }
  throw new AoError('scheduler-unknown', `Nothing is known of the scheduler ${addresses[0]}.`, {
    status: 404,
    detail: { addresses },
  });
}

/** Where a text like `ID?hint=URL` says that the scheduler is, if this node heeds hints. */
export function hintIn(text: string | undefined, context: Context): string | undefined {
  const hint = /^[^?]*\?(?:.*&)?hint=([^&]+)/.exec(text ?? '')?.[1];
  if (!hint || textOf(context.option('scheduler-follow-hints')) === 'false') return undefined;
  try {
    return decodeURIComponent(hint);
  } catch {
    return undefined;
  }
}

/** The newest location record of an address that this node has, or that the gateway has where one is set. */
export async function readLocation(address: string, context: Context): Promise<Message | undefined> {
  const kept = await context.cache.read(`${RECORDS}/${address}`);
  if (kept instanceof Message) return kept;
  return fromGateway(address, context);
}

const QUERY = `query($owners: [String!]!) { transactions(owners: $owners, tags: [
  { name: "Data-Protocol", values: ["ao"] }, { name: "Type", values: ["Scheduler-Location"] }], first: 1) {
  edges { node { id tags { name value } } } } }`;

async function fromGateway(address: string, context: Context): Promise<Message | undefined> {
  const gateway = textOf(context.option('gateway'));
  if (!gateway || !/^[A-Za-z0-9_-]{43}$/.test(address)) return undefined;
  try {
    const response = await context.http.request(
      {
        method: 'POST',
        target: `${gateway.replace(/\/$/, '')}/graphql`,
        headers: [['content-type', 'application/json']],
        body: new TextEncoder().encode(JSON.stringify({ query: QUERY, variables: { owners: [address] } })),
      },
      { timeout: 10_000, maxBytes: 1 << 20 },
    );
    if (response.status !== 200) return undefined;
    return recordOf(JSON.parse(fromBytes(response.body)) as GatewayReply);
  } catch {
    // Without the gateway the scheduler stays unknown; the caller says so.
    return undefined;
  }
}

interface GatewayReply {
  data?: { transactions?: { edges?: { node?: { tags?: { name: string; value: string }[] } }[] } };
}

function recordOf(reply: GatewayReply): Message | undefined {
  const tags = reply.data?.transactions?.edges?.[0]?.node?.tags;
  if (!Array.isArray(tags)) return undefined;
  return Message.from(tags.map(({ name, value }) => [String(name).toLowerCase(), String(value)] as const));
}
