import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { resumePushes } from '../../../src/node/resume.ts';
import { unfinishedPushes } from '../../../src/device/push-queue.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message } from '../../../src/message/message.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { scheduled, signed, testNode, type TestNode } from '../../setup/test-node.ts';

interface Made {
  readonly id: string;
  readonly definition: Message;
}

/** A request that may be made again: the same key each time. */
function keyed(node: TestNode, key: string): NodeContext {
  const call = { key, taken: new Set<string>(), closed: false, repeated: false };
  return node.context.withSettings({ call });
}

async function post(context: NodeContext, process: Made, path: string, body: Message): Promise<Message> {
  const { status, value } = await context.resolve(
    process.definition.with({ device: 'process@1.0' }),
    Message.of({ path, method: 'POST', body }),
  );
  expect(status).toBe('ok');
  return value as Message;
}

const count = async (node: TestNode, id: string) =>
  (await Schedules.of(node.context).read(id, 1, 99, node.context)).length;

describe('a request that is made again', () => {
  it('schedules once for each key', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const body = await signed({ type: 'Message', target: a.id, action: 'Hello' });
    const slots = [];
    for (const key of ['first', 'first', 'second', 'first'])
      slots.push((await post(keyed(node, key), a, 'schedule', body)).get('slot'));
    expect(slots).toEqual([1n, 1n, 2n, 1n]);
    expect(await count(node, a.id)).toBe(2);
  });

  it('is remembered by a node that takes over', async () => {
    const store = new MemoryStore();
    const node = await testNode({ store });
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const body = await signed({ type: 'Message', target: a.id, action: 'Hello' });
    const first = await post(keyed(node, 'key'), a, 'schedule', body);
    const next = await testNode({ store });
    expect((await post(keyed(next, 'key'), a, 'schedule', body)).get('slot')).toBe(first.get('slot'));
    expect(await count(next, a.id)).toBe(1);
  });

  it('does not take another message for its own, whatever the key', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const say = async (action: string) =>
      post(keyed(node, 'key'), a, 'schedule', await signed({ type: 'Message', target: a.id, action }));
    expect((await say('Hello')).get('slot')).toBe(1n);
    expect((await say('Goodbye')).get('slot')).toBe(2n);
  });

  it('together or one after the other: one slot', async () => {
    const node = await testNode();
    const a = await scheduled(node, 'native', [], { name: 'a' });
    const body = await signed({ type: 'Message', target: a.id, action: 'Hello' });
    const all = [1, 2, 3].map(() => post(keyed(node, 'key'), a, 'schedule', body));
    expect((await Promise.all(all)).map((answer) => answer.get('slot'))).toEqual([1n, 1n, 1n]);
  });

  it('pushes once, wherever the node that had it first was interrupted', async () => {
    for (let failing = 1; failing <= 7; failing++) {
      const memory = new MemoryStore();
      const node = await testNode({ store: memory });
      const a = await scheduled(node, 'native', [], { name: 'a' });
      const b = await scheduled(node, 'native', [], { name: 'b' });
      const body = await signed({ type: 'Message', target: a.id, action: 'Send', to: b.id, by: '1' });
      const write = memory.write.bind(memory);
      let writes = 0;
      memory.write = (rows) =>
        ++writes < failing
          ? write(rows)
          : Promise.reject(new AoError('storage-closed', 'The tab was closed.', { status: 503 }));
      await post(keyed(node, 'key'), a, 'push', body).catch(() => undefined);
      memory.write = write;
      const next = await testNode({ store: memory });
      // The node that takes over goes on by itself, while the page makes its request again.
      await Promise.all([resumePushes(next.context), post(keyed(next, 'key'), a, 'push', body)]);
      const again = await post(keyed(next, 'key'), a, 'push', body);
      expect(again.get('slot'), `interrupted at write ${failing}`).toBe(1n);
      expect(await count(next, a.id), `interrupted at write ${failing}`).toBe(1);
      expect(await count(next, b.id), `interrupted at write ${failing}`).toBe(1);
      expect(await unfinishedPushes(next.context)).toEqual([]);
    }
  });
});
