/**
 * Deep hash, and with it what the signature of a data item covers (ANS-104 §3; messages.md §8.2).
 *
 * `dh(blob) = H384(H384("blob" ‖ length) ‖ H384(blob))`; `dh(list)` starts from `H384("list" ‖ length)` and takes
 * in `H384(so far ‖ dh(member))` member by member. An item is eight members, of which the first four are the same
 * for all items of a signer: what they hash to is remembered.
 */
import { toBytes } from '../base/bytes.ts';
import { ByteCache } from '../crypto/byte-cache.ts';
import { sha384, sha384Async } from '../crypto/hash.ts';

export type DeepHashInput = Uint8Array | readonly DeepHashInput[];

const DIGEST = 48;
/** From here on the bytes are hashed off this thread. */
const LARGE = 256 * 1024;

/** True for data that is better hashed by `signingDataAsync`. */
export function isLarge(data: Uint8Array): boolean {
  return data.length >= LARGE;
}

/** Both halves next to one another, reused: nothing waits between filling and hashing it. */
const pair = new Uint8Array(2 * DIGEST);

function join(left: Uint8Array, right: Uint8Array): Uint8Array {
  pair.set(left);
  pair.set(right, DIGEST);
  return sha384(pair);
}

const lengths = new Map<number, Uint8Array>();

function blobTag(length: number): Uint8Array {
  let tag = lengths.get(length);
  if (!tag) {
    tag = sha384(toBytes(`blob${length}`));
    if (lengths.size < 8192) lengths.set(length, tag);
  }
  return tag;
}

function hashBlob(blob: Uint8Array): Uint8Array {
  return join(blobTag(blob.length), sha384(blob));
}

/** The general form, for anything nested. */
export function deepHash(input: DeepHashInput): Uint8Array {
  if (input instanceof Uint8Array) return hashBlob(input);
  let hash: Uint8Array = sha384(toBytes(`list${input.length}`));
  for (const member of input) hash = join(hash, deepHash(member));
  return hash;
}

/** What of an item is signed. */
export interface SignedParts {
  readonly signatureType: number;
  readonly owner: Uint8Array;
  readonly target: Uint8Array;
  readonly anchor: Uint8Array;
  /** Tags as they stand in the item; empty where it has none. */
  readonly tagBytes: Uint8Array;
  readonly data: Uint8Array;
}

const START = ['dataitem', '1'].reduce<Uint8Array>(
  (hash, text) => join(hash, hashBlob(toBytes(text))),
  sha384(toBytes('list8')),
);
const NOTHING = hashBlob(new Uint8Array(0));

/** Hashes of everything up to and with an owner; and on from there with no target and no anchor. */
interface Prefix {
  readonly hash: Uint8Array;
  readonly bare: Uint8Array;
}

const prefixes: Record<number, ByteCache<Prefix>> = {};
const MAX_PREFIXES = 512;
/** Targets recur: they are the processes that many write to. */
const targets = new ByteCache<Uint8Array>(512);

function prefix({ signatureType, owner }: SignedParts): Prefix {
  const cache = (prefixes[signatureType] ??= new ByteCache(MAX_PREFIXES));
  return cache.get(owner, () => {
    const hash = join(join(START, hashBlob(toBytes(String(signatureType)))), hashBlob(owner));
    return { hash, bare: join(join(hash, NOTHING), NOTHING) };
  });
}

function beforeData(parts: SignedParts): Uint8Array {
  const { hash, bare } = prefix(parts);
  const { target, anchor } = parts;
  const tags = hashBlob(parts.tagBytes);
  if (target.length === 0 && anchor.length === 0) return join(bare, tags);
  const withTarget = join(hash, target.length === 0 ? NOTHING : targets.get(target, hashBlob));
  return join(join(withTarget, anchor.length === 0 ? NOTHING : hashBlob(anchor)), tags);
}

/** The 48 bytes that a signature is over. */
export function signingData(parts: SignedParts): Uint8Array {
  return join(beforeData(parts), hashBlob(parts.data));
}

/** The same; large data is hashed off this thread. */
export async function signingDataAsync(parts: SignedParts): Promise<Uint8Array> {
  if (!isLarge(parts.data)) return signingData(parts);
  const data = await sha384Async(parts.data);
  return join(beforeData(parts), join(blobTag(parts.data.length), data));
}
