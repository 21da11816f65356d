/** What every store must do, run against each of them. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.ts';

export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: the store contract`, () => {
    it('keeps what was written and forgets what was deleted', async () => {
      const store = await open();
      await store.write([
        { table: 'links', key: 'a', value: 'x' },
        { table: 'slots', key: ['p', 1], value: { n: 1n, bytes: new Uint8Array([1, 2]) } },
      ]);
      expect(await store.get('links', 'a')).toBe('x');
      expect(await store.get('slots', ['p', 1])).toEqual({ n: 1n, bytes: new Uint8Array([1, 2]) });
      expect(await store.get('links', 'b')).toBeUndefined();
      await store.write([{ table: 'links', key: 'a' }]);
      expect(await store.get('links', 'a')).toBeUndefined();
      await store.close();
    });

    it('reads many in the order asked', async () => {
      const store = await open();
      await store.write([1, 2, 3].map((n) => ({ table: 'slots' as const, key: ['p', n], value: n * 10 })));
      expect(
        await store.getMany('slots', [
          ['p', 3],
          ['p', 9],
          ['p', 1],
        ]),
      ).toEqual([30, undefined, 10]);
      expect(await store.getMany('slots', [])).toEqual([]);
      await store.close();
    });

    it('orders numbers, strings and arrays as IndexedDB does', async () => {
      const store = await open();
      const keys = [['a', 1], 'b', 10, ['a'], 2, 'a', ['a', 'b'], -1, ['a', 2], [3], 'B', ['a', 10]];
      await store.write(keys.map((key) => ({ table: 'node' as const, key, value: 1 })));
      expect(await store.keys('node')).toEqual([
        -1,
        2,
        10,
        'B',
        'a',
        'b',
        [3],
        ['a'],
        ['a', 1],
        ['a', 2],
        ['a', 10],
        ['a', 'b'],
      ]);
      await store.close();
    });

    it('ranges: both ends inclusive, either open, reversed, limited, empty', async () => {
      const store = await open();
      for (let n = 0; n < 12; n++) await store.write([{ table: 'slots', key: ['p', n], value: n }]);
      await store.write([{ table: 'slots', key: ['q', 0], value: 'other' }]);
      const values = async (range: object) => (await store.range('slots', range)).map((entry) => entry.value);
      expect(await values({ from: ['p', 3], to: ['p', 5] })).toEqual([3, 4, 5]);
      expect(await values({ from: ['p', 10], to: ['p', Infinity] })).toEqual([10, 11]);
      expect(await values({ to: ['p', 1] })).toEqual([0, 1]);
      expect(await values({ from: ['p', 11] })).toEqual([11, 'other']);
      expect(await values({ from: ['p', 0], to: ['p', Infinity], reverse: true, limit: 2 })).toEqual([
        11, 10,
      ]);
      expect(await values({ from: ['p', 2], limit: 2 })).toEqual([2, 3]);
      expect(await values({ limit: 0 })).toEqual([]);
      expect(await values({ from: ['p', 5], to: ['p', 3] })).toEqual([]);
      expect(await store.keys('slots', { to: ['p', 2], reverse: true })).toEqual([
        ['p', 2],
        ['p', 1],
        ['p', 0],
      ]);
      await store.close();
    });

    it('is not changed by what a caller does to a value before or after', async () => {
      const store = await open();
      const value = { list: [1] };
      await store.write([{ table: 'node', key: 'k', value }]);
      value.list.push(2);
      const read = await store.get<{ list: number[] }>('node', 'k');
      expect(read).toEqual({ list: [1] });
      read!.list.push(3);
      expect(await store.get('node', 'k')).toEqual({ list: [1] });
      await store.close();
    });

    it('writes all or nothing', async () => {
      const store = await open();
      await store.write([{ table: 'node', key: 'k', value: 'before' }]);
      const unclonable = { call: () => undefined };
      await expect(
        store.write([
          { table: 'node', key: 'k', value: 'after' },
          { table: 'links', key: 'l', value: 'new' },
          { table: 'slots', key: ['p', 1], value: unclonable },
        ]),
      ).rejects.toMatchObject({ name: 'AoError', code: 'bad-value' });
      expect(await store.get('node', 'k')).toBe('before');
      expect(await store.get('links', 'l')).toBeUndefined();
      await expect(store.write([{ table: 'node', key: Number.NaN, value: 1 }])).rejects.toMatchObject({
        code: 'bad-key',
      });
      await store.close();
    });

    it('deletes a range of keys, both ends inclusive, together with other changes', async () => {
      const store = await open();
      for (let n = 0; n < 8; n++) await store.write([{ table: 'slots', key: ['p', n], value: n }]);
      await store.write([
        { table: 'slots', key: ['p', 9], value: 9 },
        { table: 'slots', key: ['q', 0], value: 'other' },
        { table: 'slots', key: ['p', 2], to: ['p', 5] },
        { table: 'slots', key: ['p', 4], value: 'again' },
        { table: 'slots', key: ['p', 8], to: ['p', Infinity] },
        { table: 'slots', key: ['z', 5], to: ['z', 1] },
      ]);
      const left = await store.range('slots');
      expect(left.map(({ value }) => value)).toEqual([0, 1, 'again', 6, 7, 'other']);
      await expect(
        store.write([{ table: 'slots', key: ['p', 0], to: ['p', 9], value: 1 }]),
      ).rejects.toMatchObject({ code: 'bad-write' });
      await store.close();
    });

    it('the last write of one batch to a key wins', async () => {
      const store = await open();
      await store.write(
        [
          { table: 'node', key: 'k', value: 1 },
          { table: 'node', key: 'k' },
          { table: 'node', key: 'k', value: 2 },
        ],
        { durable: true },
      );
      expect(await store.get('node', 'k')).toBe(2);
      expect(await store.keys('node')).toEqual(['k']);
      await store.close();
    });

    it('refuses once closed', async () => {
      const store = await open();
      await store.close();
      await expect(store.get('node', 'k')).rejects.toMatchObject({ code: 'storage-closed', status: 503 });
      await expect(store.write([{ table: 'node', key: 'k', value: 1 }])).rejects.toMatchObject({
        code: 'storage-closed',
      });
    });
  });
}
