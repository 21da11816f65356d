/**
 * Snapshots of a machine's memory: 64 KiB pages stored once by content, and a small manifest for each snapshot.
 *
 * A snapshot writes only pages that nobody has written before; an all-zero page is never written. Several
 * snapshots, processes and modules share pages, so a page goes with the last manifest that names it. Writing and
 * removing exclude each other.
 */
import { fromBase64 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { PAGE_BYTES, type MemoryImage, type SnapshotDelta } from '../engine/engine.ts';
import { PageHashes, type PageMap } from '../engine/page-hashes.ts';
import { HashCounts } from './hash-counts.ts';
import type { Store, Write } from './store.ts';

const HASH_BYTES = 32;

/** What is kept of one snapshot besides its pages. */
export interface Snapshot {
  readonly byteLength: number;
  /** Which pages a memory has: index to b64u SHA-256. Pages that are not named are zero. */
  readonly pages: PageMap;
  /** Mutable globals as decimal text. */
  readonly globals: Readonly<Record<string, string>>;
  /** State outside linear memory (a Lua heap …): structured-cloneable. */
  readonly extra?: unknown;
  /** Milliseconds since 1970; 0 where nobody said. */
  readonly taken: number;
}

interface Manifest {
  readonly byteLength: number;
  readonly globals: Readonly<Record<string, string>>;
  /** Ascending page indexes, and their hashes one after the other. */
  readonly indexes: Uint32Array;
  readonly hashes: Uint8Array;
  readonly extra?: unknown;
  readonly taken: number;
}

/** What a write cost. */
export interface SnapshotCost {
  /** Pages that were new to the store. */
  readonly pages: number;
  readonly bytes: number;
}

export interface SnapshotUsage {
  /** For each owner the bytes of pages that only it names, and of all that it names. */
  readonly owners: ReadonlyMap<string, { readonly own: number; readonly named: number }>;
  /** Bytes of pages that no owner's newest snapshot needs. */
  readonly reclaimable: number;
}

export class SnapshotStore {
  static readonly #known = new WeakMap<Store, SnapshotStore>();
  readonly #store: Store;
  /** Hashes of all stored pages; read once, since asking for each page would load its bytes. */
  #stored: Promise<HashCounts> | undefined;
  /** How many manifests name each page; counted once, when something is first removed. */
  #named: Promise<HashCounts> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: Store) {
    this.#store = store;
  }

  /** The one instance for a store. */
  static of(store: Store): SnapshotStore {
    let known = this.#known.get(store);
    if (!known) this.#known.set(store, (known = new SnapshotStore(store)));
    return known;
  }

  /**
   * Writes the snapshot of `owner` at `slot` in one transaction. `bytes` hands over pages that may be new.
   * @throws AoError `storage-full` (507): nothing was written
   */
  write(
    owner: string,
    slot: number,
    snapshot: Snapshot,
    bytes: ReadonlyMap<string, Uint8Array>,
  ): Promise<SnapshotCost> {
    return this.#alone(async () => {
      const stored = await this.#storedPages();
      const fresh = new Map<string, Uint8Array>();
      for (const hash of snapshot.pages.values()) {
        if (stored.has(hash) || fresh.has(hash)) continue;
        const page = bytes.get(hash);
        if (!page)
          throw new AoError('missing-page', 'A snapshot names a page that nobody has.', {
            status: 500,
            detail: { owner, slot, hash },
          });
        fresh.set(hash, page);
      }
      const writes: Write[] = [...fresh].map(([key, value]) => ({
        table: 'pages',
        key,
        value: alone(value),
      }));
      writes.push({ table: 'snapshots', key: [owner, slot], value: toManifest(snapshot) });
      const before = this.#named && (await this.read(owner, slot));
      await this.#store.write(writes);
      for (const hash of fresh.keys()) stored.add(hash);
      if (this.#named) {
        const named = await this.#named;
        count(named, snapshot, 1);
        if (before) count(named, before, -1);
      }
      return { pages: fresh.size, bytes: fresh.size * PAGE_BYTES };
    });
  }

  async read(owner: string, slot: number): Promise<Snapshot | undefined> {
    const manifest = await this.#store.get<Manifest>('snapshots', [owner, slot]);
    return manifest && fromManifest(manifest);
  }

  /** The newest snapshot at or before `limit`. */
  async latest(owner: string, limit = Infinity): Promise<{ slot: number; snapshot: Snapshot } | undefined> {
    const range = { from: [owner, -1], to: [owner, limit], reverse: true, limit: 1 };
    const [entry] = await this.#store.range<Manifest>('snapshots', range);
    if (!entry) return undefined;
    return { slot: (entry.key as [string, number])[1], snapshot: fromManifest(entry.value) };
  }

  /** Slots that have a snapshot, ascending. */
  async slots(owner: string): Promise<number[]> {
    const keys = await this.#store.keys('snapshots', { from: [owner, -1], to: [owner, Infinity] });
    return keys.map((key) => (key as [string, number])[1]);
  }

  /**
   * The memory of a snapshot, without its zero pages.
   * @throws AoError `snapshot-damaged` (500) when a page is gone or is not the one it is named after
   */
  async image(snapshot: Snapshot): Promise<MemoryImage> {
    const hashes = [...new Set(snapshot.pages.values())];
    const found = await this.#store.getMany<Uint8Array<ArrayBuffer>>('pages', hashes);
    const byHash = new Map<string, Uint8Array<ArrayBuffer>>();
    hashes.forEach((hash, i) => {
      const bytes = found[i];
      if (bytes?.length !== PAGE_BYTES)
        throw new AoError('snapshot-damaged', 'A page of a snapshot is missing.', {
          status: 500,
          detail: { hash },
        });
      byHash.set(hash, bytes);
    });
    const used = new Set<string>();
    const pages = [...snapshot.pages].map(([index, hash]) => {
      const bytes = byHash.get(hash)!;
      // Each buffer may be handed over to a worker once only.
      const copy = used.has(hash) ? bytes.slice() : bytes;
      used.add(hash);
      return { index, bytes: copy };
    });
    return { byteLength: snapshot.byteLength, pages, globals: snapshot.globals };
  }

  /** Forgets snapshots, and in the same transaction the pages that only they name. Answers how many pages went. */
  remove(owner: string, slots: readonly number[]): Promise<number> {
    return this.#alone(async () => {
      const stored = await this.#storedPages();
      const named = await this.#namedPages();
      const found: Snapshot[] = [];
      for (const slot of slots) {
        const snapshot = await this.read(owner, slot);
        if (snapshot) found.push(snapshot);
      }
      for (const snapshot of found) count(named, snapshot, -1);
      const gone = new Set(
        found.flatMap(({ pages }) =>
          [...pages.values()].filter((hash) => stored.has(hash) && !named.has(hash)),
        ),
      );
      try {
        await this.#store.write([
          ...slots.map((slot): Write => ({ table: 'snapshots', key: [owner, slot] })),
          ...[...gone].map((key): Write => ({ table: 'pages', key })),
        ]);
      } catch (thrown) {
        for (const snapshot of found) count(named, snapshot, 1);
        throw thrown;
      }
      for (const hash of gone) stored.delete(hash);
      return gone.size;
    });
  }

  /** Forgets old snapshots that stand too close together; see `thinned`. Answers how many went. */
  async thin(owner: string, keep: readonly number[] = []): Promise<number> {
    const gone = thinned(await this.slots(owner)).filter((slot) => !keep.includes(slot));
    if (gone.length) await this.remove(owner, gone);
    return gone.length;
  }

  /** Removes every page that no manifest names; there are none but where something went wrong. Answers how many. */
  sweep(): Promise<number> {
    return this.#alone(async () => {
      const named = await this.#namedPages();
      const stored = await this.#storedPages();
      const gone = [...stored.keys()].filter((hash) => !named.has(hash));
      if (gone.length) await this.#store.write(gone.map((key) => ({ table: 'pages', key })));
      for (const hash of gone) stored.delete(hash);
      return gone.length;
    });
  }

  /** What pages take, in bytes. */
  async usage(): Promise<SnapshotUsage> {
    const owners = new Map<string, Set<string>>();
    const holder = new Map<string, string | null>();
    let newest: readonly [string, Snapshot] | undefined;
    const needed = new Set<string>();
    const need = () => {
      for (const hash of newest?.[1].pages.values() ?? []) needed.add(hash);
    };
    for await (const entry of this.#all()) {
      const [owner, { pages }] = entry;
      // They come in the order of owners and slots.
      if (owner !== newest?.[0]) need();
      newest = entry;
      const mine = owners.get(owner) ?? new Set();
      owners.set(owner, mine);
      for (const hash of pages.values()) {
        mine.add(hash);
        const known = holder.get(hash);
        holder.set(hash, known === undefined || known === owner ? owner : null);
      }
    }
    need();
    const out = new Map<string, { own: number; named: number }>();
    for (const [owner, mine] of owners) {
      let own = 0;
      for (const hash of mine) if (holder.get(hash) === owner) own++;
      out.set(owner, { own: own * PAGE_BYTES, named: mine.size * PAGE_BYTES });
    }
    const stored = await this.#storedPages();
    return { owners: out, reclaimable: (stored.size - needed.size) * PAGE_BYTES };
  }

  /** One manifest at a time: together they may be large. */
  async *#all(): AsyncGenerator<[string, Snapshot]> {
    for (const key of await this.#store.keys('snapshots')) {
      const manifest = await this.#store.get<Manifest>('snapshots', key);
      if (manifest) yield [(key as [string, number])[0], fromManifest(manifest)];
    }
  }

  async #namedPages(): Promise<HashCounts> {
    this.#named ??= (async () => {
      const named = new HashCounts();
      for await (const [, snapshot] of this.#all()) count(named, snapshot, 1);
      return named;
    })();
    try {
      return await this.#named;
    } catch (error) {
      this.#named = undefined;
      throw error;
    }
  }

  async #storedPages(): Promise<HashCounts> {
    this.#stored ??= this.#store.keys('pages').then((keys) => {
      const stored = new HashCounts();
      for (const hash of keys as string[]) stored.add(hash);
      return stored;
    });
    try {
      return await this.#stored;
    } catch (error) {
      this.#stored = undefined;
      throw error;
    }
  }

  #alone<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(action);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

/** Counts the pages of a snapshot in or out. */
function count(named: HashCounts, { pages }: Snapshot, by: 1 | -1): void {
  for (const hash of new Set(pages.values())) named.set(hash, Math.max(0, named.get(hash) + by));
}

/** The snapshot after `delta`, and the bytes that came with it by hash. `from`: the one before. */
export function applyDelta(
  from: Pick<Snapshot, 'pages'> | undefined,
  delta: SnapshotDelta,
  taken: number,
): { snapshot: Snapshot; bytes: Map<string, Uint8Array> } {
  const pages = new PageHashes(from?.pages);
  const bytes = new Map<string, Uint8Array>();
  for (const page of delta.changed) {
    if (!page.bytes) pages.delete(page.index);
    else {
      pages.set(page.index, page.hash);
      bytes.set(page.hash, page.bytes);
    }
  }
  const limit = delta.byteLength / PAGE_BYTES;
  for (const index of pages.keys()) if (index >= limit) pages.delete(index);
  return { snapshot: { byteLength: delta.byteLength, pages, globals: delta.globals, taken }, bytes };
}

/** The snapshot of a whole image, and its pages by hash. `hash` gives the b64u SHA-256 of bytes. */
export async function fromImage(
  image: MemoryImage,
  hash: (bytes: Uint8Array) => string | Promise<string>,
  taken: number,
): Promise<{ snapshot: Snapshot; bytes: Map<string, Uint8Array> }> {
  const pages = new PageHashes();
  const bytes = new Map<string, Uint8Array>();
  for (const page of image.pages) {
    if (page.bytes.every((byte) => byte === 0)) continue;
    const name = await hash(page.bytes);
    pages.set(page.index, name);
    bytes.set(name, page.bytes);
  }
  return { snapshot: { byteLength: image.byteLength, pages, globals: image.globals, taken }, bytes };
}

/**
 * Of ascending slots with a snapshot, those that may go: the two newest stay, and before them the distance
 * between neighbours grows with the age, so that their number grows with the logarithm of the schedule.
 */
export function thinned(slots: readonly number[]): number[] {
  const gone: number[] = [];
  const head = slots.at(-1) ?? 0;
  let kept = slots.at(-2) ?? head;
  for (let i = slots.length - 3; i >= 0; i--) {
    const slot = slots[i]!;
    // The next older one bounds how far back a restore would have to reach.
    const older = slots[i - 1];
    if (older !== undefined && kept - older <= (head - older) / 3) gone.push(slot);
    else kept = slot;
  }
  return gone.reverse();
}

function toManifest(snapshot: Snapshot): Manifest {
  const entries = [...snapshot.pages].sort((a, b) => a[0] - b[0]);
  const indexes = new Uint32Array(entries.length);
  const hashes = new Uint8Array(entries.length * HASH_BYTES);
  entries.forEach(([index, hash], i) => {
    indexes[i] = index;
    hashes.set(fromBase64(hash), i * HASH_BYTES);
  });
  const { byteLength, globals, taken } = snapshot;
  const manifest: Manifest = { byteLength, globals: { ...globals }, indexes, hashes, taken };
  return snapshot.extra === undefined ? manifest : { ...manifest, extra: snapshot.extra };
}

function fromManifest(manifest: Manifest): Snapshot {
  const { byteLength, globals, taken, indexes, hashes } = manifest;
  const pages = new PageHashes();
  indexes.forEach((index, i) => {
    pages.setBytes(index, hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  });
  const snapshot: Snapshot = { byteLength, pages, globals, taken };
  return manifest.extra === undefined ? snapshot : { ...snapshot, extra: manifest.extra };
}

/** A page in a buffer of its own: a view would be stored with the whole buffer behind it. */
function alone(page: Uint8Array): Uint8Array {
  return page.byteLength === page.buffer.byteLength ? page : page.slice();
}
