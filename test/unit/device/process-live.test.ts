import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { Processes } from '../../../src/device/processes.ts';
import type { LiveProcess } from '../../../src/device/process-live.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { readState } from '../../../src/device/slot-records.ts';
import { Message } from '../../../src/message/message.ts';
import type { Value } from '../../../src/message/value.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { SnapshotStore } from '../../../src/store/snapshots.ts';
import { scheduled, send, testNode, type TestNode } from '../../setup/test-node.ts';

const add = (by: number) => ({ action: 'Add', by: String(by) });

async function live(node: TestNode, id: string): Promise<LiveProcess> {
  return (await Processes.of(node.context).find(id, node.context))!;
}

async function dataAt(node: TestNode, id: string, slot: number): Promise<Value | undefined> {
  const { status, value } = await (await live(node, id)).compute(slot, node.context);
  expect(status).toBe('ok');
  return (value as Message).message('results')?.get('data');
}

describe('a live process', () => {
  it('computes each slot once, keeps the machine hot and answers every slot afterwards', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(5), add(7), add(1)]);
    expect(await dataAt(node, id, 3)).toBe('13');
    expect(await dataAt(node, id, 1)).toBe('5');
    await send(node, id, [add(2)]);
    expect(await dataAt(node, id, 4)).toBe('15');
    expect(node.log.started).toEqual([0]);
    expect(node.log.evaluated).toEqual(['0', '5', '7', '1', '2']);
  });

  it('serialises requests for one process and runs different ones side by side', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [add(1), add(2), add(3)], { name: 'a' });
    const b = await scheduled(node, 'native', [add(10)], { name: 'b' });
    let blocked: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (blocked = resolve));
    node.log.before = (tags) => (tags.get('By') === '1' ? gate : undefined);
    const answers = [3, 2, 3, 1].map((slot) => dataAt(node, a.id, slot));
    expect(await dataAt(node, b.id, 1)).toBe('10');
    blocked();
    expect(await Promise.all(answers)).toEqual(['6', '3', '6', '1']);
    expect(node.log.evaluated.filter((by) => by === '1')).toHaveLength(1);
  });

  it('goes on from the last snapshot after a restart, not from slot 0', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(5), add(7)]);
    expect(await dataAt(node, id, 2)).toBe('12');
    await (await live(node, id)).hibernate(node.context);
    await send(node, id, [add(3), add(4)]);
    const second = await node.again();
    expect(await dataAt(second, id, 4)).toBe('19');
    expect(second.log.started).toEqual([12]);
    expect(second.log.evaluated).toEqual(['3', '4']);
  });

  it('replays what came after the snapshot, once, and never writes it again', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1)]);
    await dataAt(node, id, 1);
    await send(node, id, [add(2), add(3)]);
    expect(await dataAt(node, id, 3)).toBe('6');
    const second = await node.again();
    await send(second, id, [add(4)]);
    expect(await dataAt(second, id, 4)).toBe('10');
    expect(second.log.evaluated).toEqual(['2', '3', '4']);
  });

  it('computes from the beginning when the pages of its snapshots are gone', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(5)]);
    await dataAt(node, id, 1);
    const pages = await node.store.keys('pages');
    await node.store.write(pages.map((key) => ({ table: 'pages', key })));
    const second = await node.again();
    await send(second, id, [add(6)]);
    expect(await dataAt(second, id, 2)).toBe('11');
    expect(second.log.evaluated).toEqual(['0', '5', '6']);
    expect(second.events.some(({ type }) => type === 'snapshot-damaged')).toBe(true);
  });

  it('computes an earlier slot that was evicted by a machine of its own; the live one does not go back', async () => {
    const node = await testNode();
    const { id } = await scheduled(
      node,
      'native',
      Array.from({ length: 66 }, () => add(1)),
    );
    await dataAt(node, id, 66);
    const second = await node.again();
    await send(second, id, [add(4)]);
    expect(await dataAt(second, id, 67)).toBe('70');
    const { length } = second.log.started;
    await second.store.write([{ table: 'slots', key: [id, 0], to: [id, 63] }]);
    expect(await dataAt(second, id, 7)).toBe('7');
    expect(second.log.started).toHaveLength(length + 1);
    expect(second.log.closed).toBe(1);
    await send(second, id, [add(5)]);
    expect(await dataAt(second, id, 68)).toBe('75');
    expect(second.log.started).toHaveLength(length + 1);
  }, 60_000);

  it('computes again when what its newest record builds on is gone', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), add(2), add(3)]);
    // Asked one by one, each has a row of its own.
    for (const slot of [0, 1, 2, 3]) await dataAt(node, id, slot);
    const second = await node.again();
    await second.store.write([0, 1, 2].map((slot) => ({ table: 'slots', key: [id, slot] })));
    expect(await readState(second.store, id, 3)).toBeUndefined();
    expect(await dataAt(second, id, 3)).toBe('6');
    const third = await second.again();
    await send(third, id, [add(4)]);
    expect(await dataAt(third, id, 4)).toBe('10');
  });

  it('a native program that traps stays before that slot; later slots answer the error, earlier ones are read', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), { action: 'Trap', by: '9' }, add(2)]);
    const process = await live(node, id);
    await expect(process.compute(3, node.context)).rejects.toMatchObject({
      status: 500,
      detail: { 'attempted-slot': 2 },
    });
    await expect(process.compute(2, node.context)).rejects.toMatchObject({ status: 500 });
    expect(await dataAt(node, id, 1)).toBe('1');
    expect(node.log.evaluated).toEqual(['0', '1', '9']);
    process.retry();
    await expect(process.compute(3, node.context)).rejects.toMatchObject({ status: 500 });
    expect((await process.status(node.context)).failure?.slot).toBe(2);
  });

  it('a native runaway is reported and can be tried again', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), { action: 'Wait', by: '2' }]);
    node.log.before = (tags) => {
      if (tags.get('Action') === 'Wait') throw new AoError('runaway', 'Too long.', { status: 503 });
    };
    const process = await live(node, id);
    await expect(process.compute(2, node.context)).rejects.toMatchObject({ code: 'runaway', status: 503 });
    node.log.before = undefined;
    await expect(process.compute(2, node.context)).rejects.toMatchObject({ code: 'runaway' });
    process.retry();
    expect(await dataAt(node, id, 2)).toBe('3');
  });

  it('legacynet: an error is a result, memory stays as before, and the process goes on', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'legacynet', [
      add(1),
      { action: 'Error', by: '50' },
      { action: 'Trap', by: '60' },
      add(2),
    ]);
    expect(await dataAt(node, id, 4)).toBe('3');
    expect(await dataAt(node, id, 2)).toBe('as asked');
    expect(await dataAt(node, id, 3)).toBe('unreachable');
    expect((await readState(node.store, id, 2))?.record.failed).toBe(true);
  });

  it('legacynet: a message that does not end gets an error for a result, and the process goes on', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'legacynet', [
      add(1),
      { action: 'Forever', by: '5' },
      add(2),
      add(3),
    ]);
    expect(await dataAt(node, id, 4)).toBe('6');
    expect(await dataAt(node, id, 2)).toContain('did not come back');
    expect(node.events.some(({ type, slot }) => type === 'runaway' && slot === 2)).toBe(true);
    // A restart takes the failed slot's result as it is and does not run it again.
    const second = await node.again();
    await send(second, id, [add(4)]);
    expect(await dataAt(second, id, 5)).toBe('10');
    expect(second.log.evaluated).not.toContain('5');
  });

  it('writes nothing of a group when the store is full, and computes it again later', async () => {
    const memory = new MemoryStore();
    const full = { now: false };
    const store = new Proxy(memory, {
      get: (target, name) => {
        if (name === 'write')
          return (writes: Parameters<MemoryStore['write']>[0]) =>
            full.now && writes.some(({ table }) => table === 'slots')
              ? Promise.reject(new AoError('storage-full', 'No room.', { status: 507 }))
              : memory.write(writes);
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const node = await testNode({ store });
    const { id } = await scheduled(node, 'native', [add(1), add(2)]);
    full.now = true;
    const process = await live(node, id);
    await expect(process.compute(2, node.context)).rejects.toMatchObject({
      code: 'storage-full',
      status: 507,
    });
    expect(await memory.keys('slots')).toEqual([]);
    full.now = false;
    expect(await dataAt(node, id, 2)).toBe('3');
    expect(await memory.keys('slots')).toEqual([[id, 2]]);
    for (const slot of [0, 1, 2]) expect((await readState(memory, id, slot))?.slot).toBe(slot);
  });

  it('a machine that goes away under a request is started again', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), add(2)]);
    await dataAt(node, id, 1);
    let once = true;
    node.log.before = () => {
      if (!once) return;
      once = false;
      throw new AoError('engine-failed', 'The worker crashed.', { status: 500 });
    };
    expect(await dataAt(node, id, 2)).toBe('3');
    expect(node.log.started).toEqual([0, 1]);
  });

  it.each(['native', 'legacynet'] as const)(
    '%s: integers of any length in a reply are kept',
    async (kind) => {
      const node = await testNode();
      const { id } = await scheduled(node, kind, [{ action: 'Large', by: '-12345678901234567890123' }]);
      expect(await dataAt(node, id, 1)).toBe(-12345678901234567890123n);
      const again = await node.again();
      const { value } = await (await live(again, id)).compute(1, again.context);
      const outbox = (value as Message).message('results')?.message('outbox');
      expect(outbox?.message('1')?.get('Amount')).toBe(-12345678901234567890123n);
    },
  );

  it('keeps snapshots by slots, and thins them', async () => {
    const node = await testNode({ config: Message.of({ 'process-snapshot-slots': 5n }) });
    const { id } = await scheduled(
      node,
      'native',
      Array.from({ length: 60 }, () => add(1)),
    );
    expect(await dataAt(node, id, 60)).toBe('60');
    const slots = await SnapshotStore.of(node.store).slots(id);
    expect(slots.length).toBeGreaterThan(2);
    expect(slots.length).toBeLessThan(12);
    expect(slots.at(-1)).toBeGreaterThan(54);
  });

  it('a slot that is not scheduled answers 404 with the slot that is missing', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1)]);
    const { status, value } = await (await live(node, id)).compute(7, node.context);
    expect(status).toBe('error');
    expect((value as Message).get('attempted-slot')).toBe(2n);
    expect((value as Message).get('phase')).toBe('get-schedule');
    expect(await dataAt(node, id, 1)).toBe('1');
  });

  it('stops when asked, and goes on when asked again', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1), add(2)]);
    let entered: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (entered = resolve));
    node.log.before = (tags) =>
      tags.get('By') === '2' ? (entered(), new Promise((r) => setTimeout(r, 20))) : undefined;
    const process = await live(node, id);
    const running = process.compute(2, node.context);
    await inside;
    await process.stop();
    await expect(running).rejects.toMatchObject({ code: 'stopped' });
    node.log.before = undefined;
    expect(await dataAt(node, id, 2)).toBe('3');
  });

  it('goes on when the clock goes back, also across a restart: a schedule never does', async () => {
    const node = await testNode();
    const { id } = await scheduled(node, 'native', [add(1)]);
    node.clock.time -= 86_400_000;
    await send(node, id, [add(2)]);
    expect(await dataAt(node, id, 2)).toBe('3');
    const second = await node.again();
    second.clock.time -= 10 * 86_400_000;
    await send(second, id, [add(3)]);
    expect(await dataAt(second, id, 3)).toBe('6');
    second.clock.time += 20 * 86_400_000;
    await send(second, id, [add(4)]);
    const kept = await Schedules.of(second.context).read(id, 0, 9, second.context);
    const times = kept.map(({ assignment }) => Number(assignment.get('timestamp')));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[1]).toBe(times[2]);
    expect(times[4]).toBe(second.clock.time);
    expect(kept.map(({ assignment }) => Number(assignment.get('slot')))).toEqual([0, 1, 2, 3, 4]);
    expect(await dataAt(second, id, 4)).toBe('10');
  });
});
