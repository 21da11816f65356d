import { verify as nodeVerify, constants, createPublicKey } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { checksummed, addressOf, fromBase58, base58, solanaAddress } from '../../../src/crypto/address.ts';
import {
  EthereumKey,
  recoverKey,
  verifyBundlr,
  verifyPersonal,
  personalHash,
} from '../../../src/crypto/ecdsa.ts';
import { Ed25519Key, verifyEd25519 } from '../../../src/crypto/ed25519.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { verifyPss } from '../../../src/crypto/rsa.ts';
import { fromHex, toBase64Url } from '../../../src/base/bytes.ts';

const message = new TextEncoder().encode('hello');

describe('RsaWallet', () => {
  let wallet: RsaWallet;
  beforeAll(async () => {
    wallet = await RsaWallet.generate({ extractable: true });
  }, 60_000);

  it('signs with both hashes what Node and we accept', async () => {
    const n = toBase64Url(wallet.publicKey);
    const key = createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' });
    for (const hash of ['sha256', 'sha512'] as const) {
      const signature = await wallet.sign(message, `rsa-pss-${hash}`);
      expect(await verifyPss(wallet.publicKey, signature, message, hash)).toBe(true);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      const saltLength = hash === 'sha256' ? 32 : 64;
      expect(nodeVerify(hash, message, { key, padding, saltLength }, signature)).toBe(true);
    }
  });

  it('goes out and in as JWK, also with foreign fields and padding', async () => {
    const jwk = await wallet.toJwk();
    const odd = { ...jwk, use: 'enc', key_ops: ['encrypt'], ext: false };
    const again = await RsaWallet.fromJwk(odd);
    expect(again.address).toBe(wallet.address);
    expect(again.address).toBe(addressOf(wallet.publicKey));
    await expect(again.toJwk()).rejects.toMatchObject({ code: 'key-not-exportable' });
    expect(new RsaWallet(structuredClone(again.keys)).address).toBe(wallet.address);
  });

  it('refuses what is no wallet', async () => {
    const jwk = await wallet.toJwk();
    const bad: unknown[] = [null, 5, {}, { kty: 'EC' }, { ...jwk, d: undefined }, { ...jwk, e: 'Aw' }];
    bad.push(
      { ...jwk, n: jwk.n!.slice(8) },
      { ...jwk, p: '***' },
      { ...jwk, p: jwk.q, d: jwk.p },
      { ...jwk, n: 7 },
    );
    for (const key of bad) await expect(RsaWallet.fromJwk(key)).rejects.toMatchObject({ code: 'bad-key' });
  });
});

describe('Ethereum keys', () => {
  // The example of EIP-155 and a well-known test account.
  const key = EthereumKey.fromHex('0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');

  it('have checksummed addresses', () => {
    expect(key.address).toBe('0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
    expect(checksummed('5aaeb6053f3e94c9b9a09f33669435e7ef1beaed')).toBe(
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    );
    expect(() => EthereumKey.fromHex('00')).toThrow(expect.objectContaining({ code: 'bad-key' }));
  });

  it('sign and verify, and no changed bit passes', () => {
    const personal = key.signPersonal(message);
    const typed = key.signBundlr(message);
    expect(verifyPersonal(key.publicKey, message, personal)).toBe(true);
    expect(verifyBundlr(key.address, message, typed)).toBe(true);
    expect(verifyBundlr(key.address, message, personal)).toBe(false);
    for (let bit = 0; bit < 65 * 8; bit += 11) {
      const changed = personal.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(verifyPersonal(key.publicKey, message, changed)).toBe(false);
    }
    for (const v of [0, 1, 2, 26, 29, 30, 255]) {
      const changed = personal.slice();
      changed[64] = v;
      expect(verifyPersonal(key.publicKey, message, changed)).toBe(v === personal[64]! - 27);
    }
  });

  it('refuse the mirrored signature with a high s', () => {
    const signature = key.signPersonal(message);
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = BigInt('0x' + Buffer.from(signature.subarray(32, 64)).toString('hex'));
    const mirrored = signature.slice();
    mirrored.set(fromHex((order - s).toString(16).padStart(64, '0')), 32);
    mirrored[64] = signature[64] === 27 ? 28 : 27;
    expect(recoverKey(personalHash(message), mirrored)).toBeUndefined();
  });
});

describe('Ed25519 keys', () => {
  it('have the values of RFC 8032, test 2', () => {
    const key = new Ed25519Key(fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'));
    expect(Buffer.from(key.publicKey).toString('hex')).toBe(
      '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    );
    const signature = key.sign(Uint8Array.of(0x72));
    expect(Buffer.from(signature).toString('hex').slice(0, 16)).toBe('92a009a9f0d4cab8');
    expect(verifyEd25519(key.publicKey, Uint8Array.of(0x72), signature)).toBe(true);
    expect(verifyEd25519(key.publicKey, Uint8Array.of(0x73), signature)).toBe(false);
    expect(verifyEd25519(new Uint8Array(32), Uint8Array.of(0x72), new Uint8Array(64))).toBe(false);
  });

  it('come and go in base58', () => {
    const key = Ed25519Key.generate();
    const text = base58(Buffer.concat([key.secret(), key.publicKey]));
    expect(Ed25519Key.fromBase58(text).address).toBe(key.address);
    expect(fromBase58(solanaAddress(key.publicKey))).toEqual(key.publicKey);
    expect(base58(Uint8Array.of(0, 0, 1))).toBe('112');
    expect(() => Ed25519Key.fromBase58('0')).toThrow(expect.objectContaining({ code: 'bad-key' }));
    expect(() => Ed25519Key.fromBase58(key.address)).toThrow(expect.objectContaining({ code: 'bad-key' }));
  });
});
