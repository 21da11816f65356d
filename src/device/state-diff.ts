/**
 * The difference between two states, as it is stored for each slot: what does not change is not written again.
 * Values that are the same object cost nothing to compare.
 */
import { AoError } from '../base/errors.ts';
import { isPrivateKey } from '../message/keys.ts';
import { equalValues } from '../message/equal.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Value } from '../message/value.ts';

/** Structured-cloneable. Parts that are empty are absent. */
export interface Diff {
  /** Keys with their new values. */
  set?: Map<string, Plain>;
  /** Keys that are gone. */
  unset?: string[];
  /** Messages of which only a part changed. */
  within?: Map<string, Diff>;
}

/** Undefined if the two hold the same. Private keys and private data are not looked at. */
export function diffMessages(before: Message, after: Message): Diff | undefined {
  if (before === after || before.identity === after.identity) return undefined;
  const diff: Diff = {};
  for (const [key, value] of after) {
    if (isPrivateKey(key)) continue;
    const old = before.get(key);
    if (old === value) continue;
    if (old instanceof Message && value instanceof Message) {
      const inner = diffMessages(old, value);
      if (inner) (diff.within ??= new Map()).set(key, inner);
    } else if (old === undefined || !equalValues(old, value))
      (diff.set ??= new Map()).set(key, toPlain(value));
  }
  for (const key of before.keys()) if (!after.has(key) && !isPrivateKey(key)) (diff.unset ??= []).push(key);
  return diff.set || diff.unset || diff.within ? diff : undefined;
}

/** The state after a difference. @throws AoError `bad-record` (500) if it does not belong to `before` */
export function applyDiff(before: Message, diff: Diff | undefined): Message {
  if (!diff) return before;
  const fields = new Map<string, Value>(before.entries());
  for (const key of diff.unset ?? []) fields.delete(key);
  for (const [key, plain] of diff.set ?? []) fields.set(key, fromPlain(plain));
  for (const [key, inner] of diff.within ?? []) {
    const old = fields.get(key);
    if (!(old instanceof Message))
      throw new AoError('bad-record', 'A stored difference does not fit the state before it.', {
        status: 500,
      });
    fields.set(key, applyDiff(old, inner));
  }
  return new Message(fields, before.private);
}
