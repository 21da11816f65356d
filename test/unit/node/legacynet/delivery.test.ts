/** What the results of a followed process ask for: sent on only if the user wants it, each once, also after trouble. */
import { describe, expect, it } from 'vitest';
import { toBase64Url, toBytes } from '../../../../src/base/bytes.ts';
import { AoError } from '../../../../src/base/errors.ts';
import type { DataItem } from '../../../../src/codec/ans104-item.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import { readAssignments } from '../../../../src/device/schedule-records.ts';
import type { Message } from '../../../../src/message/message.ts';
import { resultOf } from '../../../../src/node/legacynet/results.ts';
import type { FollowOptions } from '../../../../src/protocol/api.ts';
import { FakeLegacynet, MESSENGER } from '../../../setup/fake-legacynet.ts';
import { caughtUp, followingsOf, nodeOn, until } from '../../../setup/following.ts';
import { scheduled, testWallet, type TestNode } from '../../../setup/test-node.ts';

const SOMEBODY = toBase64Url(new Uint8Array(32).fill(9));
const OTHER = toBase64Url(new Uint8Array(32).fill(8));

async function followed(net: FakeLegacynet, options: FollowOptions) {
  const node = await nodeOn(net);
  const followings = followingsOf(node);
  await followings.start(net.id, options);
  await until(followings, caughtUp);
  return { node, followings };
}

const sendTo = (net: FakeLegacynet, to = SOMEBODY, next = '1') =>
  net.send([
    ['Action', 'Send'],
    ['To', to],
    ['Next', next],
  ]);

/** Until nothing more happens. */
async function settle(look: () => number): Promise<void> {
  for (let before = -1, same = 0; same < 5; await new Promise((resolve) => setTimeout(resolve, 20))) {
    same = look() === before ? same + 1 : 0;
    before = look();
  }
}

async function reaches(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('It did not come to that.');
}

async function bodies(node: TestNode, process: string): Promise<Message[]> {
  const found = await readAssignments(node.store, process, 0, 100);
  return found.map(({ assignment }) => assignment.message('body')!);
}

const tag = (item: DataItem | undefined, name: string) => item?.tag(name);

describe('results of a followed process', () => {
  it('are not sent unless the user asks for it', async () => {
    const net = await FakeLegacynet.create();
    await sendTo(net);
    await followed(net, {});
    expect(net.asked.some((asked) => asked.startsWith(`POST ${MESSENGER}`))).toBe(false);
  });

  it('go to the messenger from the moment the user asks for it: messages, spawns and assignments', async () => {
    const net = await FakeLegacynet.create();
    await sendTo(net);
    const { followings } = await followed(net, { push: MESSENGER });
    await settle(() => net.handedOver.length);
    expect(net.handedOver).toHaveLength(0);
    await sendTo(net);
    await net.send([['Action', 'Spawn']]);
    await net.send([
      ['Action', 'Assign'],
      ['To', `${SOMEBODY} ${OTHER}`],
      ['Item', net.module.idText],
    ]);
    await until(followings, ({ computed }) => computed === 4);
    await reaches(() => net.assigned.length === 2);
    const [message, spawn, told, ...others] = net.handedOver;
    expect(others).toEqual([]);
    const { address } = await testWallet();
    expect([message, spawn, told].map((item) => item?.signer)).toEqual([address, address, address]);
    expect(toBase64Url(message!.target)).toBe(SOMEBODY);
    for (const [name, value] of Object.entries({
      'Data-Protocol': 'ao',
      Type: 'Message',
      Variant: 'ao.TN.1',
      'From-Process': net.id,
      'From-Module': net.module.idText,
    }))
      expect(tag(message, name), name).toBe(value);
    for (const [name, value] of Object.entries({
      Type: 'Process',
      By: '50',
      Module: net.module.idText,
      Scheduler: net.scheduler.address,
      'From-Process': net.id,
    }))
      expect(tag(spawn, name), name).toBe(value);
    expect([tag(told, 'Action'), tag(told, 'Process')]).toEqual(['Spawned', spawn!.idText]);
    expect(toBase64Url(told!.target)).toBe(net.id);
    expect(net.assigned).toEqual([`${net.module.idText} to ${SOMEBODY}`, `${net.module.idText} to ${OTHER}`]);
  });

  it('wait for a messenger that is out of order: nothing is lost, and nothing repeated', async () => {
    const net = await FakeLegacynet.create();
    const { node, followings } = await followed(net, { push: MESSENGER });
    net.answer = ({ origin, searchParams }) =>
      origin === MESSENGER && searchParams.get('process-id') !== SOMEBODY
        ? { status: 503, headers: [], body: toBytes('') }
        : undefined;
    await net.send([
      ['Action', 'Assign'],
      ['To', `${SOMEBODY} ${OTHER}`],
      ['Item', net.module.idText],
    ]);
    await net.send([['Action', 'Spawn']]);
    const now = await until(followings, ({ error, computed }) => computed === 2 && error !== undefined);
    expect(now).toMatchObject({ computed: 2, error: { code: 'messenger-refused' } });
    expect(net.assigned).toEqual([`${net.module.idText} to ${SOMEBODY}`]);
    // The node goes, and comes again.
    await followings.close();
    net.answer = () => undefined;
    const again = followingsOf(await node.again());
    await until(again, ({ error, state }) => state === 'waiting' && error === undefined);
    await reaches(() => net.handedOver.length === 2);
    await settle(() => net.handedOver.length + net.assigned.length);
    expect(net.assigned).toEqual([`${net.module.idText} to ${SOMEBODY}`, `${net.module.idText} to ${OTHER}`]);
    expect(net.handedOver.map((item) => tag(item, 'Type'))).toEqual(['Process', 'Message']);
    // And once more: all of it is done.
    await again.close();
    const last = followingsOf(await node.again());
    await until(last, caughtUp);
    await settle(() => net.handedOver.length + net.assigned.length);
    expect([net.handedOver.length, net.assigned.length]).toEqual([2, 2]);
  });

  it('are the same item when the messenger took it and could not say so', async () => {
    const net = await FakeLegacynet.create();
    const { node, followings } = await followed(net, { push: MESSENGER });
    net.tamper = (url, reply) => {
      if (url.origin === MESSENGER && net.handedOver.length === 1)
        throw new AoError('peer-unreachable', 'The line is cut.', { status: 502 });
      return reply;
    };
    await net.send([['Action', 'Spawn']]);
    await reaches(() => net.handedOver.length === 1);
    await followings.close();
    const again = followingsOf(await node.again());
    await until(again, caughtUp);
    await reaches(() => net.handedOver.length === 3);
    const [first, second, told] = net.handedOver.map(({ idText }) => idText);
    expect(second).toBe(first);
    expect(told).not.toBe(first);
    expect(tag(net.handedOver[2], 'Process')).toBe(first);
  });

  it('that a messenger refuses for good hold up nothing', async () => {
    const net = await FakeLegacynet.create();
    const { node, followings } = await followed(net, { push: MESSENGER });
    let refusals = 0;
    net.answer = ({ origin }) =>
      origin === MESSENGER && refusals++ === 0 ? { status: 400, headers: [], body: toBytes('') } : undefined;
    await sendTo(net);
    await sendTo(net, OTHER);
    await reaches(() => net.handedOver.length === 1);
    expect(toBase64Url(net.handedOver[0]!.target)).toBe(OTHER);
    expect((await until(followings, caughtUp)).error).toBeUndefined();
    expect(node.events).toContainEqual(expect.objectContaining({ type: 'push-failed', entry: '1' }));
  });
});

describe('results that are pushed here', () => {
  it('reach processes of this node, and what follows from them is pushed in turn', async () => {
    const net = await FakeLegacynet.create();
    const { node } = await followed(net, { push: 'here' });
    const asked = await scheduled(node, 'legacynet', [], { name: 'asked' });
    const told = await scheduled(node, 'legacynet', [], { name: 'told' });
    await net.send([
      ['Action', 'Ask'],
      ['To', asked.id],
      ['Me', told.id],
      ['Next', '7'],
    ]);
    await reaches(async () => (await bodies(node, told.id)).length === 2);
    expect((await resultOf(told.id, 1, node.context)).Output).toEqual({ data: '7' });
    const [, first] = await bodies(node, asked.id);
    const [, second] = await bodies(node, told.id);
    expect(first!.text('from-process')).toBe(net.id);
    expect(second!.text('from-process')).toBe(asked.id);
    expect(second!.text('pushed-for')).toBe(messageId(first!, 'signed'));
    // Nothing of it leaves this node.
    expect(net.asked.some((one) => one.startsWith(`POST ${MESSENGER}`))).toBe(false);
  });

  it('are assigned to every process that is here; what is not holds up no other', async () => {
    const net = await FakeLegacynet.create();
    const { node, followings } = await followed(net, { push: 'here' });
    const one = await scheduled(node, 'legacynet', [], { name: 'one' });
    const two = await scheduled(node, 'legacynet', [], { name: 'two' });
    await net.send([
      ['Action', 'Assign'],
      ['To', `${one.id} ${SOMEBODY} ${two.id}`],
      ['Item', net.id],
    ]);
    await reaches(async () => (await bodies(node, two.id)).length === 2);
    for (const process of [one, two])
      expect((await bodies(node, process.id)).map((body) => messageId(body, 'signed'))).toEqual([
        process.id,
        net.id,
      ]);
    expect((await until(followings, caughtUp)).error).toBeUndefined();
  });

  it('spawn processes here, and tell a parent that this node schedules', async () => {
    const node = await nodeOn(await FakeLegacynet.create());
    const parent = await scheduled(node, 'legacynet', [{ action: 'Spawn' }], { name: 'parent' });
    const { deliver } = await import('../../../../src/node/legacynet/delivery.ts');
    await deliver({ process: parent.id, slot: 1 }, node.context);
    const [, , told] = await bodies(node, parent.id);
    expect(told!.text('action')).toBe('Spawned');
    const child = told!.text('process')!;
    expect((await bodies(node, child)).map((body) => body.text('from-process'))).toEqual([parent.id]);
    // The same slot once more: both are there already.
    await deliver({ process: parent.id, slot: 1 }, node.context);
    expect(await bodies(node, child)).toHaveLength(1);
  });
});
