/** `cron@1.0` across restarts of the node: the same store under a node that is put together anew. */
import { describe, expect, it } from 'vitest';
import { fromBytes } from '../../../src/base/bytes.ts';
import { resumeCron } from '../../../src/device/cron.ts';
import { signersOf } from '../../../src/device/signers.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { testNode } from '../../conformance/node.ts';

/** A node on `store`, at a time, that notes what its tasks ask. */
async function start(store: MemoryStore, now = () => Date.now()) {
  const context = await testNode({ capabilities: { store, clock: { now } } });
  const seen: { key: string; note: string | undefined; signers: readonly string[] }[] = [];
  context.devices.register({
    name: 'noting@1.0',
    keys: {
      tick: async (_base, request, inner) => {
        seen.push({ key: 'tick', note: request.text('note'), signers: await signersOf(request, inner) });
        return 'done';
      },
      stuck: () => {
        seen.push({ key: 'stuck', note: undefined, signers: [] });
        return new Promise<string>(() => {});
      },
    },
  });
  return { context, seen };
}

async function ask(context: NodeContext, target: string): Promise<[number, string]> {
  const headers: [string, string][] = [['accept-bundle', 'true']];
  const { status, body } = await handle({ method: 'GET', target, headers, body: new Uint8Array() }, context);
  return [status, fromBytes(body)];
}

const later = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

describe('cron@1.0', () => {
  it('goes on with what repeats, until it is stopped', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    const path = '/~cron@1.0/every?cron-path=/~noting@1.0/tick&interval=40-milliseconds&note=hello';
    const [status, id] = await ask(first.context, path);
    expect(status).toBe(200);
    // Asked again it is the same task.
    expect(await ask(first.context, path)).toEqual([200, id]);

    const second = await start(store);
    expect(await resumeCron(second.context)).toBe(1);
    expect(await resumeCron(second.context)).toBe(0);
    await expect.poll(() => second.seen.length).toBeGreaterThan(1);
    expect(second.seen[0]).toEqual({ key: 'tick', note: 'hello', signers: [] });
    expect((await ask(second.context, `/~cron@1.0/stop?task=${id}`))[0]).toBe(200);
    expect(await ask(second.context, `/~cron@1.0/stop?task=${id}`)).toEqual([400, 'Task not found.']);
    await ask(first.context, `/~cron@1.0/stop?task=${id}`);
    expect(await resumeCron((await start(store)).context)).toBe(0);
  });

  it('makes up for missed runs with one', async () => {
    const store = new MemoryStore();
    const began = Date.now();
    const first = await start(store);
    const [, id] = await ask(first.context, '/~cron@1.0/every?cron-path=/~noting@1.0/tick&interval=1-hour');
    const soon = await start(store, () => began + 60_000);
    expect(await resumeCron(soon.context)).toBe(1);
    const much = await start(store, () => began + 10 * 3_600_000);
    expect(await resumeCron(much.context)).toBe(1);
    await expect.poll(() => much.seen.length).toBe(1);
    await later(60);
    expect([soon.seen.length, much.seen.length]).toEqual([0, 1]);
    for (const { context } of [first, soon, much]) await ask(context, `/~cron@1.0/stop?task=${id}`);
  });

  it('runs once what was cut short, and not what was done', async () => {
    const store = new MemoryStore();
    const first = await start(store);
    await ask(first.context, '/~cron@1.0/once?cron-path=/~noting@1.0/tick');
    await ask(first.context, '/~cron@1.0/once?cron-path=/~noting@1.0/stuck');
    await expect.poll(() => first.seen.length).toBe(2);
    await later(20);
    const second = await start(store);
    expect(await resumeCron(second.context)).toBe(1);
    await expect.poll(() => second.seen.map(({ key }) => key)).toEqual(['stuck']);
  });
});
