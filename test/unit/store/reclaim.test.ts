import { describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { PAGE_BYTES } from '../../../src/engine/engine.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { reclaim } from '../../../src/store/reclaim.ts';
import { applyDelta, SnapshotStore } from '../../../src/store/snapshots.ts';

async function filled() {
  const store = new MemoryStore();
  await store.write([
    { table: 'results', key: ['a', 'b'], value: 'x' },
    { table: 'messages', key: 'm', value: new Map() },
    { table: 'assignments', key: ['p', 0], value: {} },
    ...Array.from({ length: 200 }, (_, slot) => ({
      table: 'slots' as const,
      key: ['p', slot],
      value: { base: slot - (slot % 64) },
    })),
    { table: 'slots', key: ['q', 0], value: { base: 0 } },
  ]);
  const snapshots = SnapshotStore.of(store);
  for (const slot of [10, 70, 140]) {
    const bytes = new Uint8Array(PAGE_BYTES).fill(slot);
    const page = { index: 0, hash: toBase64Url(sha256(bytes)), bytes };
    const delta = { byteLength: PAGE_BYTES, changed: [page], globals: {} };
    const { snapshot, bytes: pages } = applyDelta(undefined, delta, 0);
    await snapshots.write('p', slot, snapshot, pages);
  }
  return store;
}

describe('making room', () => {
  it('level 1: single results and pages that nobody names', async () => {
    const store = await filled();
    await store.write([{ table: 'snapshots', key: ['p', 10] }]);
    expect(await reclaim(store, 1)).toBe(2);
    expect(await store.keys('results')).toEqual([]);
    expect(await store.keys('pages')).toHaveLength(2);
    expect(await store.keys('slots')).toHaveLength(201);
  });

  it('level 2: all snapshots of a process but the newest', async () => {
    const store = await filled();
    await reclaim(store, 2);
    expect(await store.keys('snapshots')).toEqual([['p', 140]]);
    expect(await store.keys('pages')).toHaveLength(1);
    expect(await store.keys('slots')).toHaveLength(201);
  });

  it('level 3: states before the whole one that the newest snapshot needs; never schedules or messages', async () => {
    const store = await filled();
    await reclaim(store, 3);
    const kept = await store.keys('slots', { from: ['p', 0], to: ['p', Infinity], limit: 1 });
    expect(kept).toEqual([['p', 128]]);
    expect(await store.keys('slots')).toHaveLength(200 - 128 + 1);
    expect(await store.keys('messages')).toEqual(['m']);
    expect(await store.keys('assignments')).toEqual([['p', 0]]);
    expect(await reclaim(store, 3)).toBe(0);
  });
});
