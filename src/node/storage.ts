/** How much of the browser's storage the node uses, and giving back what can be computed again. */
import { readHead } from '../device/schedule-records.ts';
import { PAGE_BYTES } from '../engine/engine.ts';
import type { StorageReport } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { reclaim } from '../store/reclaim.ts';
import { SnapshotStore } from '../store/snapshots.ts';
import type { ViewKeys } from './view.ts';

/** Share of the quota above which room is made before anybody has to wait for it. */
const CROWDED = 0.85;
/** Milliseconds between two looks. */
const LOOK_EVERY = 60_000;

export async function storageReport(context: NodeContext): Promise<StorageReport> {
  const { store } = context;
  const { usage = 0, quota = 0 } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  const { owners, reclaimable } = await SnapshotStore.of(store).usage();
  const processes = [];
  for (const key of await store.keys('processes')) {
    const id = String(key);
    const head = (await readHead(store, id)) as ({ slot: number } & ViewKeys) | undefined;
    const { own = 0, named = 0 } = owners.get(id) ?? {};
    processes.push({
      id,
      name: head?.name ?? '',
      bytes: own,
      pages: named / PAGE_BYTES,
      slots: (head?.slot ?? -1) + 1,
    });
  }
  const persisted = (await globalThis.navigator?.storage?.persisted?.()) ?? false;
  return { usage, quota, persisted, reclaimable, processes };
}

export async function freeStorage(context: NodeContext): Promise<StorageReport> {
  await reclaim(context.store, 3);
  return storageReport(context);
}

/** Makes room in time, where the browser says how much there is. Answers the function that ends it. */
export function watchStorage(context: NodeContext): () => void {
  const look = async () => {
    const { usage = 0, quota = 0 } = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
    if (quota > 0 && usage > CROWDED * quota) await reclaim(context.store, 2);
  };
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY);
  return () => clearInterval(timer);
}
