import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { PageHashes } from '../../../src/engine/page-hashes.ts';

const hash = (i: number) => toBase64Url(createHash('sha256').update(String(i)).digest());

it('holds what a map of page hashes would', () => {
  const pages = new PageHashes([
    [900, hash(1)],
    [3, hash(2)],
  ]);
  pages.set(0, hash(3)).set(3, hash(4));
  const copy = new PageHashes(pages);
  expect(copy.delete(900)).toBe(true);
  expect(copy.delete(900)).toBe(false);
  expect([...copy]).toEqual([
    [0, hash(3)],
    [3, hash(4)],
  ]);
  expect(copy.size).toBe(2);
  expect([...pages.keys()]).toEqual([0, 3, 900]);
  expect([...pages.values()]).toEqual([hash(3), hash(4), hash(1)]);
  expect(pages.get(1)).toBeUndefined();
  expect(pages.get(5000)).toBeUndefined();
  expect(() => pages.set(1, 'AAAA')).toThrow(RangeError);
});
