/** Addresses of keys: who a signature is from, in the form that each network writes. */
import { toBase64Url, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { sha256 } from './hash.ts';

/**
 * Arweave address: b64u(SHA-256(public key)), for RSA the modulus (messages.md §6.5).
 * @throws AoError `bad-key` for a 32-byte key, which older nodes take for its own address (messages.md §14)
 */
export function addressOf(publicKey: Uint8Array): string {
  if (publicKey.length === 32)
    throw new AoError('bad-key', 'A 32-byte public key could be passed off as an address and is refused.');
  return toBase64Url(sha256(publicKey));
}

/** Base64url of the SHA-256 of any octets: addresses of secrets, IDs of binaries. */
export function hashName(bytes: Uint8Array): string {
  return toBase64Url(sha256(bytes));
}

/**
 * Ethereum address (`0x` and 40 digits with the capitals of EIP-55) of an uncompressed secp256k1 point.
 * @throws AoError `bad-key`
 */
export function ethereumAddress(publicKey: Uint8Array): string {
  if (publicKey.length !== 65 || publicKey[0] !== 4)
    throw new AoError('bad-key', 'An Ethereum public key has 65 bytes and begins with 04.');
  return checksummed(toHex(keccak_256(publicKey.subarray(1)).subarray(12)));
}

/** EIP-55: a digit above 9 is a capital where the Keccak-256 of the lower-case text has a high nibble. */
export function checksummed(hex: string): string {
  const lower = hex.toLowerCase();
  const hash = toHex(keccak_256(new TextEncoder().encode(lower)));
  let out = '0x';
  for (let i = 0; i < lower.length; i++)
    out += Number.parseInt(hash[i]!, 16) >= 8 ? lower[i]!.toUpperCase() : lower[i]!;
  return out;
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Solana address: the Ed25519 key in base58. */
export function solanaAddress(publicKey: Uint8Array): string {
  if (publicKey.length !== 32) throw new AoError('bad-key', 'An Ed25519 public key has 32 bytes.');
  return base58(publicKey);
}

export function base58(bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  let out = '';
  for (; number > 0n; number /= 58n) out = BASE58[Number(number % 58n)]! + out;
  for (const byte of bytes) {
    if (byte !== 0) break;
    out = '1' + out;
  }
  return out;
}

/** @throws AoError `bad-key` for other characters or more than 128 of them */
export function fromBase58(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > 128) throw new AoError('bad-key', 'Base58 text is too long for a key.');
  const out: number[] = [];
  let number = 0n;
  for (const character of text) {
    const value = BASE58.indexOf(character);
    if (value < 0) throw new AoError('bad-key', `Base58 text holds ${JSON.stringify(character)}.`);
    number = number * 58n + BigInt(value);
  }
  for (; number > 0n; number >>= 8n) out.unshift(Number(number & 255n));
  for (const character of text) {
    if (character !== '1') break;
    out.unshift(0);
  }
  return Uint8Array.from(out);
}
