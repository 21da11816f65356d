/**
 * WeaveDrive (process.md §4.9): what a legacynet program may read from outside, answered from this node's store and
 * else from the gateway (node option `gateway`; none: only the store).
 *
 * A program reads data only if its process says so: the ID is the process's `On-Boot`, or the module or process
 * declares `Extension: WeaveDrive` and somebody whom the process trusts (its `Scheduler`, its `Attestor`s) attested
 * the ID at or below the height of the message. Headers and blocks need the extension alone.
 */
import { fromBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { Drive } from '../engine/program.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { itemsOf, readKey, textOf } from './values.ts';

const MAX_DATA = 512 * 1024 * 1024;
const MAX_JSON = 4 * 1024 * 1024;
const TIMEOUT = 30_000;
const ID = /^[A-Za-z0-9_-]{43}$/;

/** All values of a tag: original tags repeat a name, a message has it once, split at commas. */
function tagValues(message: Message | undefined, name: string): string[] {
  const value = message?.get(name.toLowerCase()) ?? message?.get(name);
  const items = itemsOf(value)?.map(textOf) ?? [textOf(value)];
  return items.flatMap((item) => item?.split(',').map((part) => part.trim()) ?? []).filter(Boolean);
}

function declares(message: Message | undefined): boolean {
  return tagValues(message, 'Extension').includes('WeaveDrive');
}

/** The drive of a process's program; undefined for one that asks for none. */
export function driveOf(process: Message, module: Message | undefined, context: Context): Drive | undefined {
  const extended = declares(process) || declares(module);
  const onBoot = tagValues(process, 'On-Boot').find((id) => ID.test(id));
  if (!extended && onBoot === undefined) return undefined;
  const trusted = [...tagValues(process, 'Scheduler'), ...tagValues(process, 'Attestor')];
  const [mode] = [...tagValues(process, 'Availability-Type'), ...tagValues(module, 'Availability-Type')];
  return async (path, height) => {
    const [, kind, name] = /^\/(data|tx|block)\/([^/]+)$/.exec(path) ?? [];
    if (name === undefined || (kind !== 'data' && !extended)) return undefined;
    if (kind === 'block')
      return /^\d{1,12}$/.test(name) && (height === undefined || Number(name) <= height)
        ? fromGateway(`/block/height/${name}`, MAX_JSON, context)
        : undefined;
    if (!ID.test(name)) return undefined;
    if (kind === 'tx') return headerOf(name, context);
    const allowed = name === onBoot || (extended && (await attested(name, trusted, mode, height, context)));
    return allowed ? dataOf(name, context) : undefined;
  };
}

/** The data of a message or binary that this node has, else what the gateway has. */
async function dataOf(id: string, context: Context): Promise<Uint8Array | undefined> {
  const found = await context.cache.read(id);
  const data =
    found instanceof Message
      ? ((await readKey(found, 'data', context)) ?? (await readKey(found, 'body', context)))
      : found;
  if (isBinary(data)) return binaryBytes(data);
  return (await fromGateway(`/raw/${id}`, MAX_DATA, context)) ?? fromGateway(`/${id}`, MAX_DATA, context);
}

/** A transaction's header, with its owner's address beside the key. */
async function headerOf(id: string, context: Context): Promise<Uint8Array | undefined> {
  const octets = await fromGateway(`/tx/${id}`, MAX_JSON, context);
  if (!octets) return undefined;
  const header = json(octets) as { owner?: unknown } | undefined;
  if (typeof header !== 'object' || header === null) return undefined;
  const variables = { ids: [id] };
  const query = 'query ($ids: [ID!]) { transactions(ids: $ids) { edges { node { owner { address } } } } }';
  const [node] = await nodes(query, variables, context);
  return toBytes(JSON.stringify({ ...header, ownerAddress: node?.owner?.address ?? '' }));
}

interface GatewayNode {
  readonly owner?: { readonly address?: string };
  readonly block?: { readonly height?: number } | null;
}

const ATTESTATIONS = `query ($owners: [String!], $tags: [TagFilter!], $block: BlockFilter) {
  transactions(owners: $owners, tags: $tags, block: $block, first: 10) {
    edges { node { owner { address } block { height } } }
  }
}`;

async function attested(
  id: string,
  trusted: readonly string[],
  mode: string | undefined,
  height: number | undefined,
  context: Context,
): Promise<boolean> {
  if (trusted.length === 0) return false;
  const asked = [
    [
      { name: 'Type', values: ['Attestation'] },
      { name: 'Message', values: [id] },
      { name: 'Data-Protocol', values: ['ao'] },
    ],
  ];
  if (mode === 'Individual')
    asked.push([
      { name: 'Type', values: ['Available'] },
      { name: 'ID', values: [id] },
      { name: 'Data-Protocol', values: ['WeaveDrive'] },
    ]);
  const block = height === undefined ? undefined : { max: height };
  for (const tags of asked) {
    const found = await nodes(ATTESTATIONS, { owners: trusted, tags, block }, context);
    // The gateway may leave the filter unheeded: what it says is looked at again.
    const counts = ({ owner, block: at }: GatewayNode) =>
      trusted.includes(owner?.address ?? '') &&
      (height === undefined || (typeof at?.height === 'number' && at.height <= height));
    if (found.some(counts)) return true;
  }
  return false;
}

async function nodes(query: string, variables: unknown, context: Context): Promise<GatewayNode[]> {
  const octets = await ask('POST', '/graphql', JSON.stringify({ query, variables }), MAX_JSON, context);
  const reply = octets && (json(octets) as { data?: { transactions?: { edges?: unknown } } } | undefined);
  const edges = reply?.data?.transactions?.edges;
  if (octets && !Array.isArray(edges)) throw failed('The gateway did not answer the query.');
  return ((edges ?? []) as { node?: GatewayNode }[]).flatMap((edge) => (edge?.node ? [edge.node] : []));
}

function fromGateway(path: string, limit: number, context: Context): Promise<Uint8Array | undefined> {
  return ask('GET', path, '', limit, context);
}

/**
 * Undefined for what the gateway does not have, or where there is no gateway.
 * @throws AoError `drive-failed` (503): whether it is there cannot be told now, so no result may be made of it
 */
async function ask(
  method: string,
  path: string,
  body: string,
  maxBytes: number,
  context: Context,
): Promise<Uint8Array | undefined> {
  const gateway = textOf(context.option('gateway'))?.replace(/\/+$/, '');
  if (!gateway) return undefined;
  const headers = method === 'POST' ? [['content-type', 'application/json'] as const] : [];
  const request = { method, target: gateway + path, headers, body: toBytes(body) };
  let response;
  try {
    response = await context.http.request(request, { timeout: TIMEOUT, maxBytes });
  } catch (thrown) {
    throw failed('The gateway could not be asked.', thrown);
  }
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw failed(`The gateway answered with status ${response.status}.`);
  return response.body;
}

function json(octets: Uint8Array): unknown {
  try {
    return JSON.parse(fromBytes(octets));
  } catch {
    return undefined;
  }
}

function failed(sentence: string, cause?: unknown): AoError {
  return new AoError('drive-failed', sentence, { status: 503, cause });
}
