/** Key IDs of `httpsig@1.0` (messages.md §6.5): what key they mean, and whose it is. */
import { equalBytes, fromBase64, toBase64, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { addressOf } from '../crypto/address.ts';
import { sha256 } from '../crypto/hash.ts';
import { textOf } from '../message/tabm.ts';
import type { Value } from '../message/value.ts';
import { HMAC_TYPE, RSA_TYPE } from './commitment.ts';

export const DEFAULT_KEYID = 'constant:ao';

/**
 * Field of a commitment that a client signed with the bare modulus as its key ID: `bare`. It is no part of what is
 * signed. Without it such a key ID proves nothing (messages.md §6.5).
 */
export const KEY_FORM = 'key-form';

/** True if a commitment, or what will be one, says that a client signed it in its own form. */
export function isClientForm(commitment: { get(key: string): Value | undefined }): boolean {
  return textOf(commitment.get(KEY_FORM)) === 'bare';
}

export type Scheme = 'publickey' | 'constant' | 'secret';

export interface KeyMaterial {
  readonly scheme: Scheme;
  /** RSA modulus, or the key of the HMAC. */
  readonly key: Uint8Array;
  /** Address of the key's owner; none for constants, which everybody knows. */
  readonly committer: string | undefined;
}

const SCHEMES: readonly string[] = ['publickey', 'constant', 'secret'];

/** Scheme that a key ID names, or that its type implies. Undefined for one that does not exist. */
export function schemeOf(keyid: string, type: string): Scheme | undefined {
  const colon = keyid.indexOf(':');
  if (colon < 0) return type === RSA_TYPE ? 'publickey' : type === HMAC_TYPE ? 'constant' : undefined;
  const scheme = keyid.slice(0, colon);
  return SCHEMES.includes(scheme) ? (scheme as Scheme) : undefined;
}

/** Key ID of an RSA key: `publickey:` and its modulus in standard base64. */
export function publicKeyid(modulus: Uint8Array): string {
  return `publickey:${toBase64(modulus)}`;
}

export function secretKeyid(secret: Uint8Array): string {
  return `secret:${toBase64Url(sha256(secret))}`;
}

/**
 * The key that a key ID stands for, if it is written as it must be and its key is known here.
 * @throws AoError `bad-keyid`, `unknown-secret`
 */
export function resolveKeyid(keyid: string, type: string, secret?: Uint8Array): KeyMaterial {
  const scheme = schemeOf(keyid, type);
  switch (scheme) {
    case 'publickey':
      return publicKey(keyid);
    case 'constant':
      return { scheme, key: toBytes(keyid), committer: undefined };
    case 'secret': {
      const name = keyid.slice('secret:'.length);
      if (!secret) throw new AoError('unknown-secret', 'A commitment with a secret key needs that secret.');
      if (!equalBytes(toBytes(keyid), toBytes(secretKeyid(secret))))
        throw new AoError('unknown-secret', 'The secret is not the one that this commitment names.');
      return { scheme, key: secret, committer: name };
    }
    default:
      throw new AoError('bad-keyid', 'A key ID names a scheme that does not exist.');
  }
}

/** Keys that were read last, oldest first: the same few sign most messages. */
const known = new Map<string, KeyMaterial>();
const MAX_KNOWN = 256;

function publicKey(keyid: string): KeyMaterial {
  let material = known.get(keyid);
  if (material) return material;
  const key = keyid.startsWith('publickey:') ? octets(keyid.slice('publickey:'.length)) : bareKey(keyid);
  if (!key || (keyid.startsWith('publickey:') && keyid !== publicKeyid(key)))
    throw new AoError('bad-keyid', 'A public key in a key ID is not written as it must be.');
  material = { scheme: 'publickey', key, committer: addressOf(key) };
  known.set(keyid, material);
  if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!);
  return material;
}

/**
 * An RSA modulus by itself, in one of the two alphabets without padding or with: how clients write it that were made
 * before key IDs named their scheme (messages.md §15).
 */
function bareKey(keyid: string): Uint8Array | undefined {
  if (keyid.length < MIN_BARE || keyid.includes(':')) return undefined;
  const key = octets(keyid);
  return key && (keyid === toBase64Url(key) || keyid === toBase64(key)) ? key : undefined;
}

/** Characters of the shortest modulus that is taken, of 2048 bits: no short text may pass for a key. */
const MIN_BARE = 342;

/**
 * Committer that a key ID from the wire implies; undefined where it has none or cannot be read. A bare modulus names
 * one only where its `bare` form is the client's custom.
 */
export function committerOfKeyid(keyid: string, bare = false): string | undefined {
  if (keyid.startsWith('secret:')) return keyid.slice('secret:'.length);
  const named = keyid.startsWith('publickey:');
  const key = named ? keyOctets(keyid) : bare ? bareKey(keyid) : undefined;
  return key && key.length !== 32 ? addressOf(key) : undefined;
}

/** The key in a key ID of the form `publickey:…`; undefined where it cannot be read. */
export function keyOctets(keyid: string): Uint8Array | undefined {
  return octets(keyid.slice('publickey:'.length));
}

function octets(text: string): Uint8Array | undefined {
  try {
    const bytes = fromBase64(text);
    return bytes.length ? bytes : undefined;
  } catch {
    return undefined;
  }
}
