/**
 * The store in the browser: one IndexedDB database through `idb`, one object store per table, keys out of line.
 *
 * The version of the database is the number of migrations it went through. A database that a newer version of
 * the code has touched is refused instead of being guessed at.
 */
import { deleteDB, openDB, type IDBPDatabase, type IDBPTransaction } from 'idb';
import { AoError } from '../base/errors.ts';
import { beginNewLog } from './indexeddb-log.ts';
import { checkWrite } from './keys.ts';
import { TABLES, type Entry, type Key, type Range, type Store, type Table, type Write } from './store.ts';

type Upgrade = IDBPTransaction<unknown, string[], 'versionchange'>;

/** Brings a database from the version that is its index to the next one. Never changed once released. */
export type Migration = (database: IDBPDatabase, transaction: Upgrade) => void | Promise<void>;

export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    for (const table of TABLES) database.createObjectStore(table);
  },
];

export interface IndexedDbOptions {
  /** There was no database of this name; now there is an empty one. */
  readonly onCreated?: () => void;
  /** Another tab wants to upgrade the database; this store closed itself to let it. */
  readonly onSuperseded?: () => void;
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the database, creating or migrating it.
 * @throws AoError `database-newer` (409), `storage-unavailable` (503), `storage-full` (507)
 */
export async function openIndexedDb(name: string, options: IndexedDbOptions = {}): Promise<Store> {
  const migrations = options.migrations ?? MIGRATIONS;
  if (typeof indexedDB === 'undefined')
    throw new AoError('storage-unavailable', 'This browser offers no IndexedDB.', { status: 503 });
  let store: IndexedDbStore | undefined;
  let created = false;
  await beginNewLog();
  try {
    const database = await openDB(name, migrations.length, {
      async upgrade(opened, from, _to, transaction) {
        created = from === 0;
        for (const migrate of migrations.slice(from))
          await migrate(opened, transaction as unknown as Upgrade);
      },
      blocking() {
        void store?.close();
        options.onSuperseded?.();
      },
      terminated() {
        void store?.close();
      },
    });
    store = new IndexedDbStore(database);
    if (created) options.onCreated?.();
    return store;
  } catch (thrown) {
    if (nameOf(thrown) === 'VersionError')
      throw new AoError(
        'database-newer',
        'The stored data was written by a newer version of this program. Update the program to open it.',
        { status: 409, detail: { database: name, version: migrations.length }, cause: thrown },
      );
    throw refusal(thrown, 'storage-unavailable', 'The browser did not open its storage.');
  }
}

/** Removes the whole database. */
export async function deleteIndexedDb(name: string): Promise<void> {
  await deleteDB(name);
}

/** Rows that are written in one transaction, where several writes wait. */
const GROUP_SIZE = 500;

interface Waiting {
  readonly writes: readonly Write[];
  readonly durable: boolean;
  resolve(): void;
  reject(reason: unknown): void;
}

class IndexedDbStore implements Store {
  readonly #database: IDBPDatabase;
  /** Writes that came while another was under way, in their order. */
  readonly #waiting: Waiting[] = [];
  #writing = false;
  #open = true;

  constructor(database: IDBPDatabase) {
    this.#database = database;
  }

  get<T>(table: Table, key: Key): Promise<T | undefined> {
    return this.#attempt(() => this.#database.get(table, key as IDBValidKey) as Promise<T | undefined>);
  }

  getMany<T>(table: Table, keys: readonly Key[]): Promise<(T | undefined)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    return this.#attempt(async () => {
      const rows = this.#database.transaction(table).store;
      return Promise.all(keys.map((key) => rows.get(key as IDBValidKey) as Promise<T | undefined>));
    });
  }

  range<T>(table: Table, range: Range = {}): Promise<Entry<T>[]> {
    return this.#attempt(async () => {
      const query = bounds(range);
      if (query === EMPTY_RANGE || range.limit === 0) return [];
      const rows = this.#database.transaction(table).store;
      if (!range.reverse) {
        const [keys, values] = await Promise.all([
          rows.getAllKeys(query, range.limit),
          rows.getAll(query, range.limit),
        ]);
        return keys.map((key, i) => ({ key: key as Key, value: values[i] as T }));
      }
      const entries: Entry<T>[] = [];
      const limit = range.limit ?? Infinity;
      for (let at = await rows.openCursor(query, 'prev'); at; at = await at.continue()) {
        entries.push({ key: at.key as Key, value: at.value as T });
        if (entries.length >= limit) break;
      }
      return entries;
    });
  }

  keys(table: Table, range: Range = {}): Promise<Key[]> {
    return this.#attempt(async () => {
      const query = bounds(range);
      if (query === EMPTY_RANGE || range.limit === 0) return [];
      const rows = this.#database.transaction(table).store;
      if (!range.reverse) return (await rows.getAllKeys(query, range.limit)) as Key[];
      const keys: Key[] = [];
      const limit = range.limit ?? Infinity;
      for (let at = await rows.openKeyCursor(query, 'prev'); at; at = await at.continue()) {
        keys.push(at.key as Key);
        if (keys.length >= limit) break;
      }
      return keys;
    });
  }

  async write(writes: readonly Write[], options: { durable?: boolean } = {}): Promise<void> {
    for (const write of writes) checkWrite(write);
    if (writes.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ writes, durable: options.durable ?? false, resolve, reject });
      if (!this.#writing) void this.#writeAll();
    });
  }

  /**
   * One transaction at a time. Chromium gives up the whole database when it is killed in the middle of two that write
   * to it: each says on disk that it holds the database, and at the next start both want it alone ("invalid locks").
   * What waits meanwhile is written together.
   */
  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) await this.#writeTogether(this.#takeGroup());
    this.#writing = false;
  }

  #takeGroup(): Waiting[] {
    let count = 0;
    let size = 0;
    for (const { writes } of this.#waiting) {
      size += writes.length;
      if (count > 0 && size > GROUP_SIZE) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeTogether(group: readonly Waiting[]): Promise<void> {
    try {
      const writes = group.flatMap((one) => one.writes);
      const durable = group.some((one) => one.durable);
      await this.#attempt(() => this.#transact(writes, durable));
      for (const one of group) one.resolve();
    } catch (thrown) {
      if (group.length === 1) group[0]!.reject(thrown);
      // One of them may be at fault, or all of them too much; each gets its own answer.
      else for (const one of group) await this.#writeTogether([one]);
    }
  }

  async #transact(writes: readonly Write[], durable: boolean): Promise<void> {
    const tables = [...new Set(writes.map((write) => write.table))];
    const transaction = this.#database.transaction(tables, 'readwrite', {
      durability: durable ? 'strict' : 'relaxed',
    });
    // Every request's failure also ends the transaction; that one is reported.
    const ignore = () => undefined;
    transaction.done.catch(ignore);
    try {
      for (const { table, key, value, to } of writes) {
        const rows = transaction.objectStore(table);
        if (value !== undefined) rows.put(value, key as IDBValidKey).catch(ignore);
        else {
          const gone = to === undefined ? (key as IDBValidKey) : bounds({ from: key, to });
          if (gone !== EMPTY_RANGE && gone !== null) rows.delete(gone).catch(ignore);
        }
      }
    } catch (thrown) {
      // A value that cannot be stored is found only now, with others already put.
      transaction.abort();
      await transaction.done.catch(ignore);
      throw thrown;
    }
    await transaction.done;
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.#database.close();
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#open) throw new AoError('storage-closed', 'The store is closed.', { status: 503 });
    try {
      return await action();
    } catch (thrown) {
      if (!this.#open || nameOf(thrown) === 'InvalidStateError')
        throw new AoError('storage-closed', 'The store is closed.', { status: 503, cause: thrown });
      throw refusal(thrown, 'storage-failed', 'The browser failed to read or write its storage.');
    }
  }
}

const EMPTY_RANGE = Symbol('a range with nothing in it');

function bounds(range: Range): IDBKeyRange | null | typeof EMPTY_RANGE {
  const { from, to } = range as { from?: IDBValidKey; to?: IDBValidKey };
  if (from === undefined) return to === undefined ? null : IDBKeyRange.upperBound(to);
  if (to === undefined) return IDBKeyRange.lowerBound(from);
  return indexedDB.cmp(from, to) > 0 ? EMPTY_RANGE : IDBKeyRange.bound(from, to);
}

function nameOf(thrown: unknown): string | undefined {
  return thrown instanceof Error || thrown instanceof DOMException ? thrown.name : undefined;
}

function refusal(thrown: unknown, code: string, sentence: string): AoError {
  if (thrown instanceof AoError) return thrown;
  const name = nameOf(thrown);
  if (name === 'QuotaExceededError')
    return new AoError('storage-full', 'The browser has no room left for this site; nothing was written.', {
      status: 507,
      cause: thrown,
    });
  if (name === 'DataCloneError')
    return new AoError('bad-value', 'The store cannot hold this value.', { status: 500, cause: thrown });
  return new AoError(code, sentence, { status: 503, detail: { reason: String(thrown) }, cause: thrown });
}
