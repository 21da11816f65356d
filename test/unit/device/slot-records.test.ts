import { describe, expect, it } from 'vitest';
import { Message } from '../../../src/message/message.ts';
import {
  newestSlot,
  readRecords,
  readState,
  recordOf,
  WHOLE_EVERY,
  writesOf,
  type NumberedRecord,
} from '../../../src/device/slot-records.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { reclaim } from '../../../src/store/reclaim.ts';

const stateAt = (slot: number, data = '') => Message.of({ 'at-slot': BigInt(slot), data, kept: 'as it is' });

/** Records of consecutive slots from `from`, whose first is whole. */
function records(from: number, count: number, data = ''): NumberedRecord[] {
  const out: NumberedRecord[] = [];
  let before: { state: Message; base: number } | undefined;
  for (let slot = from; slot < from + count; slot++) {
    const state = stateAt(slot, data);
    const record = recordOf(slot, state, { took: slot, at: 0 }, before);
    before = { state, base: record.base };
    out.push({ slot, record });
  }
  return out;
}

async function rows(store: MemoryStore) {
  return (await store.keys('slots')).map((key) => (key as [string, number])[1]);
}

describe('records of slots', () => {
  it('share a row as far as they build on one whole state, and are read one by one', async () => {
    const store = new MemoryStore();
    await store.write(writesOf('p', records(0, 150)));
    expect(await rows(store)).toEqual([WHOLE_EVERY - 1, 2 * WHOLE_EVERY - 1, 149]);
    for (const slot of [0, 1, 63, 64, 100, 127, 128, 149]) {
      const stored = await readState(store, 'p', slot);
      expect(stored?.state.get('at-slot')).toBe(BigInt(slot));
      expect(stored?.state.get('kept')).toBe('as it is');
      expect(stored?.record.took).toBe(slot);
      expect(stored?.record).not.toHaveProperty('earlier');
      expect(await newestSlot(store, 'p', slot)).toBe(slot);
    }
    expect(await readState(store, 'p', 150)).toBeUndefined();
    expect(await readState(store, 'o', 3)).toBeUndefined();
    expect(await newestSlot(store, 'p')).toBe(149);
    expect(await newestSlot(store, 'p', 1000)).toBe(149);
    expect(await newestSlot(store, 'o')).toBe(-1);
  });

  it('are read over rows that were written at different times', async () => {
    const store = new MemoryStore();
    const all = records(0, 40);
    for (const [from, to] of [
      [0, 1],
      [1, 5],
      [5, 17],
      [17, 40],
    ] as const)
      await store.write(writesOf('p', all.slice(from, to)));
    expect(await rows(store)).toEqual([0, 4, 16, 39]);
    for (let slot = 0; slot < 40; slot++)
      expect((await readState(store, 'p', slot))?.state.get('at-slot')).toBe(BigInt(slot));
    const read = await readRecords(store, 'p', 3, 20);
    expect([...read.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 18 }, (_, i) => i + 3));
    expect([...(await readRecords(store, 'p', 38, 60)).keys()]).toEqual([38, 39]);
  });

  it('do not share a row across a gap, nor when they are large', async () => {
    const store = new MemoryStore();
    const small = records(0, 10);
    await store.write(writesOf('p', [...small.slice(0, 3), ...small.slice(6)]));
    expect(await rows(store)).toEqual([2, 9]);
    expect(await readState(store, 'p', 4)).toBeUndefined();
    // What it builds on is not all there.
    expect(await readState(store, 'p', 8)).toBeUndefined();
    const large = records(0, 4).map(({ slot }) => {
      const state = stateAt(slot, String(slot).repeat(40_000));
      return { slot, record: recordOf(slot, state, { took: 0, at: 0 }, undefined) };
    });
    expect(writesOf('q', large)).toHaveLength(4);
  });

  it('that are computed again in place of lost ones are found before those that lost what they build on', async () => {
    const store = new MemoryStore();
    const all = records(0, 40);
    await store.write([...writesOf('p', all.slice(0, 10)), ...writesOf('p', all.slice(10))]);
    await store.write([{ table: 'slots', key: ['p', 9] }]);
    expect(await readState(store, 'p', 20)).toBeUndefined();
    await store.write(writesOf('p', records(15, 6, 'again')));
    expect(await rows(store)).toEqual([20, 39]);
    expect((await readState(store, 'p', 18))?.state.get('data')).toBe('again');
    expect(await readState(store, 'p', 12)).toBeUndefined();
    expect(await readState(store, 'p', 30)).toBeUndefined();
  });

  it('go in units that nothing else builds on when room is made', async () => {
    const store = new MemoryStore();
    await store.write(writesOf('p', records(0, 150)));
    await reclaim(store, 3);
    expect(await rows(store)).toEqual([149]);
    expect(await readState(store, 'p', 100)).toBeUndefined();
    expect((await readState(store, 'p', 130))?.state.get('at-slot')).toBe(130n);
  });
});
