/**
 * Making room: what can be computed again goes, oldest and cheapest first. Schedules, messages, keys and evidence
 * are never touched.
 */
import { SnapshotStore } from './snapshots.ts';
import type { Store, Write } from './store.ts';

/**
 * 1: stored results of single requests, and pages that nobody needs. 2: also all snapshots of a process but its
 * newest. 3: also computed states older than that snapshot.
 */
export type ReclaimLevel = 1 | 2 | 3;

/** Rows that are deleted in one transaction. */
const BATCH = 2_000;

/** Frees what the level says. Answers how many rows went. */
export async function reclaim(store: Store, level: ReclaimLevel): Promise<number> {
  let gone = await clear(store, 'results');
  const snapshots = SnapshotStore.of(store);
  if (level >= 2) {
    for (const owner of await owners(store)) {
      const slots = await snapshots.slots(owner);
      const old = slots.slice(0, -1);
      if (old.length) await snapshots.remove(owner, old);
      gone += old.length;
      if (level >= 3) gone += await forgetStates(store, owner, slots.at(-1));
    }
  }
  return gone + (await snapshots.sweep());
}

async function clear(store: Store, table: 'results'): Promise<number> {
  let gone = 0;
  for (;;) {
    const keys = await store.keys(table, { limit: BATCH });
    if (keys.length === 0) return gone;
    await store.write(keys.map((key) => ({ table, key })));
    gone += keys.length;
  }
}

/** Processes with computed states. */
async function owners(store: Store): Promise<string[]> {
  const out: string[] = [];
  for (let from: string | undefined = ''; from !== undefined;) {
    const [key] = await store.keys('slots', { from: [from], limit: 1 });
    const owner: string | undefined = Array.isArray(key) ? String(key[0]) : undefined;
    if (owner !== undefined) out.push(owner);
    from = owner === undefined ? undefined : `${owner}\0`;
  }
  return out;
}

/** Forgets states before the whole one on which the newest snapshot's state, or the head, builds. */
async function forgetStates(store: Store, owner: string, snapshot: number | undefined): Promise<number> {
  const [head] = await store.range<{ base: number }>('slots', {
    from: [owner, 0],
    to: [owner, snapshot ?? Infinity],
    reverse: true,
    limit: 1,
  });
  if (!head || head.value.base <= 0) return 0;
  let gone = 0;
  for (;;) {
    const keys = await store.keys('slots', {
      from: [owner, 0],
      to: [owner, head.value.base - 1],
      limit: BATCH,
    });
    if (keys.length === 0) return gone;
    await store.write(keys.map((key): Write => ({ table: 'slots', key })));
    gone += keys.length;
  }
}
