import { openDB } from 'idb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { deleteIndexedDb, MIGRATIONS, openIndexedDb, type Migration } from '../../../src/store/indexeddb.ts';
import type { Store } from '../../../src/store/store.ts';
import { storeContract } from '../../setup/store-contract.ts';

let count = 0;
const opened: { name: string; store: Store }[] = [];

async function open(name = `store-test-${Date.now()}-${count++}`): Promise<Store> {
  const store = await openIndexedDb(name);
  opened.push({ name, store });
  return store;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const { name, store } of opened.splice(0)) {
    await store.close();
    await deleteIndexedDb(name);
  }
});

storeContract('IndexedDB', open);

describe('IndexedDB', () => {
  it('keeps everything across closing and opening, in every table', async () => {
    const name = `store-test-reopen-${Date.now()}`;
    const store = await openIndexedDb(name);
    await store.write([{ table: 'evidence', key: 'e', value: { kept: true } }], { durable: true });
    await store.close();
    const again = await open(name);
    expect(await again.get('evidence', 'e')).toEqual({ kept: true });
  });

  it('migrates an older database step by step and keeps what it held', async () => {
    const name = `store-test-migrate-${Date.now()}`;
    const first = await openIndexedDb(name);
    await first.write([{ table: 'node', key: 'k', value: 'old' }]);
    await first.close();
    const upgrade: Migration = async (_database, transaction) => {
      const rows = transaction.objectStore('node');
      await rows.put(`${await rows.get('k')} and migrated`, 'k');
    };
    const second = await openIndexedDb(name, { migrations: [...MIGRATIONS, upgrade] });
    opened.push({ name, store: second });
    expect(await second.get('node', 'k')).toBe('old and migrated');
  });

  it('refuses a database of a newer version, which stays as it is', async () => {
    const name = `store-test-newer-${Date.now()}`;
    const newer = await openDB(name, MIGRATIONS.length + 1, {
      upgrade: (database) => void database.createObjectStore('future'),
    });
    newer.close();
    await expect(openIndexedDb(name)).rejects.toMatchObject({ code: 'database-newer', status: 409 });
    const still = await openDB(name);
    expect([...still.objectStoreNames]).toEqual(['future']);
    still.close();
    await deleteIndexedDb(name);
  });

  it('closes itself for another tab that upgrades', async () => {
    const name = `store-test-blocking-${Date.now()}`;
    const superseded = vi.fn();
    const store = await openIndexedDb(name, { onSuperseded: superseded });
    const second = await openIndexedDb(name, { migrations: [...MIGRATIONS, () => undefined] });
    opened.push({ name, store: second });
    expect(superseded).toHaveBeenCalledOnce();
    await expect(store.get('node', 'k')).rejects.toMatchObject({ code: 'storage-closed' });
  });

  it('reports a full disk as storage-full and writes nothing', async () => {
    const store = await open();
    await store.write([{ table: 'node', key: 'k', value: 'before' }]);
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      value: unknown,
      key?: IDBValidKey,
    ) {
      if (key === 'full') throw new DOMException('no room', 'QuotaExceededError');
      return put.call(this, value, key);
    });
    await expect(
      store.write([
        { table: 'node', key: 'k', value: 'after' },
        { table: 'node', key: 'full', value: 1 },
      ]),
    ).rejects.toMatchObject({ name: 'AoError', code: 'storage-full', status: 507 });
    expect(await store.get('node', 'k')).toBe('before');
  });
});
