/** Ed25519 (RFC 8032) by @noble/curves: not every browser has it in WebCrypto yet. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { AoError } from '../base/errors.ts';
import { fromBase58, solanaAddress } from './address.ts';
import type { Octets } from './octets.ts';

/** Strict as RFC 8032: no second encoding of a signature passes, and no key of small order. */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

/** An Ed25519 key held in memory, as Solana uses it. */
export class Ed25519Key {
  readonly #seed: Uint8Array;
  readonly publicKey: Octets;
  /** The key in base58. */
  readonly address: string;

  /** From the 32-byte seed. @throws AoError `bad-key` */
  constructor(seed: Uint8Array) {
    if (seed.length !== 32) throw new AoError('bad-key', 'An Ed25519 private key is a seed of 32 bytes.');
    this.#seed = seed.slice();
    this.publicKey = ed25519.getPublicKey(this.#seed) as Octets;
    this.address = solanaAddress(this.publicKey);
  }

  static generate(): Ed25519Key {
    return new Ed25519Key(ed25519.utils.randomSecretKey());
  }

  /** From a Solana wallet's base58 export: seed and public key, 64 bytes. @throws AoError `bad-key` */
  static fromBase58(text: string): Ed25519Key {
    const bytes = fromBase58(text);
    const key = new Ed25519Key(bytes.subarray(0, 32));
    if (bytes.length !== 64 || bytes.subarray(32).some((byte, at) => byte !== key.publicKey[at]))
      throw new AoError('bad-key', 'The two halves of this key do not belong together.');
    return key;
  }

  /** The seed, 32 bytes. */
  secret(): Octets {
    return this.#seed.slice() as Octets;
  }

  sign(message: Uint8Array): Octets {
    return ed25519.sign(message, this.#seed) as Octets;
  }
}
