/**
 * Audited slots of a followed process as the node keeps every schedule: each an assignment with its message, both with
 * the signatures they came with. Head, audit and index are written with them in one transaction.
 */
import { toBase64Url } from '../../base/bytes.ts';
import { Schedules } from '../../device/schedules.ts';
import { Message, type ValueInput } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import type { Write } from '../../store/store.ts';
import type { LegacyAudited, LegacyAuditState } from '../../verify/legacy-audit.ts';
import { messageOfItem, tagText } from '../../verify/legacy-item.ts';
import { slotKey } from './message-slots.ts';

/** Keys of the head of a followed schedule. */
export interface FollowedHead {
  readonly legacyAudit?: LegacyAuditState;
}

/** What is known of the process where its scheduler gave it no slot of its own. */
export interface Birth {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly height: number;
}

/** Where the audit of a followed process stands; undefined before the first page. */
export async function auditOf(process: string, context: Context): Promise<LegacyAuditState | undefined> {
  const head = (await Schedules.of(context).head(process, context)) as FollowedHead | undefined;
  return head?.legacyAudit;
}

/**
 * Keeps audited slots. What a compute unit passes over is marked: a message that was pushed, or assigned, before.
 * Answers how many were marked.
 */
export async function keepSlots(
  slots: readonly LegacyAudited[],
  state: LegacyAuditState,
  source: string,
  { birth, name }: { readonly birth?: Birth | undefined; readonly name?: string | undefined },
  context: Context,
): Promise<number> {
  const { process } = state;
  const index = slots.map(({ message }) => slotKey(process, message.idText));
  const contents = slots.map((slot) =>
    tagText(slot.message, 'From-Process') === undefined
      ? undefined
      : slotKey(process, `content ${toBase64Url(slot.message.unsignedId)}`),
  );
  const known = new Map<string, number>();
  const keys = [...index, ...contents.filter((key) => key !== undefined)];
  const found = await context.store.getMany<number>('node', keys);
  found.forEach((slot, at) => {
    if (slot !== undefined) known.set(keys[at]!.join(' '), slot);
  });
  const writes: Write[] = [];
  const assignments: Message[] = [];
  let passed = 0;
  for (const [at, slot] of slots.entries()) {
    const earlier = (key: readonly string[] | undefined) => {
      const first = key && known.get(key.join(' '));
      return first !== undefined && first < slot.slot;
    };
    const skip = (slot.foreign && earlier(index[at])) || earlier(contents[at]);
    if (skip) passed++;
    assignments.push(assignmentOf(slot, skip, slot.slot === 0 ? birth : undefined));
    for (const key of [index[at]!, contents[at]]) {
      if (!key || earlier(key)) continue;
      known.set(key.join(' '), slot.slot);
      writes.push({ table: 'node', key, value: slot.slot });
    }
  }
  const head = { legacyAudit: state, kind: 'legacynet', level: 'audited', ...(name ? { name } : {}) };
  await Schedules.of(context).import(process, assignments, context, source, { head, writes });
  return passed;
}

/** Keys that are added to an assignment; under nobody's signature. */
export const ADDED_KEYS = [
  'slot',
  'body',
  'skip',
  'foreign-target',
  'shown-data',
  'process-timestamp',
  'process-height',
];

/** The assignment with its message. What is added to it is under nobody's signature. */
function assignmentOf(slot: LegacyAudited, skip: boolean, birth: Birth | undefined): Message {
  const body = messageOfItem(slot.message);
  const added: Record<string, ValueInput> = { slot: BigInt(slot.slot), body };
  if (skip) added.skip = 'true';
  if (slot.foreign) added['foreign-target'] = body.text('target') ?? '';
  if (slot.dataWithheld) added['shown-data'] = slot.dataWithheld;
  if (birth && slot.message.idText !== tagText(slot.assignment, 'Process')) {
    added['process-timestamp'] = BigInt(birth.timestamp);
    added['process-height'] = BigInt(birth.height);
  }
  return messageOfItem(slot.assignment).with([...Message.of(added)]);
}
