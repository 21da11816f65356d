/** Following legacynet processes of another scheduler, on a legacynet in memory. */
import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../../src/base/bytes.ts';
import { createItem, rsaSigner } from '../../../../src/commitment/ans104-sign.ts';
import { checkMessage } from '../../../../src/commitment/verify.ts';
import { Processes } from '../../../../src/device/processes.ts';
import { readAssignments, readHead } from '../../../../src/device/schedule-records.ts';
import { newestSlot } from '../../../../src/device/slot-records.ts';
import { Message } from '../../../../src/message/message.ts';
import { answerUnit } from '../../../../src/node/legacynet/routes.ts';
import { resultOf } from '../../../../src/node/legacynet/results.ts';
import type { Followed, FollowOptions } from '../../../../src/protocol/api.ts';
import { FakeLegacynet, GATEWAY, html, redirect, SCHEDULER } from '../../../setup/fake-legacynet.ts';
import { add, caughtUp, followingsOf, nodeOn, until } from '../../../setup/following.ts';
import { testWallet, type TestNode } from '../../../setup/test-node.ts';

async function totalOf(node: TestNode, process: string, slot: number): Promise<unknown> {
  const { Output } = await resultOf(process, slot, node.context);
  return (Output as { data?: unknown }).data;
}

describe('following', () => {
  it('finds the scheduler, loads what it needs, audits and computes', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 5);
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    const now = await until(followings, caughtUp);
    expect(now.error).toBeUndefined();
    expect(now).toMatchObject({
      state: 'waiting',
      scheduler: SCHEDULER,
      address: net.scheduler.address,
      head: 5,
      audited: 5,
      computed: 5,
    });
    expect(await totalOf(node, net.id, 5)).toBe('5');
    const head = await readHead(node.store, net.id);
    expect(head).toMatchObject({
      own: false,
      kind: 'legacynet',
      slot: 5,
      name: 'Followed',
      source: SCHEDULER,
    });
  });

  it('keeps both items of a slot so that each verifies in its own form', async () => {
    const net = await FakeLegacynet.create();
    await net.send([['Action', 'Add']], 'data', 'x'.repeat(32));
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    const [, found] = await readAssignments(node.store, net.id, 0, 1);
    const body = found!.assignment.message('body')!;
    for (const message of [found!.assignment.without('body', 'slot'), body]) {
      const checked = await checkMessage(message, { committers: 'all' });
      expect(checked.map(({ verdict }) => verdict.valid)).toEqual([true]);
    }
    expect(found!.id).toBe(net.slots[1]!.assignment.idText);
  });

  it('goes page by page and sees new messages', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 45);
    net.pageSize = 20;
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    expect(await until(followings, caughtUp)).toMatchObject({ computed: 45 });
    const pages = net.asked.filter((asked) => asked.includes('from-nonce'));
    expect(pages.length).toBeGreaterThanOrEqual(3);
    await add(net, 3);
    expect(await until(followings, ({ computed }) => computed === 48)).toMatchObject({ audited: 48 });
  }, 60_000);

  it('fetches one page ahead of the machine and no further, however long the schedule is', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 40);
    net.pageSize = 5;
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    const ahead: number[] = [];
    net.answer = (url) => {
      const after = Number(url.searchParams.get('from-nonce') ?? -1);
      if (after >= 0) ahead.push(after - Number(node.log.evaluated.length - 1));
      return undefined;
    };
    node.log.before = () => new Promise((resolve) => setTimeout(resolve, 1));
    await followings.start(net.id);
    expect(await until(followings, caughtUp)).toMatchObject({ computed: 40 });
    expect(ahead.length).toBeGreaterThanOrEqual(8);
    // When a page is asked for, all but the one before it are computed: two are in memory at most.
    expect(Math.max(...ahead)).toBeLessThanOrEqual(5);
  }, 60_000);

  it('goes on where it stopped, on another node over the same store', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 4);
    const node = await nodeOn(net);
    const first = followingsOf(node);
    await first.start(net.id);
    await until(first, caughtUp);
    await Processes.of(node.context).get(net.id)!.hibernate(node.context);
    await first.close();
    await add(net, 2);
    net.asked.length = 0;
    const again = await node.again();
    const second = followingsOf(again);
    expect(await until(second, ({ computed }) => computed === 6)).toMatchObject({ audited: 6 });
    expect(net.asked.some((asked) => asked.includes('from-nonce=-1'))).toBe(false);
    // Only what is new was evaluated.
    expect(again.log.evaluated).toHaveLength(2);
    expect(await totalOf(again, net.id, 6)).toBe('6');
  });

  it('pauses and resumes', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 2);
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    await followings.pause(net.id);
    await add(net, 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await followings.list())[0]).toMatchObject({ state: 'paused', computed: 2 });
    await followings.resume(net.id);
    expect(await until(followings, ({ computed }) => computed === 4)).toMatchObject({ computed: 4 });
    await followings.stop(net.id);
    expect(await followings.list()).toEqual([]);
  });

  it('passes over a message that was pushed twice, as compute units do', async () => {
    const net = await FakeLegacynet.create();
    const tags = [
      ['Action', 'Add'],
      ['By', '7'],
      ['From-Process', net.id],
    ] as const;
    await net.send(tags);
    await net.send(tags);
    await net.send([
      ['Action', 'Add'],
      ['By', '1'],
    ]);
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    const now = await until(followings, caughtUp);
    expect(await totalOf(node, net.id, 3)).toBe('8');
    expect(now.notes.join()).toContain('passed over');
  });

  it('evaluates a message of somebody else that was only assigned', async () => {
    const net = await FakeLegacynet.create();
    const foreign = await net.item(
      [
        ['Data-Protocol', 'ao'],
        ['Type', 'Message'],
        ['By', '4'],
      ],
      { target: toBase64Url(new Uint8Array(32).fill(7)), data: 'for another' },
    );
    await net.assign(foreign, { named: true });
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    expect(await until(followings, caughtUp)).toMatchObject({ computed: 1 });
    expect(await totalOf(node, net.id, 1)).toBe('4');
  });

  it('begins with the process where it has no slot of its own', async () => {
    const net = await FakeLegacynet.create({
      assignsProcess: false,
      height: 1_300_000,
      processTags: [['By', '100']],
    });
    await add(net, 1);
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    const now = await until(followings, caughtUp);
    expect(now.error).toBeUndefined();
    expect(await totalOf(node, net.id, 0)).toBe('101');
    expect(now.notes.join(' ')).toContain('older than the hash chain');
  });

  it('gets data that is no text from the gateway', async () => {
    const net = await FakeLegacynet.create();
    await net.send(
      [
        ['Action', 'Add'],
        ['By', '2'],
      ],
      new Uint8Array([0xff, 0xfe, 0]),
    );
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    expect(await until(followings, caughtUp)).toMatchObject({ computed: 1 });
  });

  it('is shown by the scheduler’s routes as its scheduler signed it', async () => {
    const net = await FakeLegacynet.create({ assignsProcess: false, height: 1_300_000 });
    await add(net, 3);
    const foreign = await net.item(
      [
        ['Data-Protocol', 'ao'],
        ['Type', 'Message'],
      ],
      { target: toBase64Url(new Uint8Array(32).fill(7)) },
    );
    await net.assign(foreign, { named: true });
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    const ask = async (path: string) => {
      const target = `/~legacynet@1.0/su/${path}`;
      const request = { method: 'GET', target, headers: [], body: new Uint8Array(0) };
      const { status, body } = await answerUnit(request, node.context);
      expect(status).toBe(200);
      return JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown>;
    };
    const nodes = net.slots.map((_, nonce) => {
      const { message, assignment } = net.edge(nonce)!.node;
      return { message, assignment: { ...assignment, data: null } };
    });
    const page = (await ask(`${net.id}?from-nonce=-1`)) as { edges: { node: unknown }[] };
    expect(page.edges.map(({ node: one }) => one)).toEqual(nodes);
    const later = (await ask(`${net.id}?from=0&limit=1`)) as { edges: { node: unknown }[] };
    expect(later.edges.map(({ node: one }) => one)).toEqual(nodes.slice(0, 1));
    expect(await ask(`${net.id}/latest`)).toEqual(nodes.at(-1));
    expect(await ask(`${net.slots[1]!.message!.idText}?process-id=${net.id}`)).toEqual(nodes[1]);
    expect(await ask(`processes/${net.id}`)).toMatchObject({
      block: '000001300000',
      timestamp: 1_700_000_000_000,
      tags: net.process.tags,
    });
  });

  it('hands the program the tags as they were sent, also where all are in lower case', async () => {
    const net = await FakeLegacynet.create();
    const tags = [
      ['data-protocol', 'ao'],
      ['type', 'Message'],
      ['by', '1'],
      ['x-thing', 'y'],
    ] as const;
    const message = await net.item(tags, { target: net.id, data: 'x' });
    await net.assign(message);
    const node = await nodeOn(net);
    const texts: string[] = [];
    node.log.text = (text) => void texts.push(text);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    expect(JSON.parse(texts.at(-1)!)).toMatchObject({
      Id: message.idText,
      Tags: tags.map(([name, value]) => ({ name, value })),
    });
  });

  it('is read by slots and results like any process', async () => {
    const net = await FakeLegacynet.create();
    await add(net, 3);
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    const definition = (await node.context.cache.read(net.id)) as Message;
    const request = Message.of({ path: 'compute', slot: 2n });
    const { status, value } = await node.context.resolve(definition.with({ device: 'process@1.0' }), request);
    expect(status).toBe('ok');
    expect((value as Message).get('at-slot')).toBe(2n);
  });
});

describe('what a legacynet may not do', () => {
  /** Follows until it fails; nothing of what came with the lie is kept. */
  async function refused(net: FakeLegacynet, options: FollowOptions = {}, kept = -1): Promise<Followed> {
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id, options);
    const now = await until(followings, caughtUp);
    expect(now.state).toBe('failed');
    const head = await readHead(node.store, net.id);
    expect(head?.slot ?? -1).toBe(kept);
    expect((await readAssignments(node.store, net.id, 0, 100)).length).toBe(kept + 1);
    expect(await newestSlot(node.store, net.id)).toBe(kept);
    return now;
  }

  type Page = {
    edges: { node: { message: Record<string, unknown>; assignment: Record<string, unknown> } }[];
  };
  const onPage = (change: (page: Page) => unknown) => (url: URL, reply: unknown) =>
    url.searchParams.has('limit') ? (change(reply as Page) ?? reply) : reply;

  async function withThree(): Promise<FakeLegacynet> {
    const net = await FakeLegacynet.create();
    await add(net, 3);
    return net;
  }

  it('a module whose bytes are not those that were signed', async () => {
    const net = await withThree();
    net.tamper = (url, reply) =>
      url.pathname.endsWith(net.module.idText) ? new Uint8Array([0, 97, 115, 109, 1, 0, 0, 1]) : reply;
    net.answer = (url) =>
      url.pathname === `/tx/${net.module.idText}` ? { ...html(), status: 404 } : undefined;
    expect((await refused(net)).error).toMatchObject({ code: 'item-signature' });
  });

  it('a module under the ID of another', async () => {
    const net = await withThree();
    const other = await net.item([['Type', 'Module']], { data: new Uint8Array([1]) });
    net.tamper = (url, reply) => {
      const nodes = (reply as { data?: { transactions: { edges: { node: { id: string } }[] } } }).data;
      const found = nodes?.transactions.edges[0]?.node;
      if (url.pathname !== '/graphql' || found?.id !== net.module.idText) return reply;
      return { data: { transactions: { edges: [{ node: { ...net.node(other), id: net.module.idText } }] } } };
    };
    expect((await refused(net)).error).toMatchObject({ code: 'item-id' });
  });

  it('a page that skips a nonce', async () => {
    const net = await withThree();
    net.tamper = onPage((page) => void page.edges.splice(1, 1));
    expect((await refused(net)).error).toMatchObject({ code: 'audit-slot', slot: 1 });
  });

  it('a changed message', async () => {
    const net = await withThree();
    net.tamper = onPage((page) => void (page.edges[2]!.node.message.data = 'another'));
    expect((await refused(net)).error).toMatchObject({ code: 'audit-body-signature', slot: 2 });
  });

  it('another message than the one that was assigned', async () => {
    const net = await withThree();
    net.tamper = onPage((page) => {
      page.edges[2]!.node.message = page.edges[3]!.node.message;
    });
    expect((await refused(net)).error).toMatchObject({ code: 'audit-body', slot: 2 });
  });

  it('an assignment of somebody else', async () => {
    const net = await withThree();
    const { assignment, message } = net.slots[1]!;
    const stranger = { signer: rsaSigner(await testWallet()) };
    net.slots[1] = {
      message,
      assignment: await net.assignment(
        1,
        String(assignment.tag('Hash-Chain')),
        message!.idText,
        [],
        stranger,
      ),
    };
    expect((await refused(net)).error).toMatchObject({ code: 'audit-signer', slot: 1 });
  });

  it('an assignment of another process', async () => {
    const net = await withThree();
    const { assignment, message } = net.slots[2]!;
    const other = { process: 'P'.repeat(43) };
    net.slots[2] = {
      message,
      assignment: await net.assignment(2, String(assignment.tag('Hash-Chain')), message!.idText, [], other),
    };
    expect((await refused(net)).error).toMatchObject({ code: 'audit-wrong-process', slot: 2 });
  });

  it('a broken hash chain', async () => {
    const net = await withThree();
    const { message } = net.slots[2]!;
    const assignment = await net.assignment(2, toBase64Url(new Uint8Array(32)), message!.idText);
    net.slots[2] = { message, assignment };
    expect((await refused(net)).error).toMatchObject({ code: 'audit-chain', slot: 2 });
  });

  it('another definition than the one that was asked for', async () => {
    const net = await withThree();
    const other = await createItem({ tags: [{ name: 'Type', value: 'Process' }] }, net.user);
    net.tamper = (url, reply) =>
      url.pathname === '/graphql'
        ? { data: { transactions: { edges: [{ node: net.node(other) }] } } }
        : reply;
    expect((await refused(net, { scheduler: SCHEDULER })).error?.code).toMatch(/^(not-found|item-id)$/);
  });

  it('an item that is too large', async () => {
    const net = await withThree();
    net.tamper = onPage((page) => void (page.edges[1]!.node.message.data = 'x'.repeat(17 * 1024 * 1024)));
    expect((await refused(net)).error).toMatchObject({ code: 'audit-too-large', slot: 1 });
  });

  it('a gateway that answers with a page of HTML', async () => {
    const net = await withThree();
    net.answer = (url) => (url.origin === GATEWAY ? html() : undefined);
    const { error } = await refused(net);
    expect(error).toMatchObject({ code: 'not-json' });
    expect(error!.message).toContain('a page of HTML');
  });

  it('a scheduler that answers with a page of HTML', async () => {
    const net = await withThree();
    net.answer = (url) => (url.origin === SCHEDULER ? html() : undefined);
    expect((await refused(net)).error).toMatchObject({ code: 'not-json' });
  });

  it('a scheduler that redirects in a circle', async () => {
    const net = await withThree();
    net.answer = (url) =>
      url.origin === SCHEDULER
        ? redirect(`http://other.test${url.pathname}${url.search}`)
        : url.origin === 'http://other.test'
          ? redirect(`${SCHEDULER}${url.pathname}${url.search}`)
          : undefined;
    const { error } = await refused(net);
    expect(error).toMatchObject({ code: 'redirect-circle' });
    expect(error!.message).toContain('in a circle');
  });

  it('pages without end', async () => {
    const net = await withThree();
    net.tamper = onPage(() => ({ page_info: { has_next_page: true }, edges: [] }));
    expect((await refused(net)).error).toMatchObject({ code: 'scheduler-pages' });
  });

  it('the same page again and again', async () => {
    const net = await withThree();
    const first = { page_info: { has_next_page: true }, edges: [net.edge(0), net.edge(1)] };
    net.tamper = onPage(() => first);
    expect((await refused(net, {}, 1)).error?.code).toMatch(/^(audit-slot|scheduler-pages)$/);
  });

  it('another past than before', async () => {
    const net = await withThree();
    const node = await nodeOn(net);
    const followings = followingsOf(node);
    await followings.start(net.id);
    await until(followings, caughtUp);
    const { assignment, message } = net.slots[3]!;
    net.slots[3] = {
      message,
      assignment: await net.assignment(3, String(assignment.tag('Hash-Chain')), message!.idText),
    };
    const now = await until(followings, ({ state }) => state === 'failed');
    expect(now.error).toMatchObject({ code: 'equivocation', slot: 3 });
  });

  it('a process with a clock of its own, which this node does not evaluate', async () => {
    const net = await FakeLegacynet.create({ processTags: [['Cron-Interval', '10-minutes']] });
    expect((await refused(net)).error).toMatchObject({ code: 'no-cron' });
  });

  it('a module in an encoding that is not known', async () => {
    const net = await FakeLegacynet.create({ encoding: 'Morse-1' });
    expect((await refused(net)).error).toMatchObject({ code: 'unsupported-encoding' });
  });
});
