/** Checks evidence from the file alone: the statements are signed by whom it says, and they cannot both be honest. */
import type { ChainInput } from '../attestation/chain.ts';
import { isSnpCode } from '../attestation/error.ts';
import { AMD_ROOTS, type Pins } from '../attestation/pins.ts';
import { reportBytes } from '../attestation/report-json.ts';
import { parseReport } from '../attestation/report.ts';
import { judgeReport } from '../attestation/verify-report.ts';
import { equalBytes, fromBase64, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { committedKeys, committerOf, uncommitted } from '../commitment/commitment.ts';
import { contentId } from '../commitment/id.ts';
import { checkMessage } from '../commitment/verify.ts';
import { assignmentsOf, withAssignedBodies } from '../device/remote-schedule.ts';
import { Processes } from '../device/processes.ts';
import { Schedules } from '../device/schedules.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { comparable, difference, stateDifference, valueDifference, type Difference } from './compare.ts';
import {
  against,
  responseOf,
  valueOf,
  type Evidence,
  type EvidenceKind,
  type Statement,
} from './evidence.ts';
import { askedResult, checkTwoAssignments, checkWrongResult, holdsItems } from './legacy-evidence.ts';
import { auditAssignment, auditDefinition } from './native-audit.ts';
import { decodeAnswer, withId, type Answer } from './peer.ts';
import { ensureModules, moduleIds, stateAt } from './replay.ts';
import { apart } from './scratch.ts';
import { signedBy } from './signed.ts';
import { withoutEnvelope } from './transport-fields.ts';

export interface Verdict {
  readonly proves: boolean;
  readonly kind: string;
  readonly findings: string[];
  /** Whom it holds to it. */
  readonly against: 'signer' | 'nobody';
}

export interface CheckOptions {
  /** Roots that attestations end in; default AMD's. */
  readonly pins?: Pins;
}

/** `context`: a node that computes what an answer is held against; nothing of its network is used. */
export async function checkEvidence(
  item: Evidence,
  context: Context,
  options: CheckOptions = {},
): Promise<Verdict> {
  const findings: string[] = [];
  const check: Record<EvidenceKind, () => Promise<boolean>> = {
    'double-assignment': () => doubleAssignment(item, findings),
    'double-answer': () => twoAnswers(item, findings, true),
    disagreement: () => twoAnswers(item, findings, false),
    'wrong-answer': () => wrongAnswer(item, findings, context),
    'unsigned-answer': () => wrongAnswer(item, findings, context),
    'bad-schedule': () => badSchedule(item, findings),
    'head-regress': () => isHeadRegress(item, findings),
    'bad-attestation': () => badAttestation(item, findings, options),
  };
  let proves = false;
  try {
    proves = await check[item.kind]();
  } catch (thrown) {
    findings.push(AoError.wrap(thrown).message);
  }
  if (findings.length === 0) findings.push('The file does not hold the statements that it takes.');
  return { proves, kind: item.kind, findings, against: against(item.kind) };
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

/** @param one whether one key has to have signed both, or two different ones */
async function twoAnswers(item: Evidence, findings: string[], one: boolean): Promise<boolean> {
  const [a, b] = item.statements;
  if (!a || !b) return false;
  if (path(a.url) !== path(b.url) || !isAbout(item, path(a.url))) {
    findings.push('The two answers are not about the process, slot and path that the file names.');
    return false;
  }
  const first = await readSigned(a, findings);
  const second = await readSigned(b, findings);
  if (!first || !second) return false;
  if (first.by.some((address) => second.by.includes(address)) !== one) {
    findings.push(one ? 'Two different keys signed the answers.' : 'One key signed both answers.');
    return false;
  }
  const found = difference(withoutEnvelope(first.value), withoutEnvelope(second.value));
  findings.push(
    found
      ? `They differ at ${found.path || 'the value'}: ${found.said} and ${found.right}.`
      : 'The two answers are the same.',
  );
  // What was asked is no part of what is signed: whose word the addresses are has to be said.
  findings.push('That both answer the question that stands beside them is the word of who kept them.');
  return found !== undefined;
}

/** The process, slot and path of a URL are those that the file names. */
function isAbout(item: Evidence, target: string): boolean {
  const asked = /^\/([A-Za-z0-9_-]{43})~process@1\.0\/compute(?:=|&slot=)(\d+)(?:\/(.*))?$/.exec(target);
  return asked?.[1] === item.process && Number(asked[2]) === item.slot;
}

/** What a node says of its newest slot, if it signed all of that: process, slot and time. */
export async function signedHead(
  answer: Answer,
): Promise<{ process: string; current: number; timestamp: number; by: readonly string[] } | undefined> {
  const { by } = await signedBy(answer);
  const process = textOf(answer.message.get('process'));
  const current = integerOf(answer.message.get('current'));
  const timestamp = integerOf(answer.message.get('timestamp'));
  if (by.length === 0 || process === undefined || current === undefined || timestamp === undefined)
    return undefined;
  return { process, current, timestamp, by };
}

/** One key spoke of a slot, and later, by the time that it signed, of an earlier one as the newest. */
export async function isHeadRegress(item: Evidence, findings: string[] = []): Promise<boolean> {
  const [a, b] = item.statements;
  const first = a && (await readSigned(a, findings));
  const second = b && (await readSigned(b, findings));
  const before = first && (await signedHead(first));
  const after = second && (await signedHead(second));
  if (!before || !after) {
    findings.push('The two statements are not signed statements of a newest slot.');
    return false;
  }
  const same = before.by.some((address) => after.by.includes(address));
  const about = before.process === item.process && after.process === item.process;
  const back = after.timestamp > before.timestamp && after.current < before.current;
  findings.push(
    `Slot ${before.current} at ${before.timestamp}, slot ${after.current} at ${after.timestamp}, by ${same ? 'one key' : 'two keys'}.`,
  );
  return same && about && back && before.current === item.slot;
}

/** What in an attestation is wrong by itself: not the reader's trust, not certificates that could not be had. */
const NOT_OF_THE_REPORT = new Set([
  'SNP_NO_LEAF',
  'SNP_MEASUREMENT',
  'SNP_TCB_MIN',
  'SNP_PLATFORM',
  'SNP_HOST_DATA',
  'SNP_ID_KEY',
  'SNP_REVOKED',
  'SNP_CRL_STALE',
  'SNP_TIME',
  'SNP_PIN',
  'SNP_DER',
  'SNP_NAME',
  'SNP_CERT_ALG',
  'SNP_KEY_TYPE',
  'SNP_CA',
  'SNP_CHAIN_SIG',
  'SNP_EXT',
  'SNP_HWID',
  'SNP_TCB_CERT',
]);

/** True for a rule that a report breaks by itself; certificates may have come from anybody. */
export function isFaultOfReport(code: string): boolean {
  return isSnpCode(code) && !NOT_OF_THE_REPORT.has(code);
}

async function badAttestation(
  item: Evidence,
  findings: string[],
  { pins = AMD_ROOTS }: CheckOptions,
): Promise<boolean> {
  const [claim] = item.statements;
  const answer = claim && (await readSigned(claim, findings));
  if (!answer) return false;
  const [leaf, issuer, root] = (item.certificates ?? []).map((der) => fromBase64(der));
  const chain = leaf && issuer && root ? { leaf, issuer, root } : undefined;
  const code = await faultOf(answer, chain, pins, item.createdAt);
  findings.push(
    code === 'ok' ? 'The attestation breaks no rule.' : `The attestation breaks the rule ${code}.`,
  );
  if (code !== 'ok' && code !== item.context.code)
    findings.push(`The file says another rule: ${item.context.code ?? 'none'}.`);
  return code !== 'ok' && isFaultOfReport(code) && code === item.context.code;
}

/** The first rule that the report of an answer breaks; it has to be about one of those who signed the answer. */
async function faultOf(
  { message, by }: Answer & { readonly by: readonly string[] },
  chain: ChainInput | undefined,
  pins: Pins,
  now: number,
): Promise<string> {
  try {
    const text = textOf(message.get('report'));
    if (text === undefined) return 'SNP_JSON';
    const bytes = reportBytes(text);
    const { reportData, measurement } = parseReport(bytes);
    const mine = by.some((address) => equalBytes(fromBase64(address), reportData.subarray(0, 32)));
    if (!mine) return 'SNP_REPORT_DATA';
    const policy = { measurements: [toHex(measurement)], reportData: toHex(reportData) };
    return await judgeReport({ report: bytes, chain, pins, now, policy });
  } catch (thrown) {
    return AoError.wrap(thrown).code;
  }
}

const path = (url: string) => url.replace(/^https?:\/\/[^/]+/, '');

/** Every assignment of a file: those that were kept before, and those of the pages. */
function assignmentsIn(item: Evidence): Message[] {
  const kept = (item.schedule ?? []).map(valueOf).filter((value) => value instanceof Message);
  const shown = item.statements.flatMap((one) => assignmentsOf(decodeAnswer(responseOf(one)).message));
  return [...kept, ...shown];
}

async function doubleAssignment(item: Evidence, findings: string[]): Promise<boolean> {
  if (holdsItems(item)) return checkTwoAssignments(item, findings);
  const found: { by: string; content: string; chain: string }[] = [];
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
        ['slot', 'process', 'body', 'epoch', 'hash-chain'].every((key) => covered.includes(key))
      ) {
        const chain = `${textOf(assignment.get('epoch'))} ${textOf(assignment.get('hash-chain'))}`;
        found.push({ by, content: contentId(uncommitted(body)), chain });
      }
    }
  }
  const differing = (key: 'content' | 'chain') =>
    found.find((one) => found.some((other) => other.by === one.by && other[key] !== one[key]));
  const messages = differing('content');
  const chains = differing('chain');
  if (messages) findings.push(`${messages.by} assigned two messages to slot ${item.slot}.`);
  else if (chains) findings.push(`${chains.by} signed two hash chains for slot ${item.slot}.`);
  else findings.push('The file does not hold two assignments of one scheduler for that slot.');
  return messages !== undefined || chains !== undefined;
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

/** Signed for what holds its signer to it; unsigned for what shows only that it was said. */
async function readWrong(
  claim: Statement,
  kind: EvidenceKind,
  findings: string[],
): Promise<Answer | undefined> {
  if (kind === 'wrong-answer') return readSigned(claim, findings);
  const response = responseOf(claim);
  const answer: Answer = { target: claim.url, response, ...decodeAnswer(response) };
  if ((await signedBy(answer)).by.length > 0) {
    findings.push('The answer is signed, but the file says that it is not.');
    return undefined;
  }
  findings.push('Nobody signed the answer: the file shows that it is wrong, not who gave it.');
  return answer;
}

async function wrongAnswer(item: Evidence, findings: string[], context: Context): Promise<boolean> {
  const [claim] = item.statements;
  if (claim && item.kind === 'unsigned-answer' && askedResult(claim))
    return checkWrongResult(item, findings, context);
  const answer = claim && (await readWrong(claim, item.kind, findings));
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
  const beside = await apart(context);
  try {
    return await differsFrom(asked[3] ?? '', answer, item, assignments, audited.definition, findings, beside);
  } finally {
    await Processes.of(beside).get(item.process)?.stop();
  }
}

/** Computes the slot of a file from nothing but the file, and holds the answer against it. */
async function differsFrom(
  asked: string,
  answer: Answer,
  item: Evidence,
  assignments: readonly Message[],
  definition: Message,
  findings: string[],
  context: Context,
): Promise<boolean> {
  await takeSchedule(item.process, assignments, context);
  await takeModules(item, definition, context);
  const ours = await stateAt(definition, item.slot, context);
  if (!ours.state) {
    findings.push(
      `Computed here, the slot ends in a failure: ${ours.failure?.text ?? ''}; the node answered.`,
    );
    return ours.failure !== undefined;
  }
  const found = await differenceAt(asked, answer, ours.state, definition, context);
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

/** The audited schedule, to compute from. */
async function takeSchedule(
  process: string,
  assignments: readonly Message[],
  context: Context,
): Promise<void> {
  for (const assignment of assignments) {
    const body = assignment.get('body');
    if (body instanceof Message) await context.cache.write(body);
  }
  await Schedules.of(context).import(process, assignments, context);
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
