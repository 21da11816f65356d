/**
 * Schedules in legacynet's form (process.md §5.1): for every slot an assignment that is a data item, chained by
 * legacynet's rule. Of a process that is followed they are its scheduler's own; for others this node makes them when
 * they are first asked for, and keeps them: a signature is never the same twice.
 */
import { concatBytes, fromBase64, toBase64Url } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { DataItem } from '../../codec/ans104-item.ts';
import { createItem, rsaSigner } from '../../commitment/ans104-sign.ts';
import { messageId } from '../../commitment/id.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { StoredAssignment } from '../../device/schedule-records.ts';
import { Schedules } from '../../device/schedules.ts';
import { integerOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import { signedAssignment } from '../../verify/legacy-kept.ts';
import type { FollowedHead } from './follow-store.ts';

const PREFIX = 'legacynet-assignment';
const STEP = 64;

interface Kept {
  readonly raw: Uint8Array<ArrayBuffer>;
}

/** First and last key of what is kept of one process. */
export function legacyAssignmentsOf(process: string): readonly [readonly string[], readonly string[]] {
  return [
    [PREFIX, process],
    [PREFIX, process, '\uffff'],
  ];
}

/** A slot in both forms. */
export interface LegacySlot extends StoredAssignment {
  readonly item: DataItem;
}

/** b64u hash of the first assignment. */
export function firstHash(process: string): string {
  return toBase64Url(sha256(fromBase64(process)));
}

/** b64u hash of the assignment after one with this ID and hash. */
export function hashAfter(assignment: string, hash: string): string {
  return toBase64Url(sha256(concatBytes(fromBase64(assignment), fromBase64(hash))));
}

export function blockHeight(value: number): string {
  return String(value).padStart(12, '0');
}

/** Slots `from` … `to` (inclusive), as far as there are. */
export async function legacySlots(
  process: string,
  from: number,
  to: number,
  context: Context,
): Promise<LegacySlot[]> {
  const head = (await Schedules.of(context).head(process, context)) as FollowedHead | undefined;
  const followed = head?.legacyAudit !== undefined;
  if (!followed) await extend(process, to, context);
  const found = await Schedules.of(context).read(process, from, to, context);
  const out: LegacySlot[] = [];
  for (const one of found) {
    if (followed) {
      out.push({ ...one, item: await signedAssignment(one.assignment, context) });
      continue;
    }
    const kept = await context.store.get<Kept>('node', [PREFIX, process, one.slot]);
    if (!kept) break;
    out.push({ ...one, item: DataItem.parse(kept.raw) });
  }
  return out;
}

/** Makes what is missing up to a slot, one caller after the other. */
function extend(process: string, to: number, context: Context): Promise<void> {
  const turns = context.memory('legacynet-assignments', () => new Map<string, Promise<void>>());
  const turn = (turns.get(process) ?? Promise.resolve())
    .catch(() => undefined)
    .then(() => make(process, to, context));
  turns.set(process, turn);
  return turn;
}

async function make(process: string, to: number, context: Context): Promise<void> {
  const [newest] = await context.store.range<Kept>('node', {
    from: [PREFIX, process, 0],
    to: [PREFIX, process, Number.MAX_SAFE_INTEGER],
    reverse: true,
    limit: 1,
  });
  let slot = newest ? (newest.key as [string, string, number])[2] : -1;
  let before = newest && DataItem.parse(newest.value.raw);
  while (slot < to) {
    const page = await Schedules.of(context).read(process, slot + 1, Math.min(to, slot + STEP), context);
    if (page.length === 0) return;
    const writes = [];
    for (const { slot: at, assignment } of page) {
      const chain = before ? hashAfter(before.idText, chainOf(before)) : firstHash(process);
      before = await itemFor(process, at, assignment, chain, context);
      writes.push({ table: 'node' as const, key: [PREFIX, process, at], value: { raw: before.toBytes() } });
      slot = at;
    }
    await context.store.write(writes, { durable: true });
  }
}

function chainOf(item: DataItem): string {
  const value = item.tag('Hash-Chain');
  if (typeof value !== 'string')
    throw new AoError('bad-record', 'A stored assignment has no Hash-Chain.', { status: 500 });
  return value;
}

function itemFor(
  process: string,
  slot: number,
  assignment: Message,
  chain: string,
  context: Context,
): Promise<DataItem> {
  const number = (key: string) => integerOf(assignment.get(key)) ?? 0;
  const body = assignment.get('body');
  const tags = [
    ['Process', process],
    ['Epoch', String(number('epoch'))],
    ['Nonce', String(slot)],
    ['Hash-Chain', chain],
    ['Block-Height', blockHeight(number('block-height'))],
    ['Timestamp', String(number('timestamp'))],
    ['Data-Protocol', 'ao'],
    ['Type', 'Assignment'],
    ['Variant', 'ao.TN.1'],
    ...(body instanceof Message ? [['Message', messageId(body, 'signed')]] : []),
  ].map(([name, value]) => ({ name: name!, value: value! }));
  return createItem({ tags }, rsaSigner(context.identity));
}
