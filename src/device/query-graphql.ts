/**
 * GraphQL of `query@1.0` (resolver.md §9.6): Arweave's own queries over what this node has stored. Filters narrow each
 * other. Of blocks only the one is known that the node's options name, and no message is known to be in it: results are
 * in the order in which their items came, the newest first unless asked otherwise.
 */
import { fromBase64, toBase64Url, utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeStructuredMessage } from '../codec/structured.ts';
import { linkify } from '../commitment/link.ts';
import { Message } from '../message/message.ts';
import { Atom, binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { KeyFunction } from '../resolver/device.ts';
import type { Write } from '../store/store.ts';
import { signaturesOf, unsignedId } from './message-id.ts';
import { currentBlock } from './schedules.ts';
import { itemsOf, readFirst, textOf } from './values.ts';

const SCHEMA = `
  scalar Any
  input KeyInput { name: String!, value: String! }
  input TagFilter { name: String!, values: [String!], op: String, match: String }
  input BlockFilter { min: Int, max: Int }
  type Tag { name: String!, value: String! }
  type Amount { winston: String!, ar: String! }
  type Owner { address: String!, key: String! }
  type MetaData { size: String!, type: String }
  type Block { id: ID!, timestamp: Int!, height: Int!, previous: ID! }
  type Bundle { id: ID! }
  type PageInfo { hasNextPage: Boolean! }
  type Transaction {
    id: ID!, anchor: String!, signature: String!, recipient: String!, owner: Owner!, fee: Amount!, quantity: Amount!,
    data: MetaData!, tags: [Tag!]!, block: Block, parent: Bundle, bundledIn: Bundle
  }
  type TransactionEdge { cursor: String!, node: Transaction! }
  type TransactionConnection { count: String, pageInfo: PageInfo!, edges: [TransactionEdge!]! }
  type BlockEdge { cursor: String!, node: Block! }
  type BlockConnection { pageInfo: PageInfo!, edges: [BlockEdge!]! }
  type Field { name: String!, value: String! }
  type StoredMessage { id: ID!, keys: [Field!]! }
  enum SortOrder { HEIGHT_ASC HEIGHT_DESC }
  type Query {
    message(keys: [KeyInput!]): StoredMessage
    transaction(id: ID!): Transaction
    transactions(
      id: ID, ids: [ID!], owners: [String!], recipients: [String!], tags: [TagFilter!], bundledIn: [ID!],
      block: BlockFilter, height: BlockFilter, first: Int, after: String, sort: SortOrder
    ): TransactionConnection!
    block(id: String): Block
    blocks(ids: [ID!], height: BlockFilter, first: Int, after: String, sort: SortOrder): BlockConnection!
  }
`;

/** Characters of a query, and results on one page. */
const MAX_QUERY = 16_384;
const MAX_PAGE = 1000;
const PAGE = 10;
/** Values that one tag may be looked for by. */
const MAX_VALUES = 100;

interface Filters {
  id?: string;
  ids?: string[];
  owners?: string[];
  recipients?: string[];
  tags?: { name: string; values?: string[]; op?: string }[];
  bundledIn?: string[];
  block?: Heights;
  height?: Heights;
  first?: number;
  after?: string;
  sort?: 'HEIGHT_ASC' | 'HEIGHT_DESC';
}

interface Heights {
  min?: number;
  max?: number;
}

type Json = Record<string, unknown>;

export const graphql: KeyFunction = async (base, request, context) => {
  const { query, variables, operation } = await readQuery(base, request, context);
  // Kept out of what every node loads: few are ever asked.
  const { buildSchema, graphql: execute } = await import('graphql');
  const schema = context.memory('graphql-schema', () => buildSchema(SCHEMA));
  const result = await execute({
    schema,
    source: query,
    rootValue: rootOf(context),
    variableValues: variables,
    operationName: operation,
  });
  const plain = {
    ...(result.data === undefined ? {} : { data: result.data }),
    ...(result.errors ? { errors: result.errors.map(({ message }) => ({ message })) } : {}),
  };
  return Message.of({ 'content-type': 'application/json', body: JSON.stringify(plain) });
};

async function readQuery(base: Message, request: Message, context: Context) {
  const body = await readFirst(
    [
      [request, 'body'],
      [base, 'body'],
    ],
    context,
  );
  const json = isBinary(body) ? parseJson(utf8(binaryBytes(body)) ?? '') : undefined;
  const direct = textOf(
    await readFirst(
      [
        [request, 'query'],
        [base, 'query'],
      ],
      context,
    ),
  );
  const query = direct ?? (typeof json?.['query'] === 'string' ? json['query'] : undefined);
  if (query === undefined) throw new AoError('bad-query', 'There is no GraphQL query in the request.');
  if (query.length > MAX_QUERY)
    throw new AoError('bad-query', 'The GraphQL query is too long.', { status: 413 });
  const named = textOf(request.get('variables'));
  const variables = (named === undefined ? undefined : parseJson(named)) ?? json?.['variables'];
  const operation =
    textOf(request.get('operationName')) ?? textOf(request.get('operationname')) ?? json?.['operationName'];
  return {
    query,
    variables: isRecord(variables) ? variables : {},
    operation: typeof operation === 'string' ? operation : null,
  };
}

function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rootOf(context: Context) {
  return {
    message: async ({ keys = [] }: { keys?: { name: string; value: string }[] }) => {
      const [id] = await context.cache.match(
        Message.from(keys.map(({ name, value }) => [name, value] as const)),
      );
      const value = id === undefined ? undefined : await context.cache.read(id);
      return id !== undefined && value instanceof Message ? { id, keys: fieldsOf(value) } : null;
    },
    transaction: async ({ id }: { id: string }) => {
      const value = await context.cache.read(id);
      return value instanceof Message ? transactionOf(value, context) : null;
    },
    transactions: (filters: Filters) => transactions(filters, context),
    block: ({ id }: { id?: string }) => {
      const block = blockHere(context);
      return block && (id === undefined || id === block.id) ? block : null;
    },
    blocks: (filters: BlockFilters) => {
      const block = blockHere(context);
      const edges = block && matches(block, filters) ? [{ cursor: block.id, node: block }] : [];
      return { pageInfo: { hasNextPage: false }, edges };
    },
  };
}

interface BlockFilters {
  ids?: string[];
  height?: Heights;
  first?: number;
  after?: string;
}

/** The one block that a node knows: that which its options name. */
function blockHere(context: Context) {
  const { height, hash, timestamp } = currentBlock(context);
  if (height === 0n) return undefined;
  return { id: hash, height: Number(height), timestamp: Number(timestamp), previous: '' };
}

function matches(
  block: { id: string; height: number },
  { ids, height, first, after }: BlockFilters,
): boolean {
  if (first === 0 || after === block.id) return false;
  if (ids && !ids.includes(block.id)) return false;
  return block.height >= (height?.min ?? 0) && block.height <= (height?.max ?? Infinity);
}

async function transactions(filters: Filters, context: Context) {
  const ids = await inOrder(await find(filters, context), filters.sort, context);
  const start = filters.after ? ids.indexOf(filters.after) + 1 : 0;
  const page = ids.slice(start, start + Math.min(Math.max(filters.first ?? PAGE, 0), MAX_PAGE));
  const edges = [];
  for (const id of page) {
    const value = await context.cache.read(id);
    if (value instanceof Message) edges.push({ cursor: id, node: await transactionOf(value, context) });
  }
  return { count: String(ids.length), pageInfo: { hasNextPage: start + page.length < ids.length }, edges };
}

const TAKEN = 'taken';

/** To be written with an item that is stored under this ID: when it came. */
export function takenWrite(id: string, context: Context): Write {
  const last = context.memory('taken', () => ({ at: 0 }));
  // Two of one millisecond keep their order.
  last.at = Math.max(context.clock.now(), last.at + 1 / 1024);
  return { table: 'node', key: [TAKEN, id], value: last.at };
}

/** By when they came, the newest first; what came otherwise than as an item counts as the oldest. */
async function inOrder(
  ids: readonly string[],
  sort: Filters['sort'],
  context: Context,
): Promise<readonly string[]> {
  const keys = ids.map((id) => [TAKEN, id]);
  const times = await context.store.getMany<number>('node', keys);
  const at = new Map(ids.map((id, index) => [id, times[index] ?? 0]));
  const sign = sort === 'HEIGHT_ASC' ? 1 : -1;
  return ids.toSorted((a, b) => sign * (at.get(a)! - at.get(b)!));
}

/** True for what only asks for messages that are in blocks, of which none here is known to be. */
function asksForBlocks({ block, height, bundledIn }: Filters): boolean {
  const bounded = (range: Heights | undefined) => range && ((range.min ?? 0) > 0 || range.max !== undefined);
  return bundledIn !== undefined || Boolean(bounded(block)) || Boolean(bounded(height));
}

/** IDs that every filter lets through. */
async function find(filters: Filters, context: Context): Promise<string[]> {
  if (asksForBlocks(filters)) return [];
  const sets: Set<string>[] = [];
  const asked = filters.id === undefined ? filters.ids : [filters.id, ...(filters.ids ?? [])];
  if (asked) {
    const here = [];
    for (const id of asked) {
      const value = await context.cache.read(id);
      if (value instanceof Message) here.push(await unsignedId(value, context));
    }
    sets.push(new Set(here));
  }
  const matchAny = async (key: string, values: readonly string[]) => {
    const found = await Promise.all(values.map((value) => context.cache.match(Message.from([[key, value]]))));
    sets.push(new Set(found.flat()));
  };
  if (filters.owners) await matchAny('committer', filters.owners);
  if (filters.recipients) await matchAny('target', filters.recipients);
  for (const { name, values = [], op = 'EQ' } of filters.tags ?? []) {
    if (op.toUpperCase() !== 'EQ')
      throw new AoError('bad-query', 'Tags are looked for by their values alone.');
    if (values.length === 0 || values.length > MAX_VALUES)
      throw new AoError('bad-query', `A tag is looked for by one value to ${MAX_VALUES}.`);
    await matchAny(name.toLowerCase(), values);
  }
  const [first = new Set<string>(), ...others] = sets;
  return [...first].filter((id) => others.every((set) => set.has(id)));
}

function fieldsOf(message: Message): { name: string; value: string }[] {
  const tabm = encodeStructuredMessage(linkify(message.without('commitments')));
  return [...tabm].flatMap(([name, value]) => (isBinary(value) ? [{ name, value: readable(value) }] : []));
}

function readable(value: Value): string {
  if (!isBinary(value)) return '';
  const bytes = binaryBytes(value);
  return utf8(bytes) ?? toBase64Url(bytes);
}

/** Tags as the item of the message has them; of a message that is no item, its keys. */
function tagsOf(message: Message, commitment: Message | undefined): { name: string; value: string }[] {
  const original = itemsOf(commitment?.get('original-tags'));
  if (original)
    return original.flatMap((tag) =>
      tag instanceof Message
        ? [{ name: readable(tag.get('name') ?? ''), value: readable(tag.get('value') ?? '') }]
        : [],
    );
  return fieldsOf(message).filter(({ name }) => name !== 'data' && name !== 'body' && name !== 'target');
}

async function transactionOf(message: Message, context: Context) {
  const [signature] = signaturesOf(message);
  const data = message.get('data') ?? message.get('body') ?? '';
  const size = isBinary(data) ? binaryBytes(data).length : 0;
  const key = signature?.commitment.text('keyid')?.replace(/^publickey:/, '') ?? '';
  const nothing = { winston: '0', ar: '0' };
  return {
    id: signature?.id ?? (await unsignedId(message, context)),
    anchor: message.text('anchor') ?? '',
    signature: signature?.commitment.text('signature') ?? '',
    recipient: message.text('target') ?? '',
    owner: { address: signature?.committer ?? '', key: key === '' ? '' : toBase64Url(fromBase64(key)) },
    fee: nothing,
    quantity: nothing,
    data: { size: String(size), type: message.text('content-type') ?? null },
    tags: tagsOf(message, signature?.commitment),
    block: null,
    parent: null,
    bundledIn: null,
  };
}

/** True if a GraphQL answer in the body has at least one result. */
export const hasResults: KeyFunction = async (base, request, context) => {
  const body = await readFirst(
    [
      [request, 'body'],
      [base, 'body'],
    ],
    context,
  );
  const json = isBinary(body) ? parseJson(utf8(binaryBytes(body)) ?? '') : undefined;
  const data = json?.['data'];
  const lists = isRecord(data) ? Object.values(data) : [];
  return Atom.boolean(
    lists.some((list) => isRecord(list) && Array.isArray(list['edges']) && list['edges'].length > 0),
  );
};
