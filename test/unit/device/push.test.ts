import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { resumePushes } from '../../../src/node/resume.ts';
import { unfinishedPushes } from '../../../src/device/push-queue.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message } from '../../../src/message/message.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { scheduled, signed, testNode, type TestNode } from '../../setup/test-node.ts';

async function push(
  node: TestNode,
  process: { id: string; definition: Message },
  message: Record<string, string>,
) {
  const body = await signed({ type: 'Message', target: process.id, ...message });
  const { status, value } = await node.context.resolve(
    process.definition.with({ device: 'process@1.0' }),
    Message.of({ path: 'push', method: 'POST', body }),
  );
  expect(status).toBe('ok');
  return value as Message;
}

const count = async (node: TestNode, id: string) =>
  (await Schedules.of(node.context).read(id, 1, 99, node.context)).length;

/** A store that takes no more writes from the one with the number `failing` on, once it is armed. */
function breaking(
  memory: MemoryStore,
  state: { writes: number; broken: boolean; armed: boolean },
  failing: number,
): MemoryStore {
  return new Proxy(memory, {
    get: (target, name) => {
      if (name === 'write')
        return (writes: Parameters<MemoryStore['write']>[0]) => {
          if (state.armed && ++state.writes >= failing) state.broken = true;
          return state.broken
            ? Promise.reject(new AoError('storage-closed', 'The tab was closed.', { status: 503 }))
            : memory.write(writes);
        };
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('push@1.0', () => {
  it('sends what a slot leaves in the outbox on to its target, and shows what came of it', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const b = await scheduled(node, 'native', [], { name: 'b' });
    const answer = await push(node, a, { action: 'Send', to: b.id, by: '1' });
    const sent = answer.message('1')!;
    expect(sent.text('target')).toBe(b.id);
    expect(sent.get('slot')).toBe(1n);
    expect(sent.message('resulted-in')!.text('process')).toBe(b.id);
    const [received] = await Schedules.of(node.context).read(b.id, 1, 1, node.context);
    const body = received!.assignment.message('body')!;
    expect(body.text('from-process')).toBe(a.id);
    expect(body.text('type')).toBe('Message');
    expect(await unfinishedPushes(node.context)).toEqual([]);
  });

  it('answers for targets that are not there', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const answer = await push(node, a, { action: 'Send', to: 'n'.repeat(43), by: '1' });
    expect(answer.message('1')!.get('status')).toBe(404n);
    expect(answer.message('1')!.text('reason')).toBe('Could not access target process!');
  });

  it('ends a chain that goes round for ever', async () => {
    const node = await testNode({ config: Message.of({ 'push-max-hops': 6n }) });
    const a = await scheduled(node, 'native', [], { name: 'a' });
    node.log.before = (tags) => void tags.set('Action', 'Send').set('To', a.id);
    await push(node, a, { action: 'Send', to: a.id, by: '1' });
    expect(await count(node, a.id)).toBe(8);
  });

  it('delivers exactly once across a restart, wherever it was interrupted', async () => {
    for (let failing = 1; failing <= 6; failing++) {
      const memory = new MemoryStore();
      const state = { writes: 0, broken: false, armed: false };
      const store = breaking(memory, state, failing);
      const node = await testNode({ store });
      const a = await scheduled(node, 'native', [], { name: 'a' });
      const b = await scheduled(node, 'native', [], { name: 'b' });
      const body = await signed({ type: 'Message', target: a.id, action: 'Send', to: b.id, by: '1' });
      state.armed = true;
      await node.context
        .resolve(
          a.definition.with({ device: 'process@1.0' }),
          Message.of({ path: 'push', method: 'POST', body }),
        )
        .catch(() => undefined);
      const second = await testNode({ store: memory });
      await resumePushes(second.context);
      const accepted = (await count(second, a.id)) > 0;
      expect(await count(second, b.id), `interrupted at write ${failing}`).toBe(accepted ? 1 : 0);
      expect(await unfinishedPushes(second.context)).toEqual([]);
    }
  }, 60_000);

  it('delivers each message of a long ring exactly once, wherever it was interrupted', async () => {
    const RING = 4;
    const HOPS = 11;
    for (const failing of [2, 5, 9, 10, 11, 17, 24, 31, 40]) {
      const memory = new MemoryStore();
      const state = { writes: 0, broken: false, armed: false };
      const store = breaking(memory, state, failing);
      const node = await testNode({ store });
      const ring: { id: string; definition: Message }[] = [];
      for (let n = 0; n < RING; n++) ring.push(await scheduled(node, 'native', [], { name: `ring ${n}` }));
      const next = (target: TestNode) => {
        let left = HOPS;
        // Each message but the last leads to one for the next process of the ring.
        target.log.before = (tags) => {
          const at = Number(tags.get('By'));
          left = HOPS - at;
          if (left > 0) tags.set('Action', 'Send').set('To', ring[(at + 1) % RING]!.id);
          tags.set('Next', String(at + 1));
        };
      };
      next(node);
      const body = await signed({ type: 'Message', target: ring[0]!.id, action: 'Send', by: '0' });
      state.armed = true;
      await node.context
        .resolve(
          ring[0]!.definition.with({ device: 'process@1.0' }),
          Message.of({ path: 'push', method: 'POST', body }),
        )
        .catch(() => undefined);
      for (let again = 0; again < 2; again++) {
        const second = await testNode({ store: memory });
        next(second);
        await resumePushes(second.context);
        expect(await unfinishedPushes(second.context)).toEqual([]);
      }
      const seen: number[] = [];
      const reader = await testNode({ store: memory });
      for (const { id } of ring)
        for (const { assignment } of await Schedules.of(reader.context).read(id, 1, 99, reader.context))
          seen.push(Number(assignment.message('body')!.text('by')));
      seen.sort((a, b) => a - b);
      expect(seen, `interrupted at write ${failing}`).toEqual(
        seen.length === 0 ? [] : Array.from({ length: HOPS + 1 }, (_, n) => n),
      );
    }
  }, 120_000);
});
