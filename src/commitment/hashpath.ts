/** Hashpaths (resolver.md §5.1): the rolling root of a computation and its latest request. */
import { fromBase64, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { textOf } from '../message/tabm.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import { messageId, toNumber, toOctets } from './id.ts';

export type HashpathAlgorithm = 'sha-256-chain' | 'accumulate-256';

/** Hashpath of a value: the one that it carries, else the ID over all of its commitments. */
export function hashpathOf(value: Value): string {
  if (value instanceof Message && value.private.hashpath !== undefined) return value.private.hashpath;
  return messageId(value, 'every');
}

/**
 * How the base wants its hashpath made: its key `hashpath-alg`.
 * @throws AoError `unknown-hashpath-algorithm`
 */
export function hashpathAlgorithm(base: Value): HashpathAlgorithm {
  const value = base instanceof Message ? base.get('hashpath-alg') : undefined;
  if (value === undefined) return 'sha-256-chain';
  const name = isBinary(value) ? textOf(value) : value instanceof Atom ? value.name : undefined;
  if (name === 'sha-256-chain' || name === 'accumulate-256') return name;
  throw new AoError(
    'unknown-hashpath-algorithm',
    'The message names a hashpath algorithm that does not exist.',
  );
}

/** What a request is in a hashpath: its bare key, or its ID if it says more than that. */
export function requestReference(request: Message): string {
  if ([...request.keys()].every((key) => key === 'path' || key === 'hashpath' || key === 'priv')) {
    const part = firstPart(request.get('path'));
    if (part !== undefined) return part;
  }
  return messageId(request, 'every');
}

function firstPart(path: Value | undefined): string | undefined {
  if (isBinary(path))
    return textOf(path)!
      .split('/')
      .find((part) => part !== '');
  if (path instanceof Atom) return path.name;
  if (typeof path === 'bigint') return path.toString();
  if (Array.isArray(path)) return firstPart(path[0] as Value);
  return undefined;
}

/** Hashpath of a base to which a request was applied. @throws AoError `bad-hashpath`, `unknown-hashpath-algorithm` */
export function hashpath(base: Value, request: Message): string {
  return appendHashpath(hashpathOf(base), requestReference(request), hashpathAlgorithm(base));
}

/**
 * One more step: at the first the reference follows after a slash; later what stood there is hashed into the root.
 * @throws AoError `bad-hashpath`
 */
export function appendHashpath(path: string, reference: string, algorithm: HashpathAlgorithm): string {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 1) return `${parts[0]}/${reference}`;
  const [root, latest] = parts;
  if (parts.length !== 2 || root === undefined || latest === undefined)
    throw new AoError('bad-hashpath', 'A hashpath has one or two parts.');
  const a = fromBase64(root);
  const b = latest.length === 43 ? fromBase64(latest) : toBytes(latest);
  return `${toBase64Url(roll(a, b, algorithm))}/${reference}`;
}

function roll(a: Uint8Array, b: Uint8Array, algorithm: HashpathAlgorithm): Uint8Array {
  if (algorithm === 'sha-256-chain') {
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return sha256(both);
  }
  if (a.length !== 32 || b.length !== 32)
    throw new AoError('bad-hashpath', 'Only 32 octets can be accumulated into a hashpath.');
  return toOctets((toNumber(a) + toNumber(b)) % (1n << 256n));
}

/** True if each message's hashpath follows from the two before it (resolver.md §5.2). */
export function verifyHashpath(messages: readonly Message[]): boolean {
  for (let i = 0; i + 2 < messages.length; i++)
    if (hashpath(messages[i]!, messages[i + 1]!) !== hashpathOf(messages[i + 2]!)) return false;
  return true;
}
