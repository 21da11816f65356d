/** What a slot costs must not grow with the slots that there are: counted, not timed. */
import { serialize } from 'node:v8';
import { afterEach, expect, it, vi } from 'vitest';
import { Processes } from '../../../src/device/processes.ts';
import { assignmentWrite, headWrite } from '../../../src/device/schedule-records.ts';
import { readState, recordOf, writesOf } from '../../../src/device/slot-records.ts';
import { Message } from '../../../src/message/message.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { SnapshotStore } from '../../../src/store/snapshots.ts';
import type { Store } from '../../../src/store/store.ts';
import { scheduled, testNode, type TestNode } from '../../setup/test-node.ts';

/** Slots that are counted together. */
const WINDOW = 256;
const LATE = 9_984;

interface Work {
  reads: number;
  rowsRead: number;
  writes: number;
  rowsWritten: number;
  bytesWritten: number;
  events: number;
  messages: number;
}

function counted(store: Store): { store: Store; work: Work } {
  const work: Work = {
    reads: 0,
    rowsRead: 0,
    writes: 0,
    rowsWritten: 0,
    bytesWritten: 0,
    events: 0,
    messages: 0,
  };
  const read = async <T>(rows: Promise<T>): Promise<T> => {
    work.reads++;
    const found = await rows;
    work.rowsRead += Array.isArray(found) ? found.length : 1;
    return found;
  };
  return {
    work,
    store: {
      get: (table, key) => read(store.get(table, key)),
      getMany: (table, keys) => read(store.getMany(table, keys)),
      range: (table, range) => read(store.range(table, range)),
      keys: (table, range) => read(store.keys(table, range)),
      write: (writes, options) => {
        work.writes++;
        work.rowsWritten += writes.length;
        for (const { value } of writes) work.bytesWritten += serialize(value).length;
        return store.write(writes, options);
      },
      close: () => store.close(),
    },
  };
}

/** Assignments up to `newest` as a schedule that was imported has them, without signatures. */
async function prepare(node: TestNode, process: string, newest: number): Promise<void> {
  const writes = [];
  for (let slot = 1; slot <= newest; slot++) {
    const body = Message.of({ target: process, type: 'Message', action: 'Add', by: '1', n: `${slot + 1e6}` });
    const assignment = Message.of({ path: 'compute', type: 'assignment', process, slot: BigInt(slot), body });
    writes.push(assignmentWrite(process, slot, `unsigned-${slot}`, assignment));
  }
  await node.store.write(writes);
  const head = { slot: newest, hashChain: '', timestamp: newest, own: true, created: 0 };
  await node.store.write([headWrite(process, head)]);
}

/** Slots after `from` up to `to`, as they lie on disk once they are computed, and the snapshot of the last. */
async function fill(node: TestNode, process: string, from: number, to: number): Promise<void> {
  const { state, record } = (await readState(node.store, process, from))!;
  const { took, at, machine } = record;
  const records = [];
  let before = { state, base: record.base };
  for (let slot = from + 1; slot <= to; slot++) {
    const next = state.with({ 'at-slot': BigInt(slot) });
    const made = recordOf(slot, next, { took, at, ...(machine ? { machine } : {}) }, before);
    before = { state: next, base: made.base };
    records.push({ slot, record: made });
  }
  await node.store.write(writesOf(process, records));
  const snapshots = SnapshotStore.of(node.store);
  await snapshots.write(process, to, (await snapshots.read(process, from))!, new Map());
}

afterEach(() => void vi.useRealTimers());

it('is the same at slot 10,000 as at slot 100', { timeout: 60_000 }, async () => {
  // What is written together must not depend on how fast this machine is.
  vi.useFakeTimers({ toFake: ['performance'] });
  const { store, work } = counted(new MemoryStore());
  let node = await testNode({ store });
  const { id } = await scheduled(node, 'native', []);
  await prepare(node, id, LATE + 2 * WINDOW);
  const to = async (slot: number) => {
    const live = (await Processes.of(node.context).find(id, node.context))!;
    expect((await live.compute(slot, node.context)).status).toBe('ok');
  };
  const now = (): Work => ({ ...work, events: node.events.length, messages: node.log.evaluated.length });
  const workTo = async (slot: number): Promise<Work> => {
    const before = now();
    await to(slot);
    const after = now();
    const keys = Object.keys(work) as (keyof Work)[];
    return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as unknown as Work;
  };
  await to(128);
  const early = await workTo(128 + WINDOW);
  await (await Processes.of(node.context).find(id, node.context))!.hibernate(node.context);
  await fill(node, id, 128 + WINDOW, LATE - WINDOW);
  node = await node.again();
  await to(LATE);
  const late = await workTo(LATE + WINDOW);
  expect(early.messages).toBe(WINDOW);
  expect({ ...late, bytesWritten: 0 }).toEqual({ ...early, bytesWritten: 0 });
  // Numbers have more digits.
  expect(late.bytesWritten).toBeLessThan(1.05 * early.bytesWritten);
});
