import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { isModulus, saltLength, signPss, verifyPss } from '../../../src/crypto/rsa.ts';
import { fromBase64 } from '../../../src/base/bytes.ts';

const data = new TextEncoder().encode('what is signed');
let key: KeyObject;
let modulus: Uint8Array;

beforeAll(() => {
  key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  modulus = fromBase64(key.export({ format: 'jwk' }).n!);
});

const padding = constants.RSA_PKCS1_PSS_PADDING;
const pss = (hash: string, salt: number) =>
  new Uint8Array(sign(hash, data, { key, padding, saltLength: salt }));

describe('verifyPss', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('accepts every salt length of %s', async (hash) => {
    const length = { sha256: 32, sha384: 48, sha512: 64 }[hash];
    for (const salt of [0, 1, 20, 32, 64, length, 100, 256 - length - 2]) {
      const signature = pss(hash, salt);
      expect(saltLength(modulus, signature, hash)).toBe(salt);
      expect(await verifyPss(modulus, signature, data, hash)).toBe(true);
      expect(await verifyPss(modulus, signature, data.subarray(1), hash)).toBe(false);
    }
  });

  it('accepts moduli of any number of bits from 2048', async () => {
    for (const modulusLength of [2049, 2050, 2055]) {
      const odd = generateKeyPairSync('rsa', { modulusLength }).privateKey;
      const n = fromBase64(odd.export({ format: 'jwk' }).n!);
      for (const salt of [0, 20, 32]) {
        const signature = new Uint8Array(sign('sha256', data, { key: odd, padding, saltLength: salt }));
        expect(saltLength(n, signature, 'sha256')).toBe(salt);
        expect(await verifyPss(n, signature, data, 'sha256')).toBe(true);
      }
    }
    expect(
      isModulus(
        fromBase64(
          generateKeyPairSync('rsa', { modulusLength: 2047 }).privateKey.export({ format: 'jwk' }).n!,
        ),
      ),
    ).toBe(false);
  });

  it('refuses any changed bit', async () => {
    const signature = pss('sha256', 32);
    for (let at = 0; at < signature.length; at += 5) {
      const changed = signature.slice();
      changed[at]! ^= 1 << (at % 8);
      expect(await verifyPss(modulus, changed, data, 'sha256')).toBe(false);
    }
    for (let at = 0; at < modulus.length; at += 17) {
      const changed = modulus.slice();
      changed[at]! ^= 1 << (at % 8);
      expect(await verifyPss(changed, signature, data, 'sha256')).toBe(false);
    }
  });

  it('refuses other hashes, lengths and weak keys', async () => {
    const signature = pss('sha256', 32);
    expect(await verifyPss(modulus, signature, data, 'sha512')).toBe(false);
    expect(await verifyPss(modulus, signature.subarray(1), data, 'sha256')).toBe(false);
    expect(await verifyPss(modulus, new Uint8Array(256), data, 'sha256')).toBe(false);
    expect(await verifyPss(modulus, new Uint8Array(256).fill(255), data, 'sha256')).toBe(false);
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const n = fromBase64(weak.export({ format: 'jwk' }).n!);
    const short = new Uint8Array(sign('sha256', data, { key: weak, padding, saltLength: 32 }));
    expect(await verifyPss(n, short, data, 'sha256')).toBe(false);
    expect(isModulus(n)).toBe(false);
    expect(isModulus(new Uint8Array(512))).toBe(false);
  });
});

describe('signPss', () => {
  it('signs what Node and we accept, and only with the hash of the key', async () => {
    const jwk = key.export({ format: 'jwk' }) as JsonWebKey;
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-512' };
    const own = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);
    const signature = await signPss(own, data, 'sha512');
    expect(saltLength(modulus, signature, 'sha512')).toBe(64);
    expect(await verifyPss(modulus, signature, data, 'sha512')).toBe(true);
    await expect(signPss(own, data, 'sha256')).rejects.toMatchObject({ code: 'wrong-key' });
  });
});
