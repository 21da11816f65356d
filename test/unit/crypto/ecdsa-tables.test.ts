/** Signatures of a key that was seen often are checked by its table: with the same answers as by recovering the key. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { describe, expect, it } from 'vitest';
import { EthereumKey, personalHash, recoverKey, verifyPersonal } from '../../../src/crypto/ecdsa.ts';
import { keySeen, tableOf } from '../../../src/crypto/ecdsa-tables.ts';
import { equalBytes } from '../../../src/base/bytes.ts';

const text = (index: number) => new TextEncoder().encode(`message ${index}`);
const byRecovery = (key: Uint8Array, message: Uint8Array, signature: Uint8Array) => {
  const found = recoverKey(personalHash(message), signature);
  return found !== undefined && equalBytes(found, key);
};

function seenOften(): EthereumKey {
  const key = EthereumKey.generate();
  for (let index = 0; index < 4; index++)
    expect(verifyPersonal(key.publicKey, text(index), key.signPersonal(text(index)))).toBe(true);
  expect(tableOf(key.publicKey)).toBeDefined();
  return key;
}

describe('a key that was seen often', () => {
  it('accepts what it signed, and nothing else', () => {
    const key = seenOften();
    const other = EthereumKey.generate();
    for (let index = 0; index < 20; index++) {
      const signature = key.signPersonal(text(index));
      const v = signature[64]!;
      const with_ = (change: (bytes: Uint8Array) => void) => {
        const bytes = signature.slice();
        change(bytes);
        return bytes;
      };
      const s = BigInt(`0x${Buffer.from(signature.subarray(32, 64)).toString('hex')}`);
      const high = Buffer.from((secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, '0'), 'hex');
      const variants: [Uint8Array, boolean][] = [
        [signature, true],
        [with_((bytes) => (bytes[64] = v - 27)), true],
        [with_((bytes) => (bytes[64] = v === 27 ? 28 : 27)), false],
        [with_((bytes) => (bytes[64] = 29)), false],
        [with_((bytes) => (bytes[5]! ^= 1)), false],
        [with_((bytes) => (bytes[40]! ^= 1)), false],
        [with_((bytes) => bytes.fill(0, 0, 32)), false],
        [with_((bytes) => bytes.fill(0, 32, 64)), false],
        [with_((bytes) => bytes.fill(0xff, 0, 32)), false],
        // The other half of the pair, which anybody can make (EIP-2).
        [with_((bytes) => (bytes.set(high, 32), (bytes[64] = v === 27 ? 28 : 27))), false],
        [signature.subarray(0, 64), false],
        [other.signPersonal(text(index)), false],
      ];
      for (const [at, [bytes, good]] of variants.entries()) {
        expect(verifyPersonal(key.publicKey, text(index), bytes), `variant ${at}`).toBe(good);
        expect(byRecovery(key.publicKey, text(index), bytes), `variant ${at}`).toBe(good);
      }
      expect(verifyPersonal(key.publicKey, text(index + 1), signature)).toBe(false);
    }
  });

  it('is forgotten when many others came after it', () => {
    const key = seenOften();
    for (let index = 0; index < 64; index++) keySeen(EthereumKey.generate().publicKey);
    expect(tableOf(key.publicKey)).toBeUndefined();
    expect(verifyPersonal(key.publicKey, text(1), key.signPersonal(text(1)))).toBe(true);
  });
});
