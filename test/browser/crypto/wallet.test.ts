import { openDB } from 'idb';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64, toBase64Url } from '../../../src/base/bytes.ts';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { createItem, ethereumSigner, rsaSigner, solanaSigner } from '../../../src/commitment/ans104-sign.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { EthereumKey } from '../../../src/crypto/ecdsa.ts';
import { Ed25519Key } from '../../../src/crypto/ed25519.ts';
import { hashesReady } from '../../../src/crypto/hash.ts';
import { saltLength, verifyPss } from '../../../src/crypto/rsa.ts';
import { RsaWallet, type WalletKeys } from '../../../src/crypto/wallet.ts';

const data = new TextEncoder().encode('what is signed');

describe('in the browser', () => {
  it('a wallet lives in IndexedDB, cannot be exported, and signs with both hashes', async () => {
    const wallet = await RsaWallet.generate();
    const database = await openDB('wallet-test', 1, { upgrade: (db) => void db.createObjectStore('keys') });
    await database.put('keys', wallet.keys, 'node');
    const again = new RsaWallet((await database.get('keys', 'node')) as WalletKeys);
    database.close();
    indexedDB.deleteDatabase('wallet-test');
    expect(again.address).toBe(wallet.address);
    await expect(again.toJwk()).rejects.toMatchObject({ code: 'key-not-exportable' });
    await expect(crypto.subtle.exportKey('jwk', again.keys.sha512)).rejects.toThrow();
    for (const hash of ['sha256', 'sha512'] as const) {
      const signature = await again.sign(data, `rsa-pss-${hash}`);
      expect(saltLength(again.publicKey, signature, hash)).toBe(hash === 'sha256' ? 32 : 64);
      expect(await verifyPss(again.publicKey, signature, data, hash)).toBe(true);
      signature[100]! ^= 1;
      expect(await verifyPss(again.publicKey, signature, data, hash)).toBe(false);
    }
  });

  it('signatures of every salt length are accepted', async () => {
    const algorithm = {
      name: 'RSA-PSS',
      modulusLength: 2048,
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: 'SHA-256',
    };
    const { privateKey, publicKey } = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const modulus = fromBase64((await crypto.subtle.exportKey('jwk', publicKey)).n!);
    for (const salt of [0, 7, 32, 256 - 32 - 2]) {
      const signed = await crypto.subtle.sign({ name: 'RSA-PSS', saltLength: salt }, privateKey, data);
      expect(saltLength(modulus, new Uint8Array(signed), 'sha256')).toBe(salt);
      expect(await verifyPss(modulus, new Uint8Array(signed), data, 'sha256')).toBe(true);
    }
  });

  it('items of every kind of key are signed and verified', async () => {
    expect(await hashesReady()).toBe(true);
    const wallet = await RsaWallet.generate();
    const signers = [
      rsaSigner(wallet),
      ethereumSigner(EthereumKey.generate()),
      solanaSigner(Ed25519Key.generate()),
    ];
    for (const signer of signers) {
      const item = await createItem({ data, tags: [{ name: 'Action', value: 'Eval' }] }, signer);
      const bytes = item.toBytes();
      expect(await verifyItem(DataItem.parse(bytes))).toBe(true);
      bytes[bytes.length - 1]! ^= 1;
      expect(await verifyItem(DataItem.parse(bytes))).toBe(false);
    }
  });

  it('base64 is written by the engine as it is without it', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = crypto.getRandomValues(new Uint8Array(length));
      const text = btoa(String.fromCharCode(...bytes));
      expect(toBase64(bytes)).toBe(text);
      expect(toBase64Url(bytes)).toBe(text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''));
    }
  });
});
