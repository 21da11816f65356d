import { describe, expect, it } from 'vitest';
import { PAGE_BYTES, type SnapshotDelta } from '../../../src/engine/engine.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { applyDelta, fromImage, SnapshotStore, thinned } from '../../../src/store/snapshots.ts';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { createHash } from 'node:crypto';

const hashOf = (bytes: Uint8Array) => toBase64Url(createHash('sha256').update(bytes).digest());

function page(index: number, fill: number) {
  const bytes = new Uint8Array(PAGE_BYTES).fill(fill);
  return fill ? { index, hash: hashOf(bytes), bytes } : { index, hash: hashOf(bytes) };
}

function delta(pages: number, ...changed: ReturnType<typeof page>[]): SnapshotDelta {
  return { byteLength: pages * PAGE_BYTES, changed, globals: { sp: '65536' } };
}

async function write(
  store: SnapshotStore,
  owner: string,
  slot: number,
  from: unknown,
  change: SnapshotDelta,
) {
  const { snapshot, bytes } = applyDelta(from as never, change, 0);
  const cost = await store.write(owner, slot, snapshot, bytes);
  return { snapshot, cost };
}

describe('snapshots', () => {
  it('write only pages that are new to the store, never zero ones', async () => {
    const memory = new MemoryStore();
    const store = SnapshotStore.of(memory);
    const first = await write(store, 'p', 0, undefined, delta(8, page(0, 1), page(3, 2), page(5, 0)));
    expect(first.cost).toEqual({ pages: 2, bytes: 2 * PAGE_BYTES });
    const second = await write(store, 'p', 4, first.snapshot, delta(8, page(3, 3), page(7, 1)));
    expect(second.cost.pages).toBe(1);
    expect(await memory.keys('pages')).toHaveLength(3);
    const other = await write(store, 'q', 0, undefined, delta(8, page(6, 2)));
    expect(other.cost.pages).toBe(0);
  });

  it('read back exactly the pages that are not zero', async () => {
    const store = SnapshotStore.of(new MemoryStore());
    const first = await write(store, 'p', 0, undefined, delta(8, page(0, 1), page(3, 2), page(6, 1)));
    await write(store, 'p', 4, first.snapshot, delta(9, page(3, 0), page(8, 9)));
    const found = await store.latest('p', 10);
    expect(found?.slot).toBe(4);
    const image = await store.image(found!.snapshot);
    expect(image.byteLength).toBe(9 * PAGE_BYTES);
    expect(image.globals).toEqual({ sp: '65536' });
    expect(image.pages.map(({ index, bytes }) => [index, bytes[0], bytes.length])).toEqual([
      [0, 1, PAGE_BYTES],
      [6, 1, PAGE_BYTES],
      [8, 9, PAGE_BYTES],
    ]);
    // Equal pages come in buffers of their own, so that each can be handed over.
    expect(image.pages[0]!.bytes.buffer).not.toBe(image.pages[1]!.bytes.buffer);
    expect((await store.latest('p', 3))?.slot).toBe(0);
    expect(await store.latest('other')).toBeUndefined();
  });

  it('keep shared pages until nobody names them', async () => {
    const memory = new MemoryStore();
    const store = SnapshotStore.of(memory);
    const first = await write(store, 'p', 0, undefined, delta(8, page(0, 1), page(1, 2)));
    await write(store, 'p', 1, first.snapshot, delta(8, page(1, 3)));
    expect(await store.remove('p', [0])).toBe(1);
    expect(await store.sweep()).toBe(0);
    expect((await memory.keys('pages')).sort()).toEqual([page(0, 1).hash, page(0, 3).hash].sort());
    await store.image((await store.latest('p'))!.snapshot);
    // A page that went is written again when it comes back.
    const again = await write(store, 'q', 0, undefined, delta(8, page(1, 2)));
    expect(again.cost.pages).toBe(1);
  });

  it('lose a page with the last manifest that names it, in one transaction', async () => {
    const memory = new MemoryStore();
    const store = SnapshotStore.of(memory);
    const first = await write(store, 'p', 0, undefined, delta(8, page(0, 1), page(1, 1), page(2, 2)));
    await write(store, 'q', 0, undefined, delta(8, page(5, 1)));
    expect(await store.remove('p', [0, 99])).toBe(1);
    expect(await memory.keys('pages')).toEqual([page(0, 1).hash]);
    // Written over: the counts follow what is there now.
    await write(store, 'q', 0, undefined, delta(8, page(5, 3)));
    await write(store, 'q', 1, first.snapshot, delta(8, page(0, 3), page(2, 2)));
    expect(await store.remove('q', [0])).toBe(0);
    expect(await store.remove('q', [1])).toBe(3);
    expect(await store.sweep()).toBe(0);
    expect(await memory.keys('pages')).toEqual([]);
  });

  it('tell what they take, for each owner and what could go', async () => {
    const store = SnapshotStore.of(new MemoryStore());
    await write(store, 'p', 0, undefined, delta(8, page(0, 1), page(1, 2)));
    await write(store, 'p', 9, undefined, delta(8, page(0, 1)));
    await write(store, 'q', 0, undefined, delta(8, page(0, 1), page(1, 3)));
    const { owners, reclaimable } = await store.usage();
    expect(owners.get('p')).toEqual({ own: PAGE_BYTES, named: 2 * PAGE_BYTES });
    expect(owners.get('q')).toEqual({ own: PAGE_BYTES, named: 2 * PAGE_BYTES });
    expect(reclaimable).toBe(PAGE_BYTES);
  });

  it('say that a page is gone', async () => {
    const memory = new MemoryStore();
    const store = SnapshotStore.of(memory);
    const { snapshot } = await write(store, 'p', 0, undefined, delta(2, page(0, 1)));
    await memory.write([{ table: 'pages', key: page(0, 1).hash }]);
    await expect(store.image(snapshot)).rejects.toMatchObject({ code: 'snapshot-damaged' });
  });

  it('write nothing when the store is full, and can be written afterwards', async () => {
    const memory = new MemoryStore();
    const full = Object.assign(Object.create(memory) as MemoryStore, {
      room: false,
      get: memory.get.bind(memory),
      keys: memory.keys.bind(memory),
      write: (writes: never) => (full.room ? memory.write(writes) : Promise.reject(new Error('full'))),
    });
    const store = SnapshotStore.of(full);
    await expect(write(store, 'p', 0, undefined, delta(2, page(0, 1)))).rejects.toThrow('full');
    full.room = true;
    const { cost } = await write(store, 'p', 0, undefined, delta(2, page(0, 1)));
    expect(cost.pages).toBe(1);
  });

  it('are made of a whole image', async () => {
    const pages = [page(0, 1), page(2, 0), page(3, 4)].map(({ index, bytes }) => ({
      index,
      bytes: bytes ?? new Uint8Array(PAGE_BYTES),
    }));
    const { snapshot, bytes } = await fromImage(
      { byteLength: 4 * PAGE_BYTES, pages, globals: {} },
      hashOf,
      7,
    );
    expect([...snapshot.pages.keys()]).toEqual([0, 3]);
    expect(bytes.size).toBe(2);
    expect(snapshot.taken).toBe(7);
  });

  it('thin out with age, to a logarithm of their number', () => {
    let slots: number[] = [];
    for (let slot = 0; slot <= 10_000; slot += 10) {
      slots.push(slot);
      const gone = new Set(thinned(slots));
      slots = slots.filter((kept) => !gone.has(kept));
    }
    expect(slots[0]).toBe(0);
    expect(slots.slice(-2)).toEqual([9_990, 10_000]);
    expect(slots.length).toBeLessThan(40);
    slots
      .slice(1, -1)
      .forEach((slot, i) => expect(slot - slots[i]!).toBeLessThanOrEqual((10_000 - slots[i]!) / 2 + 10));
  });
});
