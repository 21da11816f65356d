/**
 * Computed states on disk: table `slots`. There is a record for each slot of a process; every so often it holds the
 * whole state, those between hold what changed. The newest record is the head: there is no pointer to it that could
 * disagree.
 *
 * Slots that are written together share a row, since each row costs more than what is in it. A row stands under its
 * newest slot, and holds only records that build on one whole state, so that rows can be removed in that unit.
 */
import { AoError } from '../base/errors.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Entry, Store, Write } from '../store/store.ts';
import { applyDiff, diffMessages, type Diff } from './state-diff.ts';

/** Slots between two whole states; reading a state reads at most this many records. */
export const WHOLE_EVERY = 64;
/** About how many bytes of records share a row: browsers keep larger values in files of their own. */
const ROW_BYTES = 48 * 1024;

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

/** A row: the record of the slot that it stands under, and those of the slots just before it, in order. */
interface SlotRow extends SlotRecord {
  readonly earlier?: readonly SlotRecord[];
}

export interface NumberedRecord {
  readonly slot: number;
  readonly record: SlotRecord;
}

/** Writes of records in the order of their slots: as few rows as may hold them. */
export function writesOf(process: string, records: readonly NumberedRecord[]): Write[] {
  const writes: Write[] = [];
  let row: NumberedRecord[] = [];
  let bytes = 0;
  const end = () => {
    const last = row.at(-1);
    if (!last) return;
    const earlier = row.slice(0, -1).map(({ record }) => record);
    const value: SlotRow = earlier.length ? { ...last.record, earlier } : last.record;
    writes.push({ table: 'slots', key: [process, last.slot], value });
    row = [];
    bytes = 0;
  };
  for (const entry of records) {
    const { slot, record } = entry;
    const size = weigh(record);
    const last = row.at(-1);
    if (last && (slot !== last.slot + 1 || record.base !== last.record.base || bytes + size > ROW_BYTES))
      end();
    row.push(entry);
    bytes += size;
  }
  end();
  return writes;
}

/** About how many bytes a value takes when it is stored. */
function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length + 5;
  if (typeof value !== 'object' || value === null) return 9;
  if (value instanceof Uint8Array) return value.length + 16;
  let sum = 16;
  if (value instanceof Map) for (const [key, item] of value) sum += weigh(key) + weigh(item);
  else if (Array.isArray(value)) for (const item of value) sum += weigh(item);
  else for (const key in value) sum += key.length + 5 + weigh((value as Record<string, unknown>)[key]);
  return sum;
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
  const row = await rowFrom(store, process, slot);
  const record = row && recordIn(row, slot);
  if (!record) return undefined;
  if (record.state !== undefined) return { slot, state: wholeState(record), record };
  const records = await readRecords(store, process, record.base, slot, row);
  let state: Message | undefined;
  for (let at = record.base; at <= slot; at++) {
    const known = records.get(at);
    if (!known) return undefined;
    if (known.state !== undefined) state = wholeState(known);
    else if (!state) return undefined;
    else state = applyDiff(state, known.diff);
  }
  return state && { slot, state, record };
}

/** The records of slots `from` … `to`, as far as there are any. `last`: the row that `to` is in, if it is at hand. */
export async function readRecords(
  store: Store,
  process: string,
  from: number,
  to: number,
  last?: Entry<unknown>,
): Promise<Map<number, SlotRecord>> {
  const found = new Map<number, SlotRecord>();
  const take = (row: Entry<SlotRow>) => {
    const start = Math.max(from, firstOf(row));
    for (let slot = start; slot <= Math.min(to, slotOf(row)); slot++)
      // Where rows overlap, the one that ends first was written in place of what could not be read any more.
      if (!found.has(slot)) found.set(slot, recordIn(row, slot)!);
  };
  const end = (last as Entry<SlotRow> | undefined) ?? (await rowFrom(store, process, to));
  if (!end || firstOf(end) > from) {
    const rows = await store.range<SlotRow>('slots', { from: [process, from], to: [process, to] });
    rows.forEach(take);
  }
  if (end) take(end);
  return found;
}

/** The first row that ends at `slot` or after it: the one that has its record, if any does. */
async function rowFrom(store: Store, process: string, slot: number): Promise<Entry<SlotRow> | undefined> {
  const range = { from: [process, slot], to: [process, Infinity], limit: 1 };
  return (await store.range<SlotRow>('slots', range))[0];
}

function slotOf({ key }: Entry<SlotRow>): number {
  return (key as [string, number])[1];
}

function firstOf(row: Entry<SlotRow>): number {
  return slotOf(row) - (row.value.earlier?.length ?? 0);
}

function recordIn(row: Entry<SlotRow>, slot: number): SlotRecord | undefined {
  const { earlier = [], ...record } = row.value;
  return slot === slotOf(row) ? record : earlier[slot - firstOf(row)];
}

/** Number of the newest computed slot at or before `limit`; -1 if there is none. */
export async function newestSlot(store: Store, process: string, limit = Infinity): Promise<number> {
  if (limit < Infinity && limit >= 0) {
    const row = await rowFrom(store, process, limit);
    if (row && firstOf(row) <= limit) return limit;
  }
  const range = { from: [process, 0], to: [process, limit], reverse: true, limit: 1 };
  const [key] = await store.keys('slots', range);
  return key === undefined ? -1 : (key as [string, number])[1];
}

function wholeState(record: SlotRecord): Message {
  const state = record.state === undefined ? undefined : fromPlain(record.state);
  if (state instanceof Message) return state;
  throw new AoError('bad-record', 'A stored state is no message.', { status: 500 });
}
