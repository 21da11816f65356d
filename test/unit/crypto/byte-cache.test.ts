import { describe, expect, it } from 'vitest';
import { ByteCache } from '../../../src/crypto/byte-cache.ts';

const key = (...bytes: number[]) => Uint8Array.from(bytes);

describe('ByteCache', () => {
  it('makes each value once, and keeps keys that are changed later apart', () => {
    const cache = new ByteCache<number>(8);
    let made = 0;
    const get = (bytes: Uint8Array) => cache.get(bytes, () => ++made);
    const changing = key(1, 2);
    expect([get(changing), get(key(1, 2)), get(key(1, 3))]).toEqual([1, 1, 2]);
    changing[1] = 9;
    expect([get(changing), get(key(1, 2))]).toEqual([3, 1]);
    cache.delete(key(1, 2));
    expect(get(key(1, 2))).toBe(4);
  });

  it('never answers for other bytes of the same short name', () => {
    const cache = new ByteCache<string>(8);
    const long = (last: number) => new Uint8Array(600).fill(last, 599);
    expect(cache.get(long(1), () => 'a')).toBe('a');
    expect(cache.get(long(2), () => 'b')).toBe('b');
    expect(cache.get(long(1), () => 'c')).toBe('c');
  });

  it('forgets the least recently used beyond its limit', () => {
    const cache = new ByteCache<number>(3);
    let made = 0;
    const get = (byte: number) => cache.get(key(byte), () => ++made);
    for (const byte of [1, 2, 3, 1, 4]) get(byte);
    expect(made).toBe(4);
    get(1);
    expect(made).toBe(4);
    get(2);
    expect(made).toBe(5);
  });
});
