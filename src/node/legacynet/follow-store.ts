/**
 * Audited slots of a followed process as the node keeps every schedule: each an assignment with its message, both with
 * the signatures they came with. Head, audit and index are written with them in one transaction.
 */
import { Schedules } from '../../device/schedules.ts';
import type { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import type { Write } from '../../store/store.ts';
import type { LegacyAudited, LegacyAuditState } from '../../verify/legacy-audit.ts';
import { isRepeated, keptAssignment, keysOf, type Birth } from '../../verify/legacy-kept.ts';
import { slotKey } from './message-slots.ts';

/** Keys of the head of a followed schedule. */
export interface FollowedHead {
  readonly legacyAudit?: LegacyAuditState;
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
  const wanted = slots.map((slot) => keysOf(slot));
  const keys = wanted.flatMap(({ id, content }) => (content === undefined ? [id] : [id, content]));
  const known = new Map<string, number>();
  const found = await context.store.getMany<number>(
    'node',
    keys.map((key) => slotKey(process, key)),
  );
  found.forEach((slot, at) => {
    if (slot !== undefined) known.set(keys[at]!, slot);
  });
  const writes: Write[] = [];
  const assignments: Message[] = [];
  let passed = 0;
  for (const [at, slot] of slots.entries()) {
    const skip = isRepeated(slot, (key) => known.get(key));
    if (skip) passed++;
    assignments.push(keptAssignment(slot, skip, slot.slot === 0 ? birth : undefined));
    const { id, content } = wanted[at]!;
    for (const key of content === undefined ? [id] : [id, content]) {
      if ((known.get(key) ?? Infinity) < slot.slot) continue;
      known.set(key, slot.slot);
      writes.push({ table: 'node', key: slotKey(process, key), value: slot.slot });
    }
  }
  const head = { legacyAudit: state, kind: 'legacynet', level: 'audited', ...(name ? { name } : {}) };
  await Schedules.of(context).import(process, assignments, context, source, { head, writes });
  return passed;
}
