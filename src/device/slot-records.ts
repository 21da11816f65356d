/**
 * Computed states on disk: table `slots`, one record for each slot of a process. Every so often a record holds
 * the whole state, those between hold what changed. The newest record is the head: there is no pointer to it
 * that could disagree.
 */
import { AoError } from '../base/errors.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Store, Write } from '../store/store.ts';
import { applyDiff, diffMessages, type Diff } from './state-diff.ts';

/** Slots between two whole states; reading a state reads at most this many records. */
export const WHOLE_EVERY = 64;

export interface SlotNotes {
  /** Milliseconds that computing took. */
  readonly took: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Where this node did the right thing and the reference does not (process.md §9.6). */
  readonly divergence?: readonly string[];
  /** Text that the program printed. */
  readonly printed?: string;
  /** What has to run for the next slot: nothing, or a machine that only a snapshot or a replay brings back. */
  readonly machine?: 'wasm' | 'lua';
  /** Legacynet's rule: the evaluation failed, its error is the result, memory is as before. */
  readonly failed?: boolean;
}

export interface SlotRecord extends SlotNotes {
  /** Slot of the whole state that this one builds on; its own if it is whole. */
  readonly base: number;
  readonly state?: Plain;
  readonly diff?: Diff;
}

/** The record of `slot`, and what the next one builds on. */
export function recordOf(
  slot: number,
  state: Message,
  notes: SlotNotes,
  before: { readonly state: Message; readonly base: number } | undefined,
): SlotRecord {
  if (before && slot - before.base < WHOLE_EVERY) {
    const diff = diffMessages(before.state, state);
    return diff ? { base: before.base, diff, ...notes } : { base: before.base, ...notes };
  }
  return { base: slot, state: toPlain(state.filter((key) => !isPrivateKey(key))), ...notes };
}

export function writeOf(process: string, slot: number, record: SlotRecord): Write {
  return { table: 'slots', key: [process, slot], value: record };
}

export interface StoredState {
  readonly slot: number;
  readonly state: Message;
  readonly record: SlotRecord;
}

/**
 * The state after `slot` from the disk; undefined if that slot is not computed, or what it builds on was removed
 * to make room.
 */
export async function readState(
  store: Store,
  process: string,
  slot: number,
): Promise<StoredState | undefined> {
  const record = await store.get<SlotRecord>('slots', [process, slot]);
  if (!record) return undefined;
  if (record.state !== undefined) return { slot, state: wholeState(record), record };
  const entries = await store.range<SlotRecord>('slots', {
    from: [process, record.base],
    to: [process, slot],
  });
  let state: Message | undefined;
  for (const [index, { key, value }] of entries.entries()) {
    if ((key as [string, number])[1] !== record.base + index) return undefined;
    if (value.state !== undefined) state = wholeState(value);
    else if (index === 0) return undefined;
    else state = applyDiff(state!, value.diff);
  }
  return state && { slot, state, record };
}

/** Number of the newest computed slot at or before `limit`; -1 if there is none. */
export async function newestSlot(store: Store, process: string, limit = Infinity): Promise<number> {
  const range = { from: [process, 0], to: [process, limit], reverse: true, limit: 1 };
  const [key] = await store.keys('slots', range);
  return key === undefined ? -1 : (key as [string, number])[1];
}

function wholeState(record: SlotRecord): Message {
  const state = record.state === undefined ? undefined : fromPlain(record.state);
  if (state instanceof Message) return state;
  throw new AoError('bad-record', 'A stored state is no message.', { status: 500 });
}
