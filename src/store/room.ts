/**
 * A store that makes room when there is none left: what can be computed again goes, step by step, until the write
 * fits. Only when nothing more can go does the writer hear of it.
 */
import { AoError } from '../base/errors.ts';
import { reclaim, type ReclaimLevel } from './reclaim.ts';
import type { Store, Write } from './store.ts';

const LEVELS: readonly ReclaimLevel[] = [1, 2, 3];
/** After everything that could go is gone, nobody looks again for so many milliseconds. */
const PAUSE = 5_000;

interface Room {
  /** Under way; whoever needs room meanwhile waits for the same. */
  making: Promise<boolean> | undefined;
  /** When nothing was found that could go. */
  emptyAt: number;
}

const rooms = new WeakMap<Store, Room>();

/** Frees the cheapest that there is. False if nothing can go. */
export async function makeRoom(store: Store): Promise<boolean> {
  const room = rooms.get(store) ?? { making: undefined, emptyAt: -Infinity };
  rooms.set(store, room);
  if (performance.now() - room.emptyAt < PAUSE) return false;
  room.making ??= free(store).finally(() => (room.making = undefined));
  const freed = await room.making;
  if (!freed) room.emptyAt = performance.now();
  return freed;
}

async function free(store: Store): Promise<boolean> {
  for (const level of LEVELS) if ((await reclaim(store, level)) > 0) return true;
  return false;
}

/**
 * The store, with room made for what has to be written. Not for snapshots: they are what goes first, and whoever
 * takes one can do without. `onFull` is told each time that there was no room.
 */
export function withRoom(store: Store, onFull: () => void = () => undefined): Store {
  const roomy: Store = {
    get: (table, key) => store.get(table, key),
    getMany: (table, keys) => store.getMany(table, keys),
    range: (table, range) => store.range(table, range),
    keys: (table, range) => store.keys(table, range),
    close: () => store.close(),
    async write(writes, options) {
      for (let tries = 1; ; tries++)
        try {
          return await store.write(writes, options);
        } catch (thrown) {
          if (AoError.wrap(thrown).code !== 'storage-full') throw thrown;
          onFull();
          if (tries > LEVELS.length || !isNeeded(writes) || !(await makeRoom(roomy))) throw thrown;
        }
    },
  };
  return roomy;
}

function isNeeded(writes: readonly Write[]): boolean {
  return writes.some(({ value }) => value !== undefined) && !writes.some(({ table }) => table === 'pages');
}
