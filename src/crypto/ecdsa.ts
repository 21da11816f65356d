/**
 * ECDSA as Ethereum uses it (secp256k1 over Keccak-256, with EIP-191 and EIP-712 messages), by @noble/curves:
 * WebCrypto has no secp256k1.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, equalBytes, fromHex, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { ethereumAddress } from './address.ts';
import { keySeen, madeBy, tableOf } from './ecdsa-tables.ts';
import type { Octets } from './octets.ts';

export function keccak256(bytes: Uint8Array): Octets {
  return keccak_256(bytes) as Octets;
}

/** What a wallet's `personal_sign` signs (EIP-191, version 0x45). */
export function personalHash(message: Uint8Array): Octets {
  return keccak256(concatBytes(toBytes(`\x19Ethereum Signed Message:\n${message.length}`), message));
}

const DOMAIN_TYPE = keccak256(toBytes('EIP712Domain(string name,string version)'));
const BUNDLR_TYPE = keccak256(toBytes('Bundlr(bytes Transaction hash,address address)'));
const BUNDLR_DOMAIN = keccak256(
  concatBytes(DOMAIN_TYPE, keccak256(toBytes('Bundlr')), keccak256(toBytes('1'))),
);

/** What a wallet's `eth_signTypedData_v4` signs for a data item of type 7 (EIP-712, domain "Bundlr", version "1"). */
export function bundlrHash(message: Uint8Array, address: string): Octets {
  const padded = new Uint8Array(32);
  padded.set(fromHex(address.slice(2)), 12);
  const struct = keccak256(concatBytes(BUNDLR_TYPE, keccak256(message), padded));
  return keccak256(concatBytes(Uint8Array.of(0x19, 0x01), BUNDLR_DOMAIN, struct));
}

/**
 * Uncompressed key (65 bytes) that made a 65-byte signature `r ‖ s ‖ v`, or undefined where none did.
 * `v` is 27 or 28 (some hardware wallets: 0 or 1). A high `s` is refused (EIP-2): with it anyone could
 * make a second signature, and so a second ID, for the same message.
 */
export function recoverKey(hash: Uint8Array, signature: Uint8Array): Octets | undefined {
  const parts = partsOf(signature);
  if (!parts) return undefined;
  try {
    const parsed = secp256k1.Signature.fromBytes(parts.compact, 'compact');
    return parsed.addRecoveryBit(parts.recovery).recoverPublicKey(hash).toBytes(false) as Octets;
  } catch {
    return undefined;
  }
}

/** `r ‖ s` with an `s` that is not high, and which of two keys is meant; undefined for what is no signature. */
function partsOf(signature: Uint8Array): { compact: Uint8Array; recovery: number } | undefined {
  if (signature.length !== 65) return undefined;
  const v = signature[64]!;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery > 1) return undefined;
  const compact = signature.slice(0, 64);
  try {
    return secp256k1.Signature.fromBytes(compact, 'compact').hasHighS() ? undefined : { compact, recovery };
  } catch {
    return undefined;
  }
}

/** Checks an EIP-191 signature by an uncompressed public key. */
export function verifyPersonal(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const hash = personalHash(message);
  const table = tableOf(publicKey);
  if (table) {
    const parts = partsOf(signature);
    return parts !== undefined && madeBy(table, hash, parts.compact, parts.recovery);
  }
  const key = recoverKey(hash, signature);
  const good = key !== undefined && equalBytes(key, publicKey);
  if (good) keySeen(publicKey);
  return good;
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/** Checks an EIP-712 "Bundlr" signature by the key of an Ethereum address. */
export function verifyBundlr(address: string, message: Uint8Array, signature: Uint8Array): boolean {
  if (!ADDRESS.test(address)) return false;
  const key = recoverKey(bundlrHash(message, address), signature);
  return key !== undefined && ethereumAddress(key).toLowerCase() === address.toLowerCase();
}

/** An Ethereum key held in memory. */
export class EthereumKey {
  readonly #secret: Uint8Array;
  /** Uncompressed, 65 bytes. */
  readonly publicKey: Octets;
  readonly address: string;

  /** @throws AoError `bad-key` */
  constructor(secret: Uint8Array) {
    if (!secp256k1.utils.isValidSecretKey(secret))
      throw new AoError('bad-key', 'These bytes are no secp256k1 private key.');
    this.#secret = secret.slice();
    this.publicKey = secp256k1.getPublicKey(this.#secret, false) as Octets;
    this.address = ethereumAddress(this.publicKey);
  }

  static generate(): EthereumKey {
    return new EthereumKey(secp256k1.utils.randomSecretKey());
  }

  /** @throws AoError `bad-hex`, `bad-key` */
  static fromHex(text: string): EthereumKey {
    return new EthereumKey(fromHex(text.replace(/^0x/, '')));
  }

  /** The private key, 32 bytes. */
  secret(): Octets {
    return this.#secret.slice() as Octets;
  }

  signPersonal(message: Uint8Array): Octets {
    return this.#sign(personalHash(message));
  }

  signBundlr(message: Uint8Array): Octets {
    return this.#sign(bundlrHash(message, this.address));
  }

  #sign(hash: Uint8Array): Octets {
    const signed = secp256k1.sign(hash, this.#secret, { prehash: false, format: 'recovered', lowS: true });
    const out = new Uint8Array(65);
    out.set(signed.subarray(1));
    out[64] = signed[0]! + 27;
    return out;
  }
}
