/** A process of each world in one node: messages from one to the other and back, both forms in one schedule. */
import { describe, expect, it } from 'vitest';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { createItem, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { commitmentsOf } from '../../../src/commitment/commitment.ts';
import { checkMessage } from '../../../src/commitment/verify.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { itemOf } from '../../../src/device/message-item.ts';
import { readAssignments } from '../../../src/device/schedule-records.ts';
import { readPath } from '../../../src/device/values.ts';
import { Message } from '../../../src/message/message.ts';
import { legacySlots } from '../../../src/node/legacynet/assignments.ts';
import { answerUnit } from '../../../src/node/legacynet/routes.ts';
import { scheduled, signed, testNode, testWallet, type TestNode } from '../../setup/test-node.ts';

interface Both {
  readonly node: TestNode;
  readonly native: { id: string; definition: Message };
  readonly legacy: { id: string; definition: Message };
}

async function both(): Promise<Both> {
  const node = await testNode();
  const native = await scheduled(node, 'native', [], { name: 'native', variant: 'ao.N.1' });
  const legacy = await scheduled(node, 'legacynet', [], { name: 'legacy', variant: 'ao.TN.1' });
  return { node, native, legacy };
}

async function toMessenger({ node }: Both, target: string, tags: Record<string, string>): Promise<string> {
  const all = { 'Data-Protocol': 'ao', Variant: 'ao.TN.1', Type: 'Message', ...tags };
  const item = await createItem(
    { target, tags: Object.entries(all).map(([name, value]) => ({ name, value })) },
    rsaSigner(await testWallet()),
  );
  const answer = await answerUnit(
    { method: 'POST', target: '/~legacynet@1.0/mu', headers: [], body: item.toBytes() },
    node.context,
  );
  expect(answer.status).toBe(202);
  return item.idText;
}

async function total({ node }: Both, process: { definition: Message; id: string }): Promise<string> {
  const definition = process.definition.with({ device: 'process@1.0' });
  const { value } = await node.context.resolve(definition, Message.of({ path: 'now' }));
  const data = await readPath(value, 'results/data', node.context);
  return String(data);
}

async function bodies({ node }: Both, process: { id: string }): Promise<Message[]> {
  const slots = await readAssignments(node.store, process.id, 0, 100);
  return slots.map(({ assignment }) => assignment.message('body')!);
}

/** Every message and every assignment of both processes verifies in the form that it was signed in. */
async function allVerify(worlds: Both): Promise<void> {
  const { node } = worlds;
  for (const { id } of [worlds.native, worlds.legacy]) {
    for (const { assignment } of await readAssignments(node.store, id, 0, 100))
      for (const message of [assignment, assignment.message('body')!]) {
        const checked = await checkMessage(message, { committers: 'all' });
        expect(checked.length).toBeGreaterThan(0);
        expect(checked.every(({ verdict }) => verdict.valid)).toBe(true);
        const item = await itemOf(message, node.context);
        if (item) expect(await verifyItem(DataItem.parse(item.toBytes()))).toBe(true);
      }
    // And as legacynet reads it: every assignment an item of this node's, chained to the one before.
    for (const { item } of await legacySlots(id, 0, 100, node.context)) {
      expect(item.signer).toBe(node.context.identity.address);
      expect(await verifyItem(DataItem.parse(item.toBytes()))).toBe(true);
    }
  }
}

/** The forms in which the messages of a process were signed. */
async function formsOf(worlds: Both, process: { id: string }): Promise<string[]> {
  return (await bodies(worlds, process)).map((body) =>
    [...commitmentsOf(body).values()]
      .filter((one) => one.has('committer'))
      .map((one) => one.text('commitment-device'))
      .join(),
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('It did not come to that.');
}

describe('both worlds in one node', () => {
  it('a legacynet process asks a native one and gets its answer', async () => {
    const worlds = await both();
    const { native, legacy } = worlds;
    await toMessenger(worlds, legacy.id, { Action: 'Ask', To: native.id, Me: legacy.id, Next: '7' });
    await until(async () => (await bodies(worlds, legacy)).length === 3);
    expect(await total(worlds, legacy)).toBe('7');
    const [, asked] = await bodies(worlds, native);
    expect(asked!.text('from-process')).toBe(legacy.id);
    const [, , answered] = await bodies(worlds, legacy);
    expect(answered!.text('from-process')).toBe(native.id);
    // What legacynet sends are items, also in the schedule of the other world, and the other way round.
    expect((await formsOf(worlds, native))[1]).toBe('ans104@1.0');
    expect((await formsOf(worlds, legacy)).slice(1)).toEqual(['ans104@1.0', 'httpsig@1.0']);
    await allVerify(worlds);
  });

  it('a native process asks a legacynet one and gets its answer', async () => {
    const worlds = await both();
    const { node, native, legacy } = worlds;
    const body = await signed({
      type: 'Message',
      target: native.id,
      action: 'Ask',
      to: legacy.id,
      me: native.id,
      next: '5',
    });
    const { status } = await node.context.resolve(
      native.definition.with({ device: 'process@1.0' }),
      Message.of({ path: 'push', method: 'POST', body }),
    );
    expect(status).toBe('ok');
    await until(async () => (await bodies(worlds, native)).length === 3);
    expect(await total(worlds, native)).toBe('5');
    const [, asked] = await bodies(worlds, legacy);
    expect(asked!.text('from-process')).toBe(native.id);
    expect((await formsOf(worlds, legacy))[1]).toBe('httpsig@1.0');
    // What a push over HTTP leads to is signed in its form, whatever process it comes from.
    expect((await formsOf(worlds, native)).slice(1)).toEqual(['httpsig@1.0', 'httpsig@1.0']);
    await allVerify(worlds);
  });

  it('one schedule holds both forms, each verifiable in its own', async () => {
    const worlds = await both();
    const { node, native, legacy } = worlds;
    const sent = await toMessenger(worlds, legacy.id, { Action: 'Add', By: '1' });
    const body = await signed({
      type: 'Message',
      target: native.id,
      action: 'Send',
      to: legacy.id,
      next: '2',
    });
    await node.context.resolve(
      native.definition.with({ device: 'process@1.0' }),
      Message.of({ path: 'push', method: 'POST', body }),
    );
    await until(async () => (await bodies(worlds, legacy)).length === 3);
    expect(await total(worlds, legacy)).toBe('3');
    const [, first, second] = await bodies(worlds, legacy);
    const devices = (message: Message) =>
      [...commitmentsOf(message).values()].map((one) => one.text('commitment-device'));
    expect(devices(first!)).toContain('ans104@1.0');
    expect(devices(second!)).toContain('httpsig@1.0');
    for (const message of [first!, second!]) {
      const checked = await checkMessage(message, { committers: 'all' });
      expect(checked.length).toBeGreaterThan(0);
      expect(checked.every(({ verdict }) => verdict.valid)).toBe(true);
    }
    // The item is the same octets as were sent, signature and all.
    const item = await itemOf(first!, node.context);
    expect(item?.idText).toBe(sent);
    expect(await verifyItem(DataItem.parse(item!.toBytes()))).toBe(true);
    // And the whole is read as a legacynet schedule, every assignment an item that verifies.
    const page = await answerUnit(
      {
        method: 'GET',
        target: `/~legacynet@1.0/su/${legacy.id}?from-nonce=-1`,
        headers: [],
        body: new Uint8Array(0),
      },
      node.context,
    );
    const { edges } = JSON.parse(new TextDecoder().decode(page.body)) as {
      edges: { node: { message: { id: string } } }[];
    };
    expect(edges.map(({ node: { message } }) => message.id)).toEqual([
      legacy.id,
      sent,
      messageId(second!, 'signed'),
    ]);
  });
});
