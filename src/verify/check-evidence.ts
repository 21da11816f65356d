/** Checks evidence from the file alone: the statements are signed by whom it says, and they can not both be honest. */
import { AoError } from '../base/errors.ts';
import { committedKeys, committerOf, uncommitted } from '../commitment/commitment.ts';
import { contentId } from '../commitment/id.ts';
import { checkMessage } from '../commitment/verify.ts';
import { assignmentsOf, withAssignedBodies } from '../device/remote-schedule.ts';
import { readAssignments } from '../device/schedule-records.ts';
import { Schedules } from '../device/schedules.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { comparable, difference, stateDifference, valueDifference, type Difference } from './compare.ts';
import { responseOf, valueOf, type Evidence, type Statement } from './evidence.ts';
import { auditAssignment, auditDefinition } from './native-audit.ts';
import { decodeAnswer, withId, type Answer } from './peer.ts';
import { ensureModules, moduleIds, stateAt } from './replay.ts';
import { signedBy } from './signed.ts';
import { withoutEnvelope } from './transport-fields.ts';

export interface Verdict {
  readonly proves: boolean;
  readonly kind: string;
  readonly findings: string[];
}

/** `context`: a node that computes what a `wrong-answer` is held against; nothing of its network is used. */
export async function checkEvidence(item: Evidence, context: Context): Promise<Verdict> {
  const findings: string[] = [];
  let proves = false;
  try {
    if (item.kind === 'double-answer') proves = await doubleAnswer(item, findings);
    else if (item.kind === 'double-assignment') proves = await doubleAssignment(item, findings);
    else if (item.kind === 'bad-schedule') proves = await badSchedule(item, findings);
    else proves = await wrongAnswer(item, findings, context);
  } catch (thrown) {
    findings.push(AoError.wrap(thrown).message);
  }
  return { proves, kind: item.kind, findings };
}

async function readSigned(
  one: Statement,
  findings: string[],
): Promise<(Answer & { by: readonly string[] }) | undefined> {
  const response = responseOf(one);
  const answer: Answer = { target: one.url, response, ...decodeAnswer(response) };
  const { by, reason } = await signedBy(answer);
  if (by.length === 0) {
    findings.push(`${one.url}: ${reason ?? 'nobody signed it'}`);
    return undefined;
  }
  findings.push(`${one.url} was signed by ${by.join(', ')}.`);
  return { ...answer, by };
}

async function doubleAnswer(item: Evidence, findings: string[]): Promise<boolean> {
  const [a, b] = item.statements;
  if (!a || !b) return false;
  if (path(a.url) !== path(b.url) || !/compute(?:=|&slot=)\d+/.test(path(a.url))) {
    findings.push('The two answers are not about the same path at a fixed slot.');
    return false;
  }
  const first = await readSigned(a, findings);
  const second = await readSigned(b, findings);
  if (!first || !second) return false;
  if (!first.by.some((address) => second.by.includes(address))) {
    findings.push('Two different keys signed the answers.');
    return false;
  }
  const found = difference(withoutEnvelope(first.value), withoutEnvelope(second.value));
  findings.push(
    found
      ? `They differ at ${found.path || 'the value'}: ${found.said} and ${found.right}.`
      : 'The two answers are the same.',
  );
  return found !== undefined;
}

const path = (url: string) => url.replace(/^https?:\/\/[^/]+/, '');

/** Every assignment of a file: those that were kept before, and those of the pages. */
function assignmentsIn(item: Evidence): Message[] {
  const kept = (item.schedule ?? []).map(valueOf).filter((value) => value instanceof Message);
  const shown = item.statements.flatMap((one) => assignmentsOf(decodeAnswer(responseOf(one)).message));
  return [...kept, ...shown];
}

async function doubleAssignment(item: Evidence, findings: string[]): Promise<boolean> {
  const found: { by: string; content: string }[] = [];
  for (const assignment of assignmentsIn(item)) {
    if (integerOf(assignment.get('slot')) !== item.slot || textOf(assignment.get('process')) !== item.process)
      continue;
    const body = assignment.get('body');
    if (!(body instanceof Message)) continue;
    for (const { verdict, commitment } of await checkMessage(assignment, { committers: 'all' })) {
      const by = committerOf(commitment);
      const covered = committedKeys(commitment);
      if (
        verdict.valid &&
        by !== undefined &&
        ['slot', 'process', 'body'].every((key) => covered.includes(key))
      )
        found.push({ by, content: contentId(uncommitted(body)) });
    }
  }
  const pair = found.find((one) =>
    found.some((other) => other.by === one.by && other.content !== one.content),
  );
  findings.push(
    pair
      ? `${pair.by} assigned two messages to slot ${item.slot}.`
      : 'The file does not hold two assignments of one scheduler for that slot.',
  );
  return pair !== undefined;
}

/** Audits assignments from slot 0 on. Answers where it came to, and the refusal that ended it. */
async function auditAll(
  process: string,
  assignments: readonly Message[],
): Promise<{ slot: number; definition: Message | undefined; error: AoError | undefined }> {
  const first = assignments[0]?.get('body');
  const definition = first instanceof Message ? first : undefined;
  let slot = -1;
  try {
    if (!definition) throw new AoError('audit-body', 'The file holds no definition of the process.');
    let state = await auditDefinition(process, definition);
    for (const assignment of withAssignedBodies(assignments)) {
      state = (await auditAssignment(state, assignment)).state;
      slot = state.slot;
    }
    return { slot, definition, error: undefined };
  } catch (thrown) {
    return { slot, definition, error: AoError.wrap(thrown) };
  }
}

/**
 * A rule is broken that only the scheduler can have broken, under its own signature. Gaps, a wrong order, or a chain
 * that does not continue may as well be the doing of the node that showed the page.
 */
async function badSchedule(item: Evidence, findings: string[]): Promise<boolean> {
  const { error, slot } = await auditAll(item.process, assignmentsIn(item));
  findings.push(error?.message ?? 'The schedule passes the audit.');
  const proves = error?.code === 'audit-epoch' || (error?.code === 'audit-chain' && slot === -1);
  if (error && !proves) findings.push('That may be the doing of the node that showed it.');
  return proves;
}

async function wrongAnswer(item: Evidence, findings: string[], context: Context): Promise<boolean> {
  const [claim] = item.statements;
  const answer = claim && (await readSigned(claim, findings));
  if (!answer) return false;
  const asked = /^\/([A-Za-z0-9_-]{43})~process@1\.0\/compute(?:=|&slot=)(\d+)(?:\/(.*))?$/.exec(
    path(claim.url),
  );
  if (asked?.[1] !== item.process || Number(asked[2]) !== item.slot) {
    findings.push('The answer is not about the process and slot that the file names.');
    return false;
  }
  const assignments = (item.schedule ?? []).map(valueOf).filter((value) => value instanceof Message);
  const audited = await auditAll(item.process, assignments);
  if (audited.error || audited.slot < item.slot || !audited.definition) {
    findings.push(audited.error?.message ?? 'The file does not hold the schedule up to that slot.');
    return false;
  }
  findings.push(`The schedule was audited up to slot ${audited.slot}.`);
  const { definition } = audited;
  await takeSchedule(item.process, assignments, context);
  await takeModules(item, definition, context);
  const ours = await stateAt(definition, item.slot, context);
  if (!ours.state) {
    findings.push(
      `Computed here, the slot ends in a failure: ${ours.failure?.text ?? ''}; the node answered.`,
    );
    return ours.failure !== undefined;
  }
  const found = await differenceAt(asked[3] ?? '', answer, ours.state, definition, context);
  findings.push(
    found
      ? `At ${found.path || 'the value'} the node said ${found.said}; right is ${found.right}.`
      : 'What the node said is what follows from the schedule.',
  );
  return found !== undefined;
}

async function differenceAt(
  asked: string,
  answer: Answer,
  state: Message,
  definition: Message,
  context: Context,
): Promise<Difference | undefined> {
  const all = await context.cache.loadAll(asked === '' ? state.without('process', 'module', 'image') : state);
  if (asked === '' && all instanceof Message)
    return stateDifference(comparable(answer.message, definition), comparable(all, definition));
  const right = await context.get(asked, state);
  return valueDifference(answer.value, right === undefined ? undefined : await context.cache.loadAll(right));
}

/** The audited schedule, for this node to compute from. @throws AoError `equivocation` where it knows another */
async function takeSchedule(
  process: string,
  assignments: readonly Message[],
  context: Context,
): Promise<void> {
  const kept = await readAssignments(context.store, process, 0, assignments.length - 1, assignments.length);
  for (const { slot, assignment } of kept)
    if (textOf(assignment.get('hash-chain')) !== textOf(assignments[slot]?.get('hash-chain')))
      throw new AoError('equivocation', `This node knows another message at slot ${slot}.`, { status: 409 });
  for (const assignment of assignments) {
    const body = assignment.get('body');
    if (body instanceof Message) await context.cache.write(body);
  }
  const head = await Schedules.of(context).head(process, context);
  if (!head?.own) await Schedules.of(context).import(process, assignments, context);
}

/** Programs from the file: each has to have an ID that the definition names, whatever it says of itself. */
async function takeModules(item: Evidence, definition: Message, context: Context): Promise<void> {
  for (const id of moduleIds(definition))
    for (const value of (item.modules ?? []).map(valueOf)) {
      const found = await withId(value, id);
      if (found !== undefined) await context.cache.write(found);
    }
  await ensureModules(definition, [], context);
}
