import { afterEach, describe, expect, it } from 'vitest';
import { openNode, type OpenNode } from '../../../src/client/index.ts';

let node: OpenNode | undefined;

async function open(): Promise<OpenNode> {
  node = await openNode({
    serviceWorker: false,
    database: `test-${crypto.randomUUID()}`,
    createWorker: () =>
      new Worker(new URL('../../../workers/node.worker.ts', import.meta.url), { type: 'module' }),
  });
  return node;
}

afterEach(async () => {
  await node?.close();
  node = undefined;
});

const text = async (response: Response) => response.text();

describe('a node in a worker', () => {
  it('starts, has an address, and answers AO paths', async () => {
    const opened = await open();
    const info = await opened.info();
    expect(info.address).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(info.storage).toBe('indexeddb');
    const response = await opened.fetch('/~meta@1.0/info/address', { headers: { 'accept-bundle': 'true' } });
    expect(response.status).toBe(200);
    expect(await text(response)).toBe(info.address);
  });

  it('spawns the counter, sends to it, and reads its state at a path', async () => {
    const opened = await open();
    const counter = await opened.spawn({ module: { type: 'sample', name: 'counter' }, name: 'count' });
    expect(counter.kind).toBe('wasm64');
    const sent = await opened.send(counter.id, { action: 'Inc', tags: { by: '5' } });
    expect(sent.slot).toBe(1);
    expect(sent.result?.ok).toBe(true);
    const response = await opened.fetch(`/${counter.id}~process@1.0/now/count`, {
      headers: { 'accept-bundle': 'true' },
    });
    expect(await text(response)).toBe('5');
    const slots = await opened.slots(counter.id);
    expect(slots.map(({ slot }) => slot)).toEqual([1, 0]);
  });

  it('runs Lua, and takes a process out as one file and in again', async () => {
    const opened = await open();
    const { id } = await opened.spawn({ module: { type: 'sample', name: 'ledger' }, name: 'ledger' });
    await opened.send(id, { action: 'Mint', tags: { quantity: '100' } });
    const sent = await opened.send(id, { action: 'Transfer', tags: { quantity: '30', recipient: 'bob' } });
    expect(sent.result).toMatchObject({ ok: true, output: 'Transferred 30 to bob' });
    const bob = async () =>
      text(
        await opened.fetch(`/${id}~process@1.0/now/balances/bob`, { headers: { 'accept-bundle': 'true' } }),
      );
    expect(await bob()).toBe('30');
    const file = await opened.exportProcess(id);
    await opened.removeProcess(id);
    expect(await opened.processes()).toEqual([]);
    const broken = file.slice();
    broken[Math.floor(broken.length / 2)]! ^= 0xff;
    await expect(opened.importProcess(broken)).rejects.toMatchObject({ name: 'AoError' });
    await opened.importProcess(file);
    expect(await bob()).toBe('30');
  });

  it('copies a process up to a slot: the same state under another ID, the original as it was', async () => {
    const opened = await open();
    const { id } = await opened.spawn({ module: { type: 'sample', name: 'ledger' }, name: 'ledger' });
    await opened.send(id, { action: 'Mint', tags: { quantity: '100' } });
    await opened.send(id, { action: 'Transfer', tags: { quantity: '30', recipient: 'bob' } });
    const bob = async (process: string) => {
      const at = await opened.fetch(`/${process}~process@1.0/now/balances/bob`, {
        headers: { 'accept-bundle': 'true' },
      });
      return at.status === 200 ? at.text() : at.status;
    };
    const early = await opened.fork(id, { slot: 1, name: 'before' });
    expect(early).toMatchObject({ name: 'before', kind: 'lua', slot: 1, own: true });
    expect(early.id).not.toBe(id);
    expect(await bob(early.id)).toBe(404);
    // Who owns what there still does: the sender is the same.
    const sent = await opened.send(early.id, {
      action: 'Transfer',
      tags: { quantity: '70', recipient: 'bob' },
    });
    expect(sent).toMatchObject({ slot: 2, result: { output: 'Transferred 70 to bob' } });
    expect(await bob(early.id)).toBe('70');
    expect(await bob((await opened.fork(id)).id)).toBe('30');
    expect(await bob(id)).toBe('30');
    await expect(opened.fork(id, { slot: 3 })).rejects.toMatchObject({ code: 'no-slot', status: 404 });
  });

  it('refuses what it does not know with a typed error', async () => {
    const opened = await open();
    await expect(opened.process('x'.repeat(43))).rejects.toMatchObject({ code: 'no-process', status: 404 });
    await expect(
      opened.spawn({ module: { type: 'wasm', bytes: Uint8Array.of(1, 2, 3) } }),
    ).rejects.toMatchObject({
      code: 'bad-module',
    });
  });
});
