import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { withRoom } from '../../../src/store/room.ts';
import type { Store, Write } from '../../../src/store/store.ts';

/** A store for so many rows. */
function small(rows: number): Store & { memory: MemoryStore } {
  const memory = new MemoryStore();
  const count = async () => {
    let sum = 0;
    for (const table of ['messages', 'assignments', 'results', 'slots', 'snapshots', 'pages'] as const)
      sum += (await memory.keys(table)).length;
    return sum;
  };
  return {
    memory,
    get: memory.get.bind(memory),
    getMany: memory.getMany.bind(memory),
    range: memory.range.bind(memory),
    keys: memory.keys.bind(memory),
    close: memory.close.bind(memory),
    async write(writes) {
      const added = writes.filter(({ value }) => value !== undefined).length;
      if (added && (await count()) + added > rows)
        throw new AoError('storage-full', 'No room.', { status: 507 });
      return memory.write(writes);
    },
  };
}

const message = (n: number): Write => ({ table: 'messages', key: `m${n}`, value: n });

describe('a store that makes room', () => {
  it('lets go what can be computed again, the cheapest first, until a write fits', async () => {
    const full = small(10);
    let told = 0;
    const store = withRoom(full, () => told++);
    await store.write([
      { table: 'results', key: ['a', 'b'], value: 'x' },
      { table: 'snapshots', key: ['p', 1], value: manifest() },
      { table: 'snapshots', key: ['p', 70], value: manifest() },
      { table: 'slots', key: ['p', 1], value: { base: 1 } },
      { table: 'slots', key: ['p', 70], value: { base: 70 } },
      ...[1, 2, 3, 4, 5].map(message),
    ]);
    await store.write([message(6)]);
    expect(told).toBe(1);
    expect(await full.memory.keys('results')).toEqual([]);
    expect(await full.memory.keys('snapshots')).toHaveLength(2);
    await store.write([message(7)]);
    expect(await full.memory.keys('snapshots')).toEqual([['p', 70]]);
    expect(await full.memory.keys('slots')).toHaveLength(2);
    await store.write([message(8)]);
    expect(await full.memory.keys('slots')).toEqual([['p', 70]]);
    // Nothing more can go: what is left is the newest snapshot, its state, and what nobody could compute.
    await expect(store.write([message(9)])).rejects.toMatchObject({ code: 'storage-full', status: 507 });
    expect(await full.memory.keys('messages')).toHaveLength(8);
    expect(await full.memory.keys('snapshots')).toEqual([['p', 70]]);
  });

  it('asks for no room for snapshots, and always deletes', async () => {
    const full = small(2);
    const store = withRoom(full);
    await store.write([{ table: 'results', key: ['a', 'b'], value: 'x' }, message(1)]);
    const snapshot: Write[] = [
      { table: 'pages', key: 'h', value: new Uint8Array(1) },
      { table: 'snapshots', key: ['p', 1], value: manifest() },
    ];
    await expect(store.write(snapshot)).rejects.toMatchObject({ code: 'storage-full' });
    expect(await full.memory.keys('results')).toHaveLength(1);
    await store.write([{ table: 'messages', key: 'm1' }]);
    expect(await full.memory.keys('messages')).toEqual([]);
  });

  it('makes room once for many writers', async () => {
    const full = small(4);
    const store = withRoom(full);
    await store.write([1, 2].map((n) => ({ table: 'results', key: ['r', String(n)], value: n })));
    await store.write([message(1), message(2)]);
    await Promise.all([store.write([message(3)]), store.write([message(4)])]);
    expect(await full.memory.keys('messages')).toHaveLength(4);
  });
});

function manifest() {
  return { byteLength: 0, globals: {}, indexes: new Uint32Array(0), hashes: new Uint8Array(0), taken: 0 };
}
