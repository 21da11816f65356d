/**
 * RSA-PSS on WebCrypto (messages.md §6.6; RFC 8017 §8.1, §9.1). Public exponent 65537 always.
 *
 * WebCrypto has to be told the salt length, which a signature does not say and which wallets choose freely.
 * The one that worked last for the same key, else the length of the hash, is tried first; when that
 * fails the length is read from the padded block itself by the public operation.
 */
import { toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { ByteCache } from './byte-cache.ts';
import { digest, SUBTLE_NAMES } from './hash.ts';
import { source, type Octets } from './octets.ts';

export type PssHash = 'sha256' | 'sha384' | 'sha512';

const HASH_LENGTH = { sha256: 32, sha384: 48, sha512: 64 } as const;
const SUBTLE_ALGORITHMS = { sha256: 'PS256', sha384: 'PS384', sha512: 'PS512' } as const;
const MIN_BITS = 2048;
const MAX_BYTES = 1024;
const EXPONENT = 65537n;

interface PublicKey {
  readonly key: Promise<CryptoKey>;
  /** Set when the import is done: waiting for what is there takes time as well. */
  ready: CryptoKey | undefined;
  /** Length that this key's last valid signature had. */
  salt: number;
}

const keys = {
  sha256: new ByteCache<PublicKey>(512),
  sha384: new ByteCache<PublicKey>(512),
  sha512: new ByteCache<PublicKey>(512),
};

/** True if this is a modulus that signatures are accepted for: 2048 to 8192 bits, no leading zero byte, odd. */
export function isModulus(modulus: Uint8Array): boolean {
  return (
    modulus.length <= MAX_BYTES &&
    modulus.length > 0 &&
    modulus[0] !== 0 &&
    bitLength(modulus) >= MIN_BITS &&
    (modulus[modulus.length - 1]! & 1) === 1
  );
}

function bitLength(modulus: Uint8Array): number {
  return 8 * modulus.length + 24 - Math.clz32(modulus[0]!);
}

/** Checks a signature of any salt length. False for keys that are refused and signatures of a wrong length. */
export async function verifyPss(
  modulus: Uint8Array,
  signature: Uint8Array,
  data: Uint8Array,
  hash: PssHash,
): Promise<boolean> {
  if (signature.length !== modulus.length || !isModulus(modulus)) return false;
  const known = keys[hash].get(modulus, (copy) => publicKey(copy, hash));
  let key = known.ready;
  if (!key)
    try {
      key = known.ready = await known.key;
    } catch {
      keys[hash].delete(modulus);
      return false;
    }
  const tried = known.salt;
  if (await check(key, tried, signature, data)) return true;
  const salt = saltLength(modulus, signature, hash);
  if (salt === undefined || salt === tried) return false;
  if (!(await check(key, salt, signature, data))) return false;
  known.salt = salt;
  return true;
}

function check(key: CryptoKey, saltLength: number, signature: Uint8Array, data: Uint8Array) {
  return crypto.subtle.verify({ name: 'RSA-PSS', saltLength }, key, source(signature), source(data));
}

function publicKey(modulus: Uint8Array, hash: PssHash): PublicKey {
  return { key: importPublic(modulus, hash), ready: undefined, salt: HASH_LENGTH[hash] };
}

function importPublic(modulus: Uint8Array, hash: PssHash): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    'jwk',
    { kty: 'RSA', n: toBase64Url(modulus), e: 'AQAB', alg: SUBTLE_ALGORITHMS[hash], ext: true },
    { name: 'RSA-PSS', hash: SUBTLE_NAMES[hash] },
    true,
    ['verify'],
  );
}

/**
 * Salt length of a PSS signature, found by recovering the padded block; undefined if the block is not PSS.
 * Says nothing of whether the signature is valid.
 */
export function saltLength(modulus: Uint8Array, signature: Uint8Array, hash: PssHash): number | undefined {
  const n = toNumber(modulus);
  const s = toNumber(signature);
  if (s >= n) return undefined;
  // The padded block has one bit less than the modulus, and so sometimes one byte less (RFC 8017 §8.1.2).
  const bits = bitLength(modulus) - 1;
  const length = Math.ceil(bits / 8);
  const whole = toOctets(power(s, n), modulus.length);
  const block = whole.subarray(modulus.length - length);
  const hashLength = HASH_LENGTH[hash];
  if ((length < whole.length && whole[0] !== 0) || block[length - 1] !== 0xbc) return undefined;
  const maskedLength = length - hashLength - 1;
  const db = block.slice(0, maskedLength);
  mask(db, block.subarray(maskedLength, length - 1), hash);
  db[0]! &= 0xff >> (8 * length - bits);
  const at = db.findIndex((byte) => byte !== 0);
  if (at < 0 || db[at] !== 1) return undefined;
  return maskedLength - at - 1;
}

/** MGF1 (RFC 8017 B.2.1), applied in place. */
function mask(target: Uint8Array, seed: Uint8Array, hash: PssHash): void {
  const input = new Uint8Array(seed.length + 4);
  input.set(seed);
  const view = new DataView(input.buffer);
  for (let at = 0, counter = 0; at < target.length; counter++) {
    view.setUint32(seed.length, counter);
    for (const byte of digest(hash, input)) {
      if (at >= target.length) break;
      target[at++]! ^= byte;
    }
  }
}

/** base^65537 mod n. */
function power(base: bigint, n: bigint): bigint {
  let result = base;
  for (let bit = EXPONENT; bit > 1n; bit >>= 1n) result = (result * result) % n;
  return (result * base) % n;
}

function toNumber(bytes: Uint8Array): bigint {
  let hex = '0x';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return BigInt(hex);
}

function toOctets(value: bigint, length: number): Octets {
  const hex = value.toString(16).padStart(2 * length, '0');
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/**
 * Signs with a WebCrypto RSA-PSS key that was made or imported for `hash`, salt as long as the hash.
 * @throws AoError `weak-key` for a modulus under 2048 bits, `wrong-key` for another hash or purpose
 */
export async function signPss(key: CryptoKey, data: Uint8Array, hash: PssHash): Promise<Octets> {
  const { modulusLength } = key.algorithm as RsaKeyAlgorithm;
  if (modulusLength < MIN_BITS)
    throw new AoError('weak-key', `An RSA key of ${modulusLength} bits is too short to sign with.`);
  try {
    const algorithm = { name: 'RSA-PSS', saltLength: HASH_LENGTH[hash] };
    const bound = (key.algorithm as RsaHashedKeyAlgorithm).hash?.name;
    if (bound !== SUBTLE_NAMES[hash]) throw new Error(`The key signs with ${bound}.`);
    return new Uint8Array(await crypto.subtle.sign(algorithm, key, source(data)));
  } catch (cause) {
    throw new AoError('wrong-key', `The key cannot sign with ${SUBTLE_NAMES[hash]}.`, { cause });
  }
}
