/** Checks evidence from the file alone: the statements are signed by whom it says, and they can not both be honest. */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { difference } from './compare.ts';
import { responseOf, type Evidence, type Statement } from './evidence.ts';
import { auditAssignment, auditDefinition } from './native-audit.ts';
import { decodeAnswer, type Answer } from './peer.ts';
import { ensureModules, stateAt } from './replay.ts';
import { signedBy } from './signed.ts';
import { assignmentsOf, withAssignedBodies } from '../device/remote-schedule.ts';

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
  const found = difference(first.value, second.value);
  findings.push(
    found
      ? `They differ at ${found.path || 'the value'}: ${found.said} and ${found.right}.`
      : 'The two answers are the same.',
  );
  return found !== undefined;
}

const path = (url: string) => url.replace(/^https?:\/\/[^/]+/, '');

async function doubleAssignment(item: Evidence, findings: string[]): Promise<boolean> {
  const found: { by: string; id: string }[] = [];
  for (const one of item.statements) {
    for (const assignment of assignmentsOf(decodeAnswer(responseOf(one)).message)) {
      if (
        integerOf(assignment.get('slot')) !== item.slot ||
        textOf(assignment.get('process')) !== item.process
      )
        continue;
      const { by } = await signedBy({
        target: one.url,
        response: responseOf(one),
        message: assignment,
        value: assignment,
      });
      const body = assignment.get('body');
      if (by[0] && body instanceof Message) found.push({ by: by[0], id: messageId(body, 'signed') });
    }
  }
  const pair = found.find((one) => found.some((other) => other.by === one.by && other.id !== one.id));
  findings.push(
    pair
      ? `${pair.by} assigned two messages to slot ${item.slot}.`
      : 'The file does not hold two assignments of one scheduler for that slot.',
  );
  return pair !== undefined;
}

/** Every assignment was signed by the rightful scheduler, and still the schedule breaks a rule that it answers for. */
async function badSchedule(item: Evidence, findings: string[]): Promise<boolean> {
  const assignments = item.statements.flatMap((one) => assignmentsOf(decodeAnswer(responseOf(one)).message));
  const first = assignments[0]?.get('body');
  if (!(first instanceof Message)) return false;
  let state = await auditDefinition(item.process, first);
  for (const assignment of withAssignedBodies(assignments))
    try {
      state = (await auditAssignment(state, assignment)).state;
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      findings.push(error.message);
      // Without the scheduler's own signature it is the node that shows it, not the scheduler, that is at fault.
      return ['audit-chain', 'audit-slot', 'audit-wrong-process'].includes(error.code);
    }
  findings.push('The schedule passes the audit.');
  return false;
}

async function wrongAnswer(item: Evidence, findings: string[], context: Context): Promise<boolean> {
  const [claim, ...schedule] = item.statements;
  const answer = claim && (await readSigned(claim, findings));
  if (!answer) return false;
  const slot = Number(/compute(?:=|&slot=)(\d+)/.exec(path(claim.url))?.[1] ?? NaN);
  if (slot !== item.slot) {
    findings.push('The answer is not about the slot that the file names.');
    return false;
  }
  const pages = schedule.map((one) => decodeAnswer(responseOf(one)).message);
  const assignments = pages.flatMap(assignmentsOf);
  const definition = assignments[0]?.get('body') ?? (await context.cache.read(item.process));
  if (!(definition instanceof Message)) {
    findings.push(
      'The file holds no schedule, and this node does not know the process: the answer can not be computed.',
    );
    return false;
  }
  await ensureModules(definition, [], context);
  const ours = await stateAt(definition, slot, context);
  if (!ours.state) {
    findings.push(ours.failure?.text ?? 'The slot can not be computed here.');
    return false;
  }
  const right = item.path === '' ? ours.state : await context.get(item.path, ours.state);
  const said = item.path === '' ? answer.message : await context.get(item.path, answer.message);
  const found = difference(said, right);
  findings.push(
    found
      ? `The node said ${found.said}; right is ${found.right}.`
      : 'What the node said is what follows from the schedule.',
  );
  return found !== undefined;
}
