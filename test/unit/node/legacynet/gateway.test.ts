/** The gateway's routes and GraphQL over items that this node was given. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createItem, rsaSigner } from '../../../../src/commitment/ans104-sign.ts';
import type { DataItem } from '../../../../src/codec/ans104-item.ts';
import { Message } from '../../../../src/message/message.ts';
import { answerUnit } from '../../../../src/node/legacynet/routes.ts';
import type { NodeContext } from '../../../../src/resolver/node-context.ts';
import { testNode, testWallet } from '../../../setup/test-node.ts';

const HEIGHT = 1_500_000;
const TARGET = 'Sx3p-Bqo8x2w4l_0zQ1aVbN5cXdYfGhJkLmNoPqRsTs';
let context: NodeContext;
let address: string;
const items: DataItem[] = [];

async function ask(method: string, path: string, body: Uint8Array | string = '') {
  const octets = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const target = `/~legacynet@1.0/gateway${path}`;
  const answer = await answerUnit({ method, target, headers: [], body: octets }, context);
  return { status: answer.status, text: new TextDecoder().decode(answer.body), headers: answer.headers };
}

async function query(text: string, variables: Record<string, unknown> = {}) {
  const { status, text: json } = await ask('POST', '/graphql', JSON.stringify({ query: text, variables }));
  expect(status).toBe(200);
  return JSON.parse(json) as { data: Record<string, never>; errors?: { message: string }[] };
}

interface Page {
  pageInfo: { hasNextPage: boolean };
  edges: { cursor: string; node: Record<string, unknown> }[];
}
const FIND = `query ($tags: [TagFilter!], $owners: [String!], $recipients: [String!], $ids: [ID!], $first: Int, $after: String, $sort: SortOrder, $block: BlockFilter) {
  transactions(tags: $tags, owners: $owners, recipients: $recipients, ids: $ids, first: $first, after: $after, sort: $sort, block: $block) {
    pageInfo { hasNextPage } edges { cursor node { id anchor recipient owner { address key } data { size type } tags { name value } block { height } } } } }`;
async function find(variables: Record<string, unknown>): Promise<Page> {
  return (await query(FIND, variables)).data['transactions'] as unknown as Page;
}
const idsOf = ({ edges }: Page) => edges.map(({ node }) => node['id']).sort();
const idsHere = (...indexes: number[]) => indexes.map((index) => items[index]!.idText).sort();

beforeAll(async () => {
  const config = Message.of({ 'block-height': BigInt(HEIGHT), 'block-hash': 'hash', 'block-timestamp': 7n });
  ({ context } = await testNode({ config }));
  const wallet = await testWallet();
  address = wallet.address;
  for (const [index, kind] of ['One', 'Two', 'Three'].entries()) {
    const tags = [
      { name: 'Data-Protocol', value: 'ao' },
      { name: 'Kind', value: kind },
      { name: 'Content-Type', value: 'text/plain' },
    ];
    const data = `data ${kind}`;
    const item = await createItem(
      { data, tags, ...(index === 0 ? { target: TARGET } : {}) },
      rsaSigner(wallet),
    );
    items.push(item);
    expect((await ask('POST', '/tx', item.toBytes())).status).toBe(200);
  }
});

describe('GraphQL', () => {
  it('finds by one value of a tag or several, by owner, recipient and ID', async () => {
    expect(idsOf(await find({ tags: [{ name: 'Kind', values: ['One'] }] }))).toEqual(idsHere(0));
    expect(idsOf(await find({ tags: [{ name: 'Kind', values: ['One', 'Three'] }] }))).toEqual(idsHere(0, 2));
    expect(
      idsOf(await find({ owners: [address], tags: [{ name: 'Data-Protocol', values: ['ao'] }] })),
    ).toEqual(idsHere(0, 1, 2));
    expect(idsOf(await find({ recipients: [TARGET] }))).toEqual(idsHere(0));
    expect(idsOf(await find({ ids: [items[1]!.idText] }))).toEqual(idsHere(1));
    expect(idsOf(await find({ owners: [TARGET] }))).toEqual([]);
  });

  it('pages by cursors', async () => {
    const tags = [{ name: 'Data-Protocol', values: ['ao'] }];
    const seen: unknown[] = [];
    let after: string | undefined;
    for (let page = 0; page < 3; page++) {
      const { pageInfo, edges } = await find({ tags, first: 1, ...(after ? { after } : {}) });
      expect(edges).toHaveLength(1);
      expect(pageInfo.hasNextPage).toBe(page < 2);
      seen.push(edges[0]!.node['id']);
      after = edges[0]!.cursor;
    }
    expect(seen.sort()).toEqual(idsHere(0, 1, 2));
  });

  it('shows the newest first, unless asked for the oldest', async () => {
    const tags = [{ name: 'Data-Protocol', values: ['ao'] }];
    const ids = async (variables: Record<string, unknown>) =>
      (await find({ tags, ...variables })).edges.map(({ node }) => node['id']);
    const [one, two, three] = items.map(({ idText }) => idText);
    expect(await ids({})).toEqual([three, two, one]);
    expect(await ids({ sort: 'HEIGHT_DESC', first: 1 })).toEqual([three]);
    expect(await ids({ sort: 'HEIGHT_ASC' })).toEqual([one, two, three]);
    const { edges } = await find({ tags, sort: 'HEIGHT_ASC', first: 1 });
    expect(await ids({ sort: 'HEIGHT_ASC', after: edges[0]!.cursor })).toEqual([two, three]);
  });

  it('finds nothing that is in a block, since nothing here is', async () => {
    const tags = [{ name: 'Data-Protocol', values: ['ao'] }];
    for (const block of [{ min: 1 }, { max: HEIGHT + 1 }, { min: HEIGHT, max: HEIGHT }])
      expect((await find({ tags, block })).edges).toEqual([]);
    expect((await find({ tags, block: { min: 0 } })).edges).toHaveLength(3);
  });

  it('answers the queries that aoconnect sends', async () => {
    const location = await createItem(
      {
        tags: [
          { name: 'Data-Protocol', value: 'ao' },
          { name: 'Type', value: 'Scheduler-Location' },
          { name: 'Url', value: 'http://old.test' },
          { name: 'Time-To-Live', value: '1000' },
        ],
      },
      rsaSigner(await testWallet()),
    );
    const newer = await createItem(
      {
        tags: location.tags.map(({ name }) => ({
          name,
          value: name === 'Url' ? 'http://new.test' : String(location.tag(name)),
        })),
      },
      rsaSigner(await testWallet()),
    );
    for (const item of [location, newer]) expect((await ask('POST', '/tx', item.toBytes())).status).toBe(200);
    const located = await query(
      `query GetSchedulerLocation ($owner: String!) { transactions (owners: [$owner] tags: [
        { name: "Data-Protocol", values: ["ao"] }, { name: "Type", values: ["Scheduler-Location"] }]
        # Only need the most recent Scheduler-Location
        sort: HEIGHT_DESC first: 1) { edges { node { tags { name value } } } } }`,
      { owner: address },
    );
    expect((located.data['transactions'] as unknown as Page).edges.map(({ node }) => node['tags'])).toEqual([
      newer.tags,
    ]);
    const named = await query(
      `query GetTransactions ($transactionIds: [ID!]!) { transactions(ids: $transactionIds) {
        edges { node { owner { address } tags { name value } block { id height timestamp } } } } }`,
      { transactionIds: [items[0]!.idText] },
    );
    expect((named.data['transactions'] as unknown as Page).edges[0]!.node).toMatchObject({
      owner: { address },
      tags: items[0]!.tags,
    });
  });

  it('shows an item as it was signed', async () => {
    const { edges } = await find({ ids: [items[0]!.idText] });
    expect(edges[0]!.node).toMatchObject({
      recipient: TARGET,
      owner: { address },
      data: { size: '8', type: 'text/plain' },
      tags: items[0]!.tags,
      block: null,
    });
  });

  it('knows the block that its options name', async () => {
    const text = `query ($height: BlockFilter) { blocks(height: $height) { edges { node { id height timestamp } } } }`;
    const blocks = async (height?: Record<string, number>) =>
      ((await query(text, height ? { height } : {})).data['blocks'] as unknown as Page).edges;
    expect(await blocks()).toEqual([{ node: { id: 'hash', height: HEIGHT, timestamp: 7 } }]);
    expect(await blocks({ min: HEIGHT + 1 })).toEqual([]);
  });

  it('says what it cannot look for', async () => {
    const { errors } = await query(FIND, { tags: [{ name: 'Kind', values: ['One'], op: 'NEQ' }] });
    expect(errors?.[0]?.message).toMatch(/by their values/);
    const empty = await query(FIND, { tags: [{ name: 'Kind', values: [] }] });
    expect(empty.errors).toHaveLength(1);
    expect((await ask('POST', '/graphql', '{}')).status).toBe(400);
    expect((await ask('POST', '/graphql', 'no json')).status).toBe(400);
  });
});

describe('routes', () => {
  it('hand out data, with its type', async () => {
    for (const path of [`/${items[1]!.idText}`, `/raw/${items[1]!.idText}`, `/tx/${items[1]!.idText}/data`]) {
      const { status, text, headers } = await ask('GET', path);
      expect([path, status, text]).toEqual([path, 200, 'data Two']);
      expect(headers).toContainEqual(['content-type', 'text/plain']);
    }
  });

  it('show a transaction as Arweave does', async () => {
    const { status, text } = await ask('GET', `/tx/${items[0]!.idText}`);
    expect(status).toBe(200);
    const shown = JSON.parse(text) as { id: string; target: string; tags: { name: string; value: string }[] };
    expect(shown).toMatchObject({
      format: 2,
      id: items[0]!.idText,
      target: TARGET,
      data_size: '8',
      quantity: '0',
    });
    expect(shown.tags.map(({ name, value }) => [atob(name), atob(value)])).toContainEqual(['Kind', 'One']);
  });

  it('answer what wallets and libraries ask', async () => {
    expect(JSON.parse((await ask('GET', '/info')).text)).toMatchObject({
      height: HEIGHT,
      network: 'beamlet',
    });
    expect((await ask('GET', '/tx_anchor')).text).toBe('hash');
    expect((await ask('GET', '/price/1000')).text).toBe('0');
    expect((await ask('GET', `/wallet/${address}/balance`)).text).toBe('0');
  });

  it('refuse what is not there, and what is no item', async () => {
    const missing = await ask('GET', `/${TARGET}`);
    expect([missing.status, JSON.parse(missing.text)]).toMatchObject([404, { code: 'not-found' }]);
    expect((await ask('GET', '/no-id')).status).toBe(404);
    expect((await ask('DELETE', `/tx/${TARGET}`)).status).toBe(405);
    expect((await ask('POST', '/tx', 'no item')).status).toBe(400);
    const forged = items[0]!.toBytes();
    forged[forged.length - 1]! ^= 1;
    expect((await ask('POST', '/tx', forged)).status).toBe(400);
  });
});
