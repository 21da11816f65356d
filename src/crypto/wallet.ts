/**
 * The Arweave wallet: an RSA-4096 key that signs with either hash (messages.md §6.6).
 *
 * A WebCrypto key is bound to one hash, so a wallet is two keys of the same material. By default neither can be
 * exported; as `CryptoKey`s they can still be stored in IndexedDB (`WalletKeys` survives structured clone).
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { addressOf } from './address.ts';
import { SUBTLE_NAMES } from './hash.ts';
import type { Octets } from './octets.ts';
import { signPss, verifyPss } from './rsa.ts';

const MODULUS_BYTES = 512;
const PRIVATE_FIELDS = ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const;

/** What of a wallet is stored. Structured-cloneable. */
export interface WalletKeys {
  /** RSA modulus, big endian, 512 bytes. */
  readonly modulus: Uint8Array;
  readonly sha256: CryptoKey;
  readonly sha512: CryptoKey;
}

export interface WalletOptions {
  /** Lets `toJwk` export the key later. Default false. */
  readonly extractable?: boolean;
}

/** The node's identity as `resolver/context.ts` asks for it. */
export class RsaWallet {
  readonly address: string;
  readonly publicKey: Octets;
  readonly keys: WalletKeys;

  constructor(keys: WalletKeys) {
    if (keys.modulus.length !== MODULUS_BYTES)
      throw new AoError('bad-key', `A wallet has an RSA key of 4096 bits, not ${8 * keys.modulus.length}.`);
    this.keys = keys;
    this.publicKey = new Uint8Array(keys.modulus);
    this.address = addressOf(this.publicKey);
  }

  /** Makes a new key: one to several seconds. */
  static async generate(options: WalletOptions = {}): Promise<RsaWallet> {
    const algorithm = {
      name: 'RSA-PSS',
      modulusLength: 8 * MODULUS_BYTES,
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: 'SHA-256',
    };
    const pair = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    return RsaWallet.fromJwk(await crypto.subtle.exportKey('jwk', pair.privateKey), options);
  }

  /**
   * From a private JWK, as Arweave wallets are kept in files.
   * @throws AoError `bad-key`
   */
  static async fromJwk(jwk: unknown, options: WalletOptions = {}): Promise<RsaWallet> {
    const clean = cleanJwk(jwk);
    const load = (hash: 'sha256' | 'sha512') =>
      crypto.subtle.importKey(
        'jwk',
        clean,
        { name: 'RSA-PSS', hash: SUBTLE_NAMES[hash] },
        options.extractable ?? false,
        ['sign'],
      );
    const broken = (cause?: unknown) =>
      new AoError('bad-key', 'The parts of this RSA key do not fit together.', { cause });
    let wallet: RsaWallet;
    let signature: Octets;
    const probe = Uint8Array.of(1);
    try {
      const [sha256, sha512] = await Promise.all([load('sha256'), load('sha512')]);
      wallet = new RsaWallet({ modulus: fromBase64(clean.n!), sha256, sha512 });
      signature = await wallet.sign(probe, 'rsa-pss-sha256');
    } catch (cause) {
      throw broken(cause);
    }
    // Not every implementation checks the numbers on import: a wrong one would only show in bad signatures.
    if (!(await verifyPss(wallet.publicKey, signature, probe, 'sha256'))) throw broken();
    return wallet;
  }

  /** True if `toJwk` can answer. */
  get extractable(): boolean {
    return this.keys.sha256.extractable;
  }

  /** @throws AoError `key-not-exportable` (403) */
  async toJwk(): Promise<JsonWebKey> {
    if (!this.extractable)
      throw new AoError('key-not-exportable', 'This key cannot leave the browser.', { status: 403 });
    return cleanJwk(await crypto.subtle.exportKey('jwk', this.keys.sha256));
  }

  /** Raw signature with a salt as long as the hash. */
  sign(data: Uint8Array, algorithm: 'rsa-pss-sha512' | 'rsa-pss-sha256'): Promise<Octets> {
    const hash = algorithm === 'rsa-pss-sha512' ? 'sha512' : 'sha256';
    return signPss(this.keys[hash], data, hash);
  }
}

/** Only the numbers: use restrictions that another program wrote into the file do not bind us. */
function cleanJwk(jwk: unknown): JsonWebKey {
  const given = jwk as Record<string, unknown> | null;
  if (typeof given !== 'object' || given === null || given['kty'] !== 'RSA')
    throw new AoError('bad-key', 'This is no RSA key in JWK form.');
  const out: JsonWebKey = { kty: 'RSA', e: 'AQAB' };
  for (const field of ['n', ...PRIVATE_FIELDS] as const) {
    const value = given[field];
    if (typeof value !== 'string')
      throw new AoError('bad-key', `The private RSA key has no ${field}.`, { detail: { field } });
    out[field] = toBase64Url(number(value, field));
  }
  if (toBase64Url(number(given['e'], 'e')) !== 'AQAB')
    throw new AoError('bad-key', 'The public exponent of this RSA key is not 65537.');
  if (number(given['n'], 'n').length !== MODULUS_BYTES)
    throw new AoError('bad-key', 'A wallet has an RSA key of 4096 bits.');
  return out;
}

/** A JWK number without leading zeros, which some programs write and WebCrypto refuses. */
function number(value: unknown, field: string): Uint8Array {
  if (typeof value !== 'string' || value.length > 1024)
    throw new AoError('bad-key', `The ${field} of this RSA key is no number.`, { detail: { field } });
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(value);
  } catch (cause) {
    throw new AoError('bad-key', `The ${field} of this RSA key is not base64.`, { cause, detail: { field } });
  }
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? bytes.subarray(0, 0) : bytes.subarray(first);
}
