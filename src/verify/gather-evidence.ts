/**
 * Gathers what a third party needs to check evidence without a network: the answer or page as it came, the audited
 * assignments before it, and the programs. Nothing is kept that would not prove anything to somebody else.
 */
import type { AoError } from '../base/errors.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { Message } from '../message/message.ts';
import type { Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Difference } from './compare.ts';
import { evidence, itemOf, keepEvidence, statement, type Item } from './evidence.ts';
import type { Answer, SchedulePage } from './peer.ts';
import { moduleIds } from './replay.ts';
import { signedBy } from './signed.ts';

/** Assignments that evidence carries at most. */
const MAX_SLOTS = 20_000;
/** Slots that are read from the store at once. */
const STRIDE = 500;

/** @returns ID of the evidence; undefined where the answer is not signed (then it is anybody's word) or too large */
export async function keepWrongAnswer(
  process: string,
  slot: number,
  answer: Answer,
  { path, said, right }: Difference,
  context: Context,
): Promise<string | undefined> {
  if ((await signedBy(answer)).by.length === 0) return undefined;
  const schedule = await scheduleItems(process, 0, slot, context);
  if (!schedule) return undefined;
  const now = context.clock.now();
  return keepEvidence(
    evidence({
      kind: 'wrong-answer',
      createdAt: now,
      process,
      slot,
      path,
      statements: [statement(answer.target, answer.response, now)],
      schedule,
      modules: await moduleItems(process, context),
      context: { said, right },
    }),
    context.store,
  );
}

/**
 * A page that breaks a rule: kept where the scheduler itself is at fault. For most broken rules it may as well be the
 * node that shows the page, and then there is nothing to prove.
 */
export async function keepBrokenSchedule(
  process: string,
  page: SchedulePage,
  error: AoError,
  context: Context,
): Promise<string | undefined> {
  const slot = error.detail['slot'];
  if (typeof slot !== 'number') return undefined;
  const twice = error.code === 'equivocation';
  if (!twice && error.code !== 'audit-epoch' && !(error.code === 'audit-chain' && slot === 0))
    return undefined;
  const now = context.clock.now();
  const schedule = await scheduleItems(process, twice ? slot : 0, twice ? slot : slot - 1, context);
  if (!schedule) return undefined;
  return keepEvidence(
    evidence({
      kind: twice ? 'double-assignment' : 'bad-schedule',
      createdAt: now,
      process,
      slot,
      path: '',
      statements: [statement(page.target, page.response, now)],
      schedule,
      context: { code: error.code },
    }),
    context.store,
  );
}

async function scheduleItems(
  process: string,
  from: number,
  to: number,
  context: Context,
): Promise<Item[] | undefined> {
  if (to - from >= MAX_SLOTS) return undefined;
  const load = (link: Link) => context.cache.load(link);
  const out: Item[] = [];
  for (let at = from; at <= to; at += STRIDE) {
    const read = await readAssignments(context.store, process, at, Math.min(to, at + STRIDE - 1), STRIDE);
    for (const { assignment } of read) out.push(await itemOf(assignment, load));
  }
  return out;
}

async function moduleItems(process: string, context: Context): Promise<Item[]> {
  const [first] = await readAssignments(context.store, process, 0, 0);
  const definition = first?.assignment.get('body');
  if (!(definition instanceof Message)) return [];
  const load = (link: Link) => context.cache.load(link);
  const out: Item[] = [];
  for (const id of moduleIds(definition)) {
    const value = await context.cache.read(id);
    if (value !== undefined) out.push(await itemOf(await context.cache.loadAll(value), load));
  }
  return out;
}
