/** Where the node keeps its state, and what became of what was there. */
import { AoError } from '../base/errors.ts';
import { openIndexedDb } from '../store/indexeddb.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Store } from '../store/store.ts';
import { hasTrace, leaveTrace } from '../store/traces.ts';

export interface OpenedStore {
  readonly store: Store;
  readonly kind: 'indexeddb' | 'memory';
  /** When it was found that the browser had lost all of it, in milliseconds since 1970. */
  readonly lost?: number;
}

/** How often opening the database is tried, and milliseconds between. */
const OPEN_TRIES = 4;
const OPEN_PAUSE = 300;
/** What a browser answers that keeps nothing in this window. */
const NO_STORAGE = new Set(['SecurityError', 'InvalidStateError', 'NotSupportedError', 'NotAllowedError']);
/** What no second try mends. */
const FINAL = new Set(['database-newer', 'storage-full']);
const LOST = ['lost'];

/**
 * IndexedDB; where the browser has none (some private windows), memory, which the page says plainly. A database that
 * was there is never passed over: what is in it would seem lost.
 * @throws AoError `database-newer` (409), `storage-unavailable` (503), `storage-full` (507)
 */
export async function openStore(name: string): Promise<OpenedStore> {
  const known = await hasTrace(name);
  for (let tries = 1; ; tries++)
    try {
      return await openDatabase(name, known);
    } catch (thrown) {
      const { code } = AoError.wrap(thrown);
      if (FINAL.has(code)) throw thrown;
      const keepsNothing = isWithoutStorage(thrown) && !known;
      if (keepsNothing) {
        console.warn('IndexedDB cannot be opened; state is kept in memory until this page closes.', thrown);
        return { store: new MemoryStore(), kind: 'memory' };
      }
      if (tries === OPEN_TRIES) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, OPEN_PAUSE * tries));
    }
}

async function openDatabase(name: string, known: boolean): Promise<OpenedStore> {
  let created = false;
  const store = await openIndexedDb(name, { onCreated: () => (created = true) });
  if (created && known) {
    console.warn(`The browser lost the database ${name}; an empty one takes its place.`);
    await store.write([{ table: 'node', key: LOST, value: Date.now() }], { durable: true });
  }
  await leaveTrace(name);
  const lost = await store.get<number>('node', LOST);
  return { store, kind: 'indexeddb', ...(lost === undefined ? {} : { lost }) };
}

function isWithoutStorage(thrown: unknown): boolean {
  if (typeof indexedDB === 'undefined') return true;
  return NO_STORAGE.has((AoError.wrap(thrown).cause as { name?: string } | undefined)?.name ?? '');
}
