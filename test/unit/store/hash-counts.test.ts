import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { HashCounts } from '../../../src/store/hash-counts.ts';

it('counts as a map of texts would, whatever comes and goes', () => {
  const counts = new HashCounts();
  const map = new Map<string, number>();
  // Few first bytes: many hashes want the same place.
  const hashes = Array.from({ length: 700 }, (_, i) => {
    const hash = createHash('sha256').update(String(i)).digest();
    if (i % 3) hash.fill(i % 2, 0, 4);
    return toBase64Url(hash);
  });
  let seed = 7;
  for (let round = 0; round < 6000; round++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    const hash = hashes[(seed >> 8) % hashes.length]!;
    const count = (seed >> 4) % 3;
    if (round % 5 === 0) counts.add(hash);
    else counts.set(hash, count);
    if (round % 5 === 0) map.set(hash, map.get(hash) ?? 1);
    else if (count) map.set(hash, count);
    else map.delete(hash);
    expect(counts.size).toBe(map.size);
  }
  for (const hash of hashes) expect(counts.get(hash)).toBe(map.get(hash) ?? 0);
  expect([...counts.keys()].sort()).toEqual([...map.keys()].sort());
});
