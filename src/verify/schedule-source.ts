/**
 * Brings a remote schedule here, audited: page by page, every assignment checked before it is kept, going on from
 * where an earlier verification stopped. A second verification pays for the new slots alone.
 */
import { AoError } from '../base/errors.ts';
import { commitmentsOf, committerOf, uncommitted } from '../commitment/commitment.ts';
import { contentId } from '../commitment/id.ts';
import { checkMessage } from '../commitment/verify.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { withAssignedBodies } from '../device/remote-schedule.ts';
import { Schedules } from '../device/schedules.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { auditAssignment, auditDefinition, type AuditNote, type AuditState } from './native-audit.ts';
import type { Peer, SchedulePage } from './peer.ts';

export interface AuditedSchedule {
  readonly state: AuditState;
  readonly definition: Message;
  readonly notes: readonly AuditNote[];
}

/** Pages that are asked for at most; a thousand slots each. */
const MAX_PAGES = 5_000;
/** Notes that a report carries at most. */
const MAX_NOTES = 200;

export interface FetchOptions {
  readonly onSlot?: (slot: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** Told of the page on which a rule is broken, before that is thrown; for evidence. */
  readonly onBroken?: (page: SchedulePage, error: AoError) => Promise<void>;
}

/**
 * Audits slots up to `to` and keeps them.
 * @throws AoError `audit-…` (422), `schedule-ends` (502), `equivocation` (409) where the node shows another past
 *   than the one that is kept here, `cancelled` (499)
 */
export async function auditedSchedule(
  process: string,
  to: number,
  peer: Peer,
  context: Context,
  options: FetchOptions = {},
): Promise<AuditedSchedule> {
  const notes: AuditNote[] = [];
  let kept: Kept = await resume(process, context);
  if (kept.state && kept.definition && kept.state.slot >= to)
    return { state: kept.state, definition: kept.definition, notes };
  for (let page = 0; page < MAX_PAGES && (kept.state?.slot ?? -1) < to; page++) {
    if (options.signal?.aborted)
      throw new AoError('cancelled', 'The verification was stopped; what is done is kept.', { status: 499 });
    // One slot that is known already comes along: a node that shows another past is caught by it.
    const from = Math.max(0, kept.state?.slot ?? 0);
    const shown = await peer.schedule(process, from, Math.min(to, from + 1000));
    try {
      kept = await takePage(process, to, shown, kept, notes, peer, context, options);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      await options.onBroken?.(shown, error);
      throw error;
    }
  }
  const { state, definition } = kept;
  if (!state || !definition || state.slot < to)
    throw new AoError('schedule-ends', `${peer.host} does not come to slot ${to}.`, { status: 502 });
  return { state, definition, notes };
}

interface Kept {
  readonly state: AuditState | undefined;
  readonly definition: Message | undefined;
}

/** Audits what a page shows of the slots that are not audited yet, and keeps it. */
async function takePage(
  process: string,
  to: number,
  { assignments }: SchedulePage,
  { state, definition }: Kept,
  notes: AuditNote[],
  peer: Peer,
  context: Context,
  options: FetchOptions,
): Promise<Kept> {
  const schedules = Schedules.of(context);
  const known = state?.slot ?? -1;
  const listed = assignments.map(({ key, assignment }) => ({
    slot: key ?? integerOf(assignment.get('slot')),
    assignment,
  }));
  // Also what came here without an audit: what is computed is what is kept, so it has to be what was audited.
  const stored = (await schedules.head(process, context))?.slot ?? -1;
  for (const { slot, assignment } of listed)
    if (slot !== undefined && slot <= stored && slot <= to)
      await samePast(process, slot, assignment, state?.schedulers, context);
  const fresh = listed.filter(({ slot }) => slot === undefined || slot > known);
  // Signatures that were joined to a message later are not what the scheduler assigned.
  const assigned = withAssignedBodies(
    fresh.map(({ assignment }) => assignment),
    state?.chain ?? '',
  );
  const ahead = checksAhead(assigned);
  const audited: Message[] = [];
  const ids: string[] = [];
  for (const [index, assignment] of assigned.entries()) {
    const { slot: key, assignment: delivered } = fresh[index]!;
    if (!state) {
      const first = assignment.get('body');
      if (!(first instanceof Message))
        throw new AoError('audit-body', 'Slot 0: the definition is missing.', {
          status: 422,
          detail: { slot: 0 },
        });
      definition = first;
      state = await auditDefinition(process, first);
    }
    if (state.slot >= to) break;
    ahead(index);
    const step = await auditAssignment(state, assignment, key === undefined ? {} : { key });
    state = step.state;
    audited.push(delivered);
    ids.push(step.audited.id);
    if (notes.length < MAX_NOTES) notes.push(...step.audited.notes);
    options.onSlot?.(state.slot);
  }
  if (audited.length === 0)
    throw new AoError(
      'schedule-ends',
      `${peer.host} shows no slot after ${state?.slot ?? -1}, but speaks of slot ${to}.`,
      { status: 502, detail: { slot: (state?.slot ?? -1) + 1 } },
    );
  notes.push(...(await seenBefore(process, ids, state!.slot, context)).slice(0, MAX_NOTES));
  for (const assignment of audited) {
    const body = assignment.get('body');
    if (body instanceof Message) await context.cache.write(body);
  }
  await schedules.import(process, audited, context, peer.origin);
  await schedules.annotate(process, { audit: state }, context);
  return { state, definition };
}

/**
 * Rule 16: messages that the schedule holds already. To assign one twice is allowed, and worth knowing. `last`: the slot
 * of the last of `ids`, whose slots follow each other.
 */
async function seenBefore(
  process: string,
  ids: readonly string[],
  last: number,
  context: Context,
): Promise<AuditNote[]> {
  const keyOf = (id: string) => `~verify@1.0/${process}/${id}`;
  const known = await context.store.getMany<string>('links', ids.map(keyOf));
  const slots = new Map<string, string>();
  const out: AuditNote[] = [];
  ids.forEach((id, index) => {
    const slot = last - ids.length + 1 + index;
    const before = known[index] ?? slots.get(id);
    const here = `~scheduler@1.0/assignments/${process}/${slot}`;
    if (before === undefined) slots.set(id, here);
    else if (before !== here)
      out.push({
        slot,
        code: 'replayed',
        text: `The message was assigned before, to slot ${before.split('/').pop()}.`,
      });
  });
  const writes = [...slots].map(([id, value]) => ({ table: 'links' as const, key: keyOf(id), value }));
  if (writes.length) await context.store.write(writes);
  return out;
}

/** Where an earlier audit of this process stands, if there was one. */
async function resume(process: string, context: Context): Promise<Kept> {
  const head = await Schedules.of(context).head(process, context);
  const state = head?.['audit'] as AuditState | undefined;
  if (!head || !state || state.slot > head.slot) return { state: undefined, definition: undefined };
  const [first] = await readAssignments(context.store, process, 0, 0);
  return { state, definition: first?.assignment.message('body') };
}

/** Slots whose signatures are checked at the same time. */
const AHEAD = 48;

/**
 * Begins the checks of the signatures of slots before the audit, which goes slot by slot, comes to them; it then joins
 * what is under way. Call what is returned with the index of each slot.
 */
export function checksAhead(assignments: readonly Message[]): (index: number) => void {
  let begun = 0;
  const begin = (message: Message) => void checkMessage(message, { committers: 'all' }).catch(() => []);
  return (index) => {
    for (; begun < Math.min(index + AHEAD, assignments.length); begun++) {
      const assignment = assignments[begun]!;
      const body = assignment.get('body');
      if (body instanceof Message) begin(body);
      begin(assignment);
    }
  };
}

/**
 * A slot that is kept here must be the same now. `equivocation` is said only where a scheduler signed both: what
 * nobody signed shows a lying node, not a lying scheduler.
 */
async function samePast(
  process: string,
  slot: number,
  shown: Message,
  schedulers: readonly string[] | undefined,
  context: Context,
): Promise<void> {
  const [kept] = await readAssignments(context.store, process, slot, slot);
  const ours = kept?.assignment.message('body');
  if (!kept || !ours) return;
  const theirs = shown instanceof Message ? shown.message('body') : undefined;
  // A reply may bring more signatures of a message than there were: the content is what tells messages apart.
  const chain = (one: Message) => textOf(one.get('hash-chain'));
  const same = theirs && contentId(uncommitted(ours)) === contentId(uncommitted(theirs));
  if (same && chain(shown) === chain(kept.assignment)) return;
  const signers = await schedulersOf(shown);
  const both = (await schedulersOf(kept.assignment)).filter(
    (address) => signers.includes(address) && (schedulers?.includes(address) ?? true),
  );
  const sameSlot = integerOf(shown.get('slot')) === slot && shown.text('process') === process;
  if (both.length === 0 || !sameSlot || !theirs)
    throw new AoError(
      'audit-past',
      `Slot ${slot}: the node shows another assignment than before, unsigned.`,
      {
        status: 422,
        detail: { slot, process },
      },
    );
  throw new AoError(
    'equivocation',
    `Slot ${slot}: the node shows another ${same ? 'hash chain' : 'message'} than before, and the scheduler signed both.`,
    { status: 409, detail: { slot, process } },
  );
}

/** Whose signatures on it verify. */
async function schedulersOf(assignment: Message): Promise<string[]> {
  const all = commitmentsOf(assignment);
  const checked = await checkMessage(assignment, { committers: 'all' }).catch(() => []);
  return checked.flatMap(({ id, verdict }) => {
    const address = committerOf(all.get(id)!);
    return verdict.valid && address !== undefined ? [address] : [];
  });
}
