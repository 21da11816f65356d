/** What every way of committing offers (`httpsig@1.0`, `ans104@1.0`): the one shape that `commit.ts` and `verify.ts` know. */
import type { Message } from '../message/message.ts';
import type { Load } from './link.ts';

/** Who signs: the node's wallet or any other. The same shape as `Identity` of the resolver's context. */
export interface Signer {
  readonly address: string;
  /** RSA modulus, big endian. */
  readonly publicKey: Uint8Array;
  sign(data: Uint8Array, algorithm: 'rsa-pss-sha512' | 'rsa-pss-sha256'): Promise<Uint8Array>;
}

export interface CommitRequest {
  /** `signed` (default), `unsigned`, or the device's own name of a type. */
  readonly type?: string | undefined;
  /** Keys to cover; default: see messages.md §6.2. */
  readonly committed?: readonly string[] | undefined;
  /** Cover the whole content of nested messages instead of their IDs. */
  readonly bundle?: boolean | undefined;
  readonly keyid?: string | undefined;
  readonly scheme?: string | undefined;
  /** Key of an HMAC with the scheme `secret`. */
  readonly secret?: Uint8Array | undefined;
}

export interface CommitOptions {
  readonly signer?: Signer | undefined;
  /** Follows links where the whole content is covered. */
  readonly load?: Load | undefined;
}

export interface VerifyOptions {
  readonly load?: Load | undefined;
  /** Keys of HMACs with the scheme `secret`. */
  readonly secret?: Uint8Array | undefined;
}

/** `ok`, or why not: a stable word for programs, a sentence for people. */
export type Verdict =
  { readonly valid: true } | { readonly valid: false; readonly code: string; readonly reason: string };

export interface CommitmentDevice {
  readonly name: string;
  /**
   * The message with one more commitment.
   * @throws AoError `cannot-commit` without a signer, `unknown-commitment-type`
   */
  commit(message: Message, request: CommitRequest, options: CommitOptions): Promise<Message>;
  /** Checks one commitment of a message, the key under which it stands included. Never throws for bad input. */
  verify(message: Message, id: string, commitment: Message, options: VerifyOptions): Promise<Verdict>;
}

export const VALID: Verdict = Object.freeze({ valid: true });

export function invalid(code: string, reason: string): Verdict {
  return { valid: false, code, reason };
}
