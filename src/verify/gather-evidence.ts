/**
 * Gathers what a third party needs to check evidence without a network: the answer or page as it came, the audited
 * assignments before it, and the programs. Nothing is kept that would not prove anything to somebody else.
 */
import { toBase64Url } from '../base/bytes.ts';
import type { AoError } from '../base/errors.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { Message } from '../message/message.ts';
import type { Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { checkEvidence, isFaultOfReport, isHeadRegress, signedHead } from './check-evidence.ts';
import { difference, type Difference } from './compare.ts';
import {
  evidence,
  itemOf,
  keepEvidence,
  responseOf,
  statement,
  type Item,
  type Statement,
} from './evidence.ts';
import { decodeAnswer, type Answer, type Peer, type SchedulePage } from './peer.ts';
import { moduleIds } from './replay.ts';
import { signedBy } from './signed.ts';
import { withoutEnvelope } from './transport-fields.ts';

/** Assignments that evidence carries at most. */
const MAX_SLOTS = 20_000;
/** Slots that are read from the store at once. */
const STRIDE = 500;

/**
 * An answer that is not what follows from the schedule; of one that nobody signed it shows only what was said.
 * @returns ID of the evidence; undefined for what is too large
 */
export async function keepWrongAnswer(
  process: string,
  slot: number,
  answer: Answer,
  { path, said, right }: Difference,
  context: Context,
): Promise<string | undefined> {
  const signed = (await signedBy(answer)).by.length > 0;
  const schedule = await scheduleItems(process, 0, slot, context);
  if (!schedule) return undefined;
  const now = context.clock.now();
  return keepEvidence(
    evidence({
      kind: signed ? 'wrong-answer' : 'unsigned-answer',
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

/** Two signed answers to one question that differ. @returns undefined unless both are signed */
export async function keepDifferentAnswers(
  process: string,
  slot: number,
  path: string,
  answers: readonly [Statement, Statement],
  context: Context,
): Promise<string | undefined> {
  const [a, b] = await Promise.all(answers.map((one) => signersOf(one)));
  if (!a?.length || !b?.length) return undefined;
  const kind = a.some((address) => b.includes(address)) ? 'double-answer' : 'disagreement';
  const createdAt = context.clock.now();
  return keepEvidence(evidence({ kind, createdAt, process, slot, path, statements: answers }), context.store);
}

async function signersOf(one: Statement): Promise<readonly string[]> {
  const response = responseOf(one);
  try {
    return (await signedBy({ target: one.url, response, ...decodeAnswer(response) })).by;
  } catch {
    return [];
  }
}

/** An attestation that its node signed and that breaks a rule by itself, whatever anybody trusts. */
export async function keepBadAttestation(
  process: string,
  slot: number,
  answer: Answer,
  certificates: readonly Uint8Array[],
  error: AoError,
  context: Context,
): Promise<string | undefined> {
  if (!isFaultOfReport(error.code) || (await signedBy(answer)).by.length === 0) return undefined;
  const createdAt = context.clock.now();
  const item = evidence({
    kind: 'bad-attestation',
    createdAt,
    process,
    slot,
    path: '',
    statements: [statement(answer.target, answer.response, createdAt)],
    certificates: certificates.map(toBase64Url),
    context: { code: error.code },
  });
  // Certificates under a root of the user's own prove nothing to others.
  return (await checkEvidence(item, context)).proves ? keepEvidence(item, context.store) : undefined;
}

/** Largest statement that is kept for the next visit, in bytes. */
const MAX_REMEMBERED = 256 * 1024;

interface Remembered {
  readonly value: string;
  readonly statement: Statement;
}

/**
 * Keeps what a node signed, for the next visit; answers what it had signed before, if that was about the same.
 * @param about what the statement is about; one statement is kept for each kind of question
 */
async function remember(
  peer: Peer,
  process: string,
  kind: 'answer' | 'head',
  { value, statement: said }: Remembered,
  context: Context,
): Promise<Remembered | undefined> {
  const key = ['verify', kind, peer.origin, process];
  const before = await context.store.get<Remembered>('peers', key);
  if (said.body.length <= MAX_REMEMBERED) {
    // Of slots the furthest is what it may not fall behind.
    const keep = kind === 'head' && before && Number(before.value) > Number(value) ? before : undefined;
    if (!keep) await context.store.write([{ table: 'peers', key, value: { value, statement: said } }]);
  }
  return before;
}

/** A node that answered the same question otherwise before. Both answers are signed, or there is nothing to hold to. */
export async function changedAnswer(
  peer: Peer,
  process: string,
  slot: number,
  path: string,
  answer: Answer,
  context: Context,
): Promise<{ readonly evidence: string | undefined; readonly before: Answer } | undefined> {
  if ((await signedBy(answer)).by.length === 0) return undefined;
  const said = statement(answer.target, answer.response, context.clock.now());
  const before = await remember(peer, process, 'answer', { value: answer.target, statement: said }, context);
  if (before?.value !== answer.target) return undefined;
  const response = responseOf(before.statement);
  const earlier: Answer = { target: answer.target, response, ...decodeAnswer(response) };
  if (!difference(withoutEnvelope(earlier.value), withoutEnvelope(answer.value))) return undefined;
  const kept = await keepDifferentAnswers(process, slot, path, [before.statement, said], context);
  return kept === undefined ? undefined : { evidence: kept, before: earlier };
}

/**
 * What a node signs of its newest slot, with process and time; kept, and held against what it signed before.
 * @returns ID of the evidence where slots were taken back
 */
export async function headTakenBack(
  peer: Peer,
  process: string,
  context: Context,
): Promise<string | undefined> {
  const answer = await peer.ask(`/${process}~process@1.0/slot`, 1024 * 1024).catch(() => undefined);
  const head = answer && (await signedHead(answer));
  if (!answer || head?.process !== process) return undefined;
  const said = statement(answer.target, answer.response, context.clock.now());
  const value = String(head.current);
  const before = await remember(peer, process, 'head', { value, statement: said }, context);
  if (!before || Number(before.value) <= head.current) return undefined;
  const item = evidence({
    kind: 'head-regress',
    createdAt: context.clock.now(),
    process,
    slot: Number(before.value),
    path: '',
    statements: [before.statement, said],
  });
  return (await isHeadRegress(item)) ? keepEvidence(item, context.store) : undefined;
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
