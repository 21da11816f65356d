/** Looks at a node's database from beside it: whether what is on disk holds together, whatever was cut off. */
import { openIndexedDb } from '../../src/store/indexeddb.ts';
import { TABLES, type Store } from '../../src/store/store.ts';

interface Manifest {
  readonly hashes: Uint8Array;
}

/**
 * What is wrong, a sentence each; or the pushes that are under way.
 * @throws Error where the database is gone: opening it would make an empty one
 */
export async function inspectDatabase(name: string, what: 'faults' | 'pushes' = 'faults'): Promise<string[]> {
  if (!(await indexedDB.databases()).some((one) => one.name === name))
    throw new Error(`The browser lost the database ${name}.`);
  const store = await openIndexedDb(name);
  try {
    if (what === 'pushes')
      return (await store.keys('node', { from: ['push'], to: ['push', '\uffff'] })).map(String);
    return [...(await slots(store)), ...(await pages(store))];
  } finally {
    await store.close();
  }
}

/** What the browser keeps here, in a line: its databases, and the rows of each table of this one. */
export async function census(name: string): Promise<string> {
  const databases = (await indexedDB.databases()).map((one) => `${one.name} ${one.version}`);
  const store = await openIndexedDb(name);
  try {
    const counts = [];
    for (const table of TABLES) {
      const { length } = await store.keys(table);
      if (length > 0) counts.push(`${table} ${length}`);
    }
    const persisted = await navigator.storage.persisted();
    return `${databases.join(', ')}; ${persisted ? '' : 'not '}persistent; ${counts.join(', ') || 'no rows'}`;
  } finally {
    await store.close();
  }
}

async function slots(store: Store): Promise<string[]> {
  const faults: string[] = [];
  const heads = new Map<string, number>();
  for (const { key, value } of await store.range<{ slot: number }>('processes'))
    heads.set(String(key), value.slot);
  const counts = new Map<string, number>();
  for (const key of await store.keys('assignments')) {
    const [process, slot] = key as [string, number];
    const next = counts.get(process) ?? 0;
    if (slot !== next) faults.push(`${process}: assignment ${slot} where ${next} should be`);
    counts.set(process, slot + 1);
  }
  for (const [process, head] of heads)
    if (counts.get(process) !== head + 1)
      faults.push(`${process}: the head is ${head}, there are ${counts.get(process)} assignments`);
  for (const process of counts.keys())
    if (!heads.has(process)) faults.push(`${process}: assignments without a process`);
  for (const table of ['slots', 'snapshots'] as const)
    for (const key of await store.keys(table)) {
      const [process, slot] = key as [string, number];
      if (slot > (heads.get(process) ?? -1))
        faults.push(`${process}: ${table} has ${slot}, which is not scheduled`);
    }
  for (const key of await store.keys('node', { from: ['once'], to: ['once', '\uffff'] })) {
    const [, process, slot] = key as [string, string, number];
    if (slot > (heads.get(process) ?? -1))
      faults.push(`${process}: a key of a call at ${slot}, which is not scheduled`);
  }
  return faults;
}

async function pages(store: Store): Promise<string[]> {
  const faults: string[] = [];
  const stored = new Set((await store.keys('pages')).map(String));
  const named = new Set<string>();
  for (const key of await store.keys('snapshots')) {
    const manifest = await store.get<Manifest>('snapshots', key);
    for (let at = 0; manifest && at < manifest.hashes.length; at += 32) {
      const octets = manifest.hashes.subarray(at, at + 32);
      const hash = btoa(String.fromCharCode(...octets))
        .replace(/\+/g, '-')
        .replace(/\//g, '_')
        .replace(/=+$/, '');
      named.add(hash);
      if (!stored.has(hash)) faults.push(`${String(key)}: a page of the snapshot is not there`);
    }
  }
  for (const hash of stored) if (!named.has(hash)) faults.push(`page ${hash} belongs to no snapshot`);
  return faults;
}
