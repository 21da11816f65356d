/** Beginning a followed process from checkpoints that somebody published. */
import { describe, expect, it } from 'vitest';
import { newestSlot } from '../../../../src/device/slot-records.ts';
import { PAGE_BYTES } from '../../../../src/engine/engine.ts';
import { resultOf } from '../../../../src/node/legacynet/results.ts';
import { FakeLegacynet } from '../../../setup/fake-legacynet.ts';
import { add, caughtUp, followingsOf, nodeOn, until } from '../../../setup/following.ts';

/** As the machine of the tests keeps a total in memory. */
function memoryOf(total: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PAGE_BYTES);
  new DataView(bytes.buffer).setFloat64(0, total);
  bytes[8] = 1;
  return bytes;
}

async function netOf(messages: number): Promise<FakeLegacynet> {
  const net = await FakeLegacynet.create();
  await add(net, messages);
  return net;
}

async function follow(net: FakeLegacynet, trust?: string[]) {
  const node = await nodeOn(net);
  const followings = followingsOf(node);
  await followings.start(net.id, trust ? { trust } : {});
  return { node, followings, now: await until(followings, caughtUp) };
}

describe('checkpoints', () => {
  it('are found with their signer, and not used unless that signer is trusted', async () => {
    const net = await netOf(4);
    await net.checkpoint(2, memoryOf(2));
    const { node, followings, now } = await follow(net);
    expect(await followings.checkpoints(net.id)).toMatchObject([
      { nonce: 2, signer: net.userAddress, confidence: 'one-owner' },
    ]);
    expect(now.checkpoint).toBeUndefined();
    expect(node.log.evaluated).toHaveLength(5);
    const stranger = await follow(net, ['S'.repeat(43)]);
    expect(stranger.now.checkpoint).toBeUndefined();
    expect(stranger.now.notes.join()).toContain('Nobody who is trusted');
    expect(stranger.node.log.evaluated).toHaveLength(5);
  });

  it('of a trusted signer: begun from the last but one, held against the newest', async () => {
    const net = await netOf(6);
    await net.checkpoint(2, memoryOf(2));
    await net.checkpoint(4, memoryOf(4));
    const { node, now } = await follow(net, [net.userAddress]);
    expect(now.error).toBeUndefined();
    expect(now.checkpoint).toMatchObject({
      nonce: 2,
      confidence: 'replay-sampled',
      checked: [{ from: 2, to: 4, same: true }],
    });
    // Slots 3 to 6 alone were evaluated.
    expect(node.log.evaluated).toHaveLength(4);
    const { Output } = await resultOf(net.id, 6, node.context);
    expect(Output).toMatchObject({ data: '6' });
  });

  it('alone is used unchecked, and the report says so', async () => {
    const net = await netOf(3);
    await net.checkpoint(2, memoryOf(2));
    const { now } = await follow(net, [net.userAddress]);
    expect(now.checkpoint).toMatchObject({ nonce: 2, confidence: 'one-owner', checked: [] });
    expect(now.notes.join()).toContain('rests on a checkpoint');
  });

  it('that replaying contradicts ends it', async () => {
    const net = await netOf(5);
    await net.checkpoint(1, memoryOf(100));
    await net.checkpoint(4, memoryOf(4));
    const { now } = await follow(net, [net.userAddress]);
    expect(now.error).toMatchObject({ code: 'checkpoint-differs', slot: 4 });
    expect(now.checkpoint?.checked).toEqual([{ from: 1, to: 4, same: false }]);
  });

  it('that holds another memory than it says is refused, and nothing of it kept', async () => {
    const net = await netOf(3);
    await net.checkpoint(2, memoryOf(2), { hash: '0'.repeat(64) });
    const { node, now } = await follow(net, [net.userAddress]);
    expect(now.error).toMatchObject({ code: 'checkpoint-hash' });
    expect(await newestSlot(node.store, net.id)).toBe(-1);
  });

  it('whose bytes were changed on the way is refused', async () => {
    const net = await netOf(3);
    const item = await net.checkpoint(2, memoryOf(2));
    net.tamper = (url, reply) =>
      url.pathname.endsWith(item.idText) ? (reply as Uint8Array).slice(0, -1) : reply;
    const { now } = await follow(net, [net.userAddress]);
    expect(now.error).toMatchObject({ code: 'item-signature' });
  });
});
