import { afterEach, describe, expect, it } from 'vitest';
import { openNode, type OpenNode } from '../../../src/client/index.ts';
import { deleteIndexedDb, openIndexedDb } from '../../../src/store/indexeddb.ts';
import { RING, token } from '../../setup/ring-program.ts';

const PROCESSES = 10;
const TOKENS = 50;
/** A token makes so many messages, the first of them sent, the others pushed: 1,000 in all. */
const MESSAGES = 20;
const AT_ONCE = 8;

const database = `ring-${crypto.randomUUID()}`;
let node: OpenNode | undefined;

async function open(): Promise<OpenNode> {
  node = await openNode({
    serviceWorker: false,
    database,
    createWorker: () =>
      new Worker(new URL('../../../workers/node.worker.ts', import.meta.url), { type: 'module' }),
  });
  return node;
}

afterEach(async () => {
  await node?.close();
  await deleteIndexedDb(database);
});

/** Pushes a slot; false if the node went away before it answered. */
async function push(opened: OpenNode, id: string, slot: number): Promise<boolean> {
  const target = `/${id}~process@1.0/push&slot=${slot}&push-mode=async`;
  const { status } = await opened.request({ method: 'POST', target, headers: [], body: new Uint8Array(0) });
  return status === 200;
}

/** How often each hop of each token arrived, by the schedules of all processes. */
async function arrivals(opened: OpenNode, ring: readonly string[]): Promise<Map<string, number>> {
  const out = new Map<string, number>();
  for (const id of ring) {
    const state = await opened.state(id, { path: 'seen', depth: 2 });
    for (const { key, text } of state.children ?? []) out.set(key, (out.get(key) ?? 0) + Number(text));
  }
  return out;
}

/** Pushes that are not at their end, as the disk has it. */
async function underWay(): Promise<number> {
  const store = await openIndexedDb(database);
  const keys = await store.keys('node', { from: ['push'], to: ['push', '\uffff'] });
  await store.close();
  return keys.length;
}

/** Messages in all schedules: asked while waiting, because reading every state would be most of the work. */
async function scheduled(opened: OpenNode, ring: readonly string[]): Promise<number> {
  const slots = await Promise.all(ring.map(async (id) => (await opened.process(id)).slot));
  return slots.reduce((sum, slot) => sum + slot, 0);
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a ring of ten processes', () => {
  it('passes on a thousand messages, each exactly once, across a reload', { timeout: 300_000 }, async () => {
    let opened = await open();
    const ring: string[] = [];
    for (let n = 0; n < PROCESSES; n++)
      ring.push((await opened.spawn({ module: { type: 'lua', source: RING }, name: `ring ${n}` })).id);
    const slots: number[] = [];
    for (let n = 0; n < TOKENS; n++) {
      const sent = await opened.send(ring[0]!, { ...token(`t${n}`, ring, MESSAGES - 1), compute: false });
      slots.push(sent.slot);
    }
    for (let n = 0; n < TOKENS / 2; n++) expect(await push(opened, ring[0]!, slots[n]!)).toBe(true);
    // In the middle of it all the tab goes away.
    while ((await scheduled(opened, ring)) < (TOKENS * MESSAGES) / 5) await wait(100);
    await opened.close();
    expect(await underWay()).toBeGreaterThan(0);

    opened = await open();
    for (let from = TOKENS / 2; from < TOKENS; from += AT_ONCE)
      await Promise.all(slots.slice(from, from + AT_ONCE).map((slot) => push(opened, ring[0]!, slot)));
    while ((await scheduled(opened, ring)) < TOKENS * MESSAGES) await wait(250);
    while ((await underWay()) > 0) await wait(100);
    const seen = await arrivals(opened, ring);
    const wanted = new Map<string, number>();
    for (let n = 0; n < TOKENS; n++) for (let hop = 0; hop < MESSAGES; hop++) wanted.set(`t${n}-${hop}`, 1);
    expect(new Map([...seen].sort())).toEqual(new Map([...wanted].sort()));
    // Twice in a schedule would be once too often as well, computed or not.
    expect(await scheduled(opened, ring)).toBe(TOKENS * MESSAGES);
  });
});
