import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import {
  createHasher,
  digest,
  hashesReady,
  sha256,
  sha256Async,
  sha384,
  sha384Async,
  sha512,
  type HashName,
} from '../../../src/crypto/hash.ts';
import { equalSecret, hmacSha256 } from '../../../src/crypto/hmac.ts';
import { fromHex, toHex } from '../../../src/base/bytes.ts';

const names: HashName[] = ['sha256', 'sha384', 'sha512'];
const hex = (name: string, bytes: Uint8Array) => createHash(name).update(bytes).digest('hex');
const bytes = fc.uint8Array({ maxLength: 400 });

describe('hashes', () => {
  it('agree with Node before and after the fast engine is loaded', async () => {
    const slow = createHasher('sha384');
    slow.update(Uint8Array.of(1, 2));
    for (const name of names) expect(toHex(digest(name, Uint8Array.of(7)))).toBe(hex(name, Uint8Array.of(7)));
    expect(await hashesReady()).toBe(true);
    expect(toHex(slow.update(Uint8Array.of(3)).digest())).toBe(hex('sha384', Uint8Array.of(1, 2, 3)));
    fc.assert(
      fc.property(bytes, (data) => {
        expect(toHex(sha256(data))).toBe(hex('sha256', data));
        expect(toHex(sha384(data))).toBe(hex('sha384', data));
        expect(toHex(sha512(data))).toBe(hex('sha512', data));
      }),
    );
  });

  it('give a digest that later hashes do not touch', () => {
    const first = sha256(Uint8Array.of(1));
    const copy = first.slice();
    sha256(Uint8Array.of(2));
    expect(first).toEqual(copy);
    expect(first.length).toBe(first.buffer.byteLength);
  });

  it('take pieces of interleaved streams', async () => {
    await hashesReady();
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 6 }), fc.array(bytes, { maxLength: 6 }), (a, b) => {
        for (const name of names) {
          const first = createHasher(name);
          const second = createHasher(name);
          for (let i = 0; i < 6; i++) {
            if (a[i]) first.update(a[i]!);
            if (b[i]) second.update(b[i]!);
            digest(name, Uint8Array.of(i));
          }
          expect(toHex(first.digest())).toBe(hex(name, Buffer.concat(a)));
          expect(toHex(second.digest())).toBe(hex(name, Buffer.concat(b)));
        }
      }),
    );
  });

  it('are the same off the thread', async () => {
    const data = new Uint8Array(100_000).fill(5);
    expect(await sha256Async(data)).toEqual(sha256(data));
    expect(await sha384Async(data.subarray(1))).toEqual(sha384(data.subarray(1)));
    const large = new Uint8Array(9_000_001).fill(7);
    expect(toHex(await sha256Async(large))).toBe(hex('sha256', large));
  });
});

describe('HMAC-SHA-256', () => {
  it('agrees with Node for keys of every length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes, (key, data) => {
        expect(toHex(hmacSha256(key, data))).toBe(createHmac('sha256', key).update(data).digest('hex'));
      }),
    );
  });

  it('has the value of RFC 4231, case 2', () => {
    const mac = hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?'));
    const expected = fromHex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
    expect(equalSecret(mac, expected)).toBe(true);
    expect(equalSecret(mac, mac.subarray(1))).toBe(false);
    expected[31]! ^= 1;
    expect(equalSecret(mac, expected)).toBe(false);
  });
});
