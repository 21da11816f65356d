/** The units' routes: what they refuse, and how. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createItem, rsaSigner } from '../../../../src/commitment/ans104-sign.ts';
import { answerUnit } from '../../../../src/node/legacynet/routes.ts';
import { FakeLegacynet, SCHEDULER } from '../../../setup/fake-legacynet.ts';
import { add, caughtUp, followingsOf, nodeOn, until } from '../../../setup/following.ts';
import { scheduled, testWallet, type TestNode } from '../../../setup/test-node.ts';

let net: FakeLegacynet;
let node: TestNode;
let own: string;

async function ask(method: string, path: string, body: Uint8Array = new Uint8Array(0)) {
  const target = `/~legacynet@1.0/${path}`;
  const answer = await answerUnit({ method, target, headers: [], body }, node.context);
  const text = new TextDecoder().decode(answer.body);
  const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : undefined;
  return { status: answer.status, code: json?.['code'], error: json?.['error'], json, text };
}

async function item(tags: Record<string, string>, target?: string) {
  const list = Object.entries({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', ...tags });
  const content = {
    tags: list.map(([name, value]) => ({ name, value })),
    ...(target === undefined ? {} : { target }),
  };
  return (await createItem(content, rsaSigner(await testWallet()))).toBytes();
}

beforeAll(async () => {
  net = await FakeLegacynet.create();
  await add(net, 2);
  node = await nodeOn(net);
  own = (await scheduled(node, 'legacynet', [], { name: 'own' })).id;
}, 60_000);

describe('the units refuse', () => {
  it('bodies and paths that are too large', async () => {
    const large = new Uint8Array(64 * 1024 * 1024 + 1);
    for (const path of ['su', 'mu', `cu/dry-run?process-id=${own}`, 'gateway/tx', 'gateway/graphql'])
      expect(await ask('POST', path, large), path).toMatchObject({ status: 413, code: 'body-too-large' });
    expect(await ask('GET', `cu/result/${'x'.repeat(17_000)}`)).toMatchObject({
      status: 414,
      code: 'path-too-long',
    });
  });

  it('messages for a process that another scheduler orders, with its address', async () => {
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    for (const unit of ['su', 'mu']) {
      const answer = await ask('POST', unit, await item({ Type: 'Message' }, net.id));
      expect(answer, unit).toMatchObject({ status: 421, code: 'scheduled-elsewhere' });
      expect(answer.error, unit).toContain(SCHEDULER);
      const assign = `${unit}?process-id=${net.id}&assign=${own}`;
      expect(await ask('POST', assign), assign).toMatchObject({ status: 421, code: 'scheduled-elsewhere' });
    }
    // Nothing of it was scheduled.
    expect(net.slots).toHaveLength(3);
    expect((await ask('GET', `su/${net.id}?from-nonce=-1`)).json?.['edges']).toHaveLength(3);
  });

  it('what is no message or process for a scheduler', async () => {
    const somewhere = 'Sx3p-Bqo8x2w4l_0zQ1aVbN5cXdYfGhJkLmNoPqRsTs';
    const cases: [Uint8Array, number, string][] = [
      [await item({ Type: 'Message' }, somewhere), 404, 'not-found'],
      [await item({ Type: 'Message' }), 400, 'bad-item'],
      [await item({ Type: 'Assignment' }, own), 400, 'bad-item'],
      [await item({ Type: 'Process' }), 400, 'bad-item'],
      [await item({ Type: 'Message', 'Data-Protocol': 'other' }, own), 400, 'bad-item'],
      [await item({ Type: 'Message', 'x+link': 'y' }, own), 400, 'bad-item'],
      [new TextEncoder().encode('no item'), 400, 'bad-item'],
    ];
    for (const [body, status, code] of cases)
      for (const unit of ['su', 'mu'])
        expect(await ask('POST', unit, body), `${unit} ${code}`).toMatchObject({ status, code });
    const forged = await item({ Type: 'Message' }, own);
    forged[forged.length - 1]! ^= 1;
    expect((await ask('POST', 'mu', forged)).status).toBe(400);
  });

  it('items that name a process as their sender and are not from who may speak for it', async () => {
    const body = await createItem(
      {
        target: own,
        tags: [
          { name: 'Data-Protocol', value: 'ao' },
          { name: 'Type', value: 'Message' },
          { name: 'From-Process', value: own },
        ],
      },
      net.user,
    );
    expect(await ask('POST', 'mu', body.toBytes())).toMatchObject({
      status: 400,
      error: 'Invalid From-Process value.',
    });
  });

  it('half an assignment, and one of what is not here', async () => {
    expect(await ask('POST', `mu?process-id=${own}`)).toMatchObject({ status: 400, code: 'bad-assign' });
    expect(await ask('POST', `su?process-id=${own}&assign=${'A'.repeat(43)}`)).toMatchObject({ status: 404 });
  });

  it('methods and routes that they do not have', async () => {
    expect((await ask('PUT', 'su')).status).toBe(405);
    expect((await ask('GET', `cu/dry-run?process-id=${own}`)).status).toBe(405);
    expect((await ask('POST', `cu/result/0?process-id=${own}`)).status).toBe(405);
    expect((await ask('GET', `mu/monitor/${own}`)).status).toBe(405);
    for (const path of ['nothing', 'cu/nothing/x', 'mu/nothing', `su/${'B'.repeat(43)}`])
      expect((await ask('GET', path)).status, path).toBe(404);
    expect(await ask('GET', 'cu/result/0')).toMatchObject({ status: 400, code: 'bad-id' });
    expect(await ask('GET', 'su/%E0%A4%A')).toMatchObject({ status: 400, code: 'bad-path' });
  });

  it('to evaluate by the clock, and say so', async () => {
    const { id } = await scheduled(node, 'legacynet', [], { 'cron-interval': '10-minutes' });
    const body = await item({ Type: 'Message' });
    expect(await ask('POST', `mu/monitor/${id}`, body)).toMatchObject({ status: 501, code: 'no-cron' });
    expect(await ask('GET', `cu/cron/${id}`)).toMatchObject({ status: 501, code: 'no-cron' });
    // Where nobody asks for it there is nothing to be said against it.
    expect(await ask('POST', `mu/monitor/${own}`, body)).toMatchObject({
      status: 200,
      text: 'Monitoring process',
    });
    expect(await ask('DELETE', `mu/monitor/${own}`, body)).toMatchObject({
      status: 200,
      text: 'Process deleted',
    });
    expect((await ask('GET', `cu/cron/${own}`)).json).toMatchObject({ edges: [] });
  });

  it('dry runs of what is no message', async () => {
    const run = async (body: unknown) =>
      ask('POST', `cu/dry-run?process-id=${own}`, new TextEncoder().encode(JSON.stringify(body)));
    for (const body of [{ Data: 1 }, { Tags: {} }, { Tags: [{ name: 'x' }] }, { Timestamp: 'soon' }])
      expect(await run(body)).toMatchObject({ status: 400, code: 'bad-message' });
    expect(await run([])).toMatchObject({ status: 400, code: 'bad-body' });
  });
});

describe('the units answer', () => {
  it('the same item twice with the same slot', async () => {
    const body = await item({ Type: 'Message', Action: 'Add', By: '3' }, own);
    const first = await ask('POST', 'su', body);
    expect(first.status).toBe(200);
    expect((await ask('POST', 'su', body)).json).toEqual(first.json);
    expect((await ask('POST', 'mu', body)).json).toMatchObject({ id: first.json!['id'] });
    const page = (await ask('GET', `su/${own}?from-nonce=0`)).json as { edges: unknown[] };
    expect(page.edges).toHaveLength(1);
    const { json } = await ask('GET', `cu/result/${String(first.json!['id'])}?process-id=${own}`);
    expect(json).toMatchObject({ Output: { data: '3' } });
  });

  it('pages by times and by nonces: what is after `from`, up to `to`', async () => {
    const { id } = await scheduled(node, 'legacynet', [], { name: 'paged' });
    for (let index = 0; index < 4; index++) {
      node.clock.time += 1000;
      await ask('POST', 'su', await item({ Type: 'Message', Action: 'Add', By: String(index) }, id));
    }
    type Page = {
      page_info: { has_next_page: boolean };
      edges: { cursor: string; node: { assignment: { tags: { name: string; value: string }[] } } }[];
    };
    const page = async (query: string) => {
      const { json } = await ask('GET', `su/${id}?${query}`);
      const { page_info, edges } = json as unknown as Page;
      const nonces = edges.map(({ node: one }) =>
        Number(one.assignment.tags.find(({ name }) => name === 'Nonce')!.value),
      );
      return { nonces, more: page_info.has_next_page, cursors: edges.map(({ cursor }) => cursor) };
    };
    expect(await page('')).toMatchObject({ nonces: [0, 1, 2, 3, 4], more: false });
    expect(await page('from-nonce=-1&limit=2')).toEqual({ nonces: [0, 1], more: true, cursors: ['0', '1'] });
    expect(await page('from-nonce=1&to-nonce=3')).toMatchObject({ nonces: [2, 3], more: false });
    const { cursors } = await page('');
    expect(await page(`from=${cursors[3]}`)).toMatchObject({ nonces: [4] });
    expect(await page(`from=${cursors[1]}&to=${cursors[3]}`)).toMatchObject({ nonces: [2, 3] });
    // The process itself is on the first page alone.
    expect(await page('from=0')).toMatchObject({ nonces: [1, 2, 3, 4] });
  });
});
