/** Verifying a message (messages.md §6.9, §11.4, §14): each selected commitment, and what its nested messages rest on. */
import { AoError } from '../base/errors.ts';
import { checkDepth } from '../codec/limits.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import { commitmentDevice } from './devices.ts';
import { invalid, VALID, type Verdict, type VerifyOptions } from './commitment-device.ts';
import { commitmentsOf, committedKeys, deviceOf, isBundled } from './commitment.ts';
import { selectCommitments, type Selection, SIGNED } from './select.ts';

export interface CheckedCommitment {
  readonly id: string;
  readonly commitment: Message;
  readonly verdict: Verdict;
}

/** Commitments that were found valid, by the fields that they are on: an RSA check is made once. */
const proven = new WeakMap<object, Set<string>>();

interface Running {
  readonly load: VerifyOptions['load'];
  readonly verdict: Promise<Verdict>;
}

/** Checks that are under way, to be joined: a message is checked for itself and for each message around it. */
const running = new WeakMap<object, Map<string, Running>>();

/**
 * True if every selected commitment is valid; none selected is true as well, so ask for the committers too.
 * Default: all that somebody signed.
 * @throws AoError `unknown-committer` (404)
 */
export async function verifyMessage(
  message: Message,
  selection: Selection = SIGNED,
  options: VerifyOptions = {},
): Promise<boolean> {
  for (const id of selectCommitments(message, selection))
    if (!(await checkCommitment(message, id, options, 0)).valid) return false;
  return true;
}

/** The verdict on every selected commitment. @throws AoError `unknown-committer` (404) */
export async function checkMessage(
  message: Message,
  selection: Selection = SIGNED,
  options: VerifyOptions = {},
): Promise<CheckedCommitment[]> {
  const all = commitmentsOf(message);
  const out: CheckedCommitment[] = [];
  for (const id of selectCommitments(message, selection))
    out.push({ id, commitment: all.get(id)!, verdict: await checkCommitment(message, id, options, 0) });
  return out;
}

async function checkCommitment(
  message: Message,
  id: string,
  options: VerifyOptions,
  depth: number,
): Promise<Verdict> {
  if (proven.get(message.identity)?.has(id)) return VALID;
  const { load, secret } = options;
  // At the depth that is at hand, and with a secret, the verdict may be another.
  if (secret || depth > SHARED_DEPTH) return checkAnew(message, id, options, depth);
  let checks = running.get(message.identity);
  if (!checks) running.set(message.identity, (checks = new Map<string, Running>()));
  const same = checks.get(id);
  if (same && same.load === load) return same.verdict;
  const verdict = checkAnew(message, id, options, depth);
  checks.set(id, { load, verdict });
  try {
    return await verdict;
  } finally {
    if (checks.get(id)?.verdict === verdict) checks.delete(id);
  }
}

/** Levels at which a check is shared: far from where depth is refused. */
const SHARED_DEPTH = 2;

async function checkAnew(
  message: Message,
  id: string,
  options: VerifyOptions,
  depth: number,
): Promise<Verdict> {
  let verdict: Verdict;
  try {
    checkDepth(depth);
    verdict = await check(message, id, options, depth);
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    if (error.code === 'internal') throw thrown;
    return invalid(error.code, error.message);
  }
  // A secret proves nothing to who does not know it.
  if (verdict.valid && !options.secret) {
    const ids = proven.get(message.identity);
    if (ids) ids.add(id);
    else proven.set(message.identity, new Set([id]));
  }
  return verdict;
}

async function check(message: Message, id: string, options: VerifyOptions, depth: number): Promise<Verdict> {
  const commitment = commitmentsOf(message).get(id);
  if (!commitment) return invalid('no-commitment', 'There is no such commitment.');
  const device = commitmentDevice(deviceOf(commitment));
  if (!device) return invalid('unknown-device', 'The commitment is by a device that is not known.');
  if (!isBundled(commitment)) {
    const nested = await checkNested(message, committedKeys(commitment), options, depth);
    if (!nested.valid) return nested;
  }
  return device.verify(message, id, commitment, options);
}

/**
 * A commitment over the IDs of nested messages covers their content only if those IDs are theirs: the commitments
 * from which they come have to be valid. (IDs that are computed are right by themselves.)
 */
async function checkNested(
  message: Message,
  keys: readonly string[],
  options: VerifyOptions,
  depth: number,
): Promise<Verdict> {
  for (const key of keys) {
    const value = message.get(key);
    const verdict = value === undefined ? VALID : await checkUnder(value, options, depth + 1);
    if (!verdict.valid) return verdict;
  }
  return VALID;
}

async function checkUnder(value: Value, options: VerifyOptions, depth: number): Promise<Verdict> {
  if (typeof value !== 'object') return VALID;
  checkDepth(depth);
  if (Array.isArray(value)) {
    for (const item of value as readonly Value[]) {
      const verdict = await checkUnder(item, options, depth + 1);
      if (!verdict.valid) return verdict;
    }
    return VALID;
  }
  if (!(value instanceof Message)) return VALID;
  const ids = value.has('commitments') ? selectCommitments(value, SIGNED) : [];
  for (const id of ids) {
    const verdict = await checkCommitment(value, id, options, depth);
    if (!verdict.valid) return invalid(verdict.code, `In a nested message: ${verdict.reason}`);
  }
  if (ids.length) return VALID;
  for (const [key, item] of value) {
    if (key === 'commitments') continue;
    const verdict = await checkUnder(item, options, depth + 1);
    if (!verdict.valid) return verdict;
  }
  return VALID;
}
