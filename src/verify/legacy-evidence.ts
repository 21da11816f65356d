/**
 * Evidence about legacynet (attestation.md §4.9): two assignments that one scheduler signed for one slot, and results of
 * compute units that do not follow from the schedule. Kept while a process is followed, checked from the file alone.
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { DataItem } from '../codec/ans104-item.ts';
import { verifyItem } from '../commitment/ans104-verify.ts';
import { itemOf as dataItemOf } from '../device/message-item.ts';
import { Processes } from '../device/processes.ts';
import { Schedules } from '../device/schedules.ts';
import { integerOf, textOf } from '../device/values.ts';
import { Message } from '../message/message.ts';
import type { Link } from '../message/value.ts';
import type { Context, HttpResponse } from '../resolver/context.ts';
import type { Difference } from './compare.ts';
import {
  evidence,
  itemOf,
  keepEvidence,
  responseOf,
  statement,
  type Evidence,
  type Item,
} from './evidence.ts';
import { auditKeptSlot, auditLegacyDefinition, CHAINED_FROM, type LegacyAudited } from './legacy-audit.ts';
import { messageOfItem, tagText } from './legacy-item.ts';
import { isRepeated, keptAssignment, keysOf, signedAssignment } from './legacy-kept.ts';
import { replyText, resultDifference } from './legacy-result.ts';
import { ensureModules, moduleIds, stateAt } from './replay.ts';
import { apart } from './scratch.ts';

const ITEM_TYPE = 'application/ans104';
/** Slots that evidence carries at most, and that are read at once. */
const MAX_SLOTS = 20_000;
const STRIDE = 500;
/** What stands beside an assignment without being signed. */
const MARKS = ['shown-data', 'process-timestamp', 'process-height'];

/**
 * Two assignments for one slot. Undefined where they say the same: then the scheduler signed one thing twice.
 * @returns ID of the evidence
 */
export async function keepTwoAssignments(
  process: string,
  slot: number,
  items: readonly [DataItem, DataItem],
  url: string,
  context: Context,
): Promise<string | undefined> {
  if (contentOf(items[0]) === contentOf(items[1])) return undefined;
  const now = context.clock.now();
  const statements = items.map((item) =>
    statement(url, { status: 200, headers: [['content-type', ITEM_TYPE]], body: item.toBytes() }, now),
  );
  return keepEvidence(
    evidence({ kind: 'double-assignment', createdAt: now, process, slot, path: '', statements }),
    context.store,
  );
}

/** What an assignment says. */
function contentOf(item: DataItem): string {
  return JSON.stringify(item.tags.map(({ name, value }) => [String(name), String(value)]));
}

/** True for a file whose statements are items of legacynet. */
export function holdsItems({ statements }: Evidence): boolean {
  return statements.every(isItem);
}

function isItem({ headers = [] }: Item): boolean {
  return headers.some(([name, value]) => name === 'content-type' && value === ITEM_TYPE);
}

/** One key has signed two different assignments for the slot of the process. */
export async function checkTwoAssignments(item: Evidence, findings: string[]): Promise<boolean> {
  const [a, b] = item.statements.map(({ body }) => DataItem.parse(fromBase64(body)));
  if (!a || !b) return false;
  for (const one of [a, b]) {
    const tag = (name: string) => tagText(one, name);
    const about =
      tag('Type') === 'Assignment' && tag('Process') === item.process && Number(tag('Nonce')) === item.slot;
    if (!about || !one.signed || !(await verifyItem(one))) {
      findings.push(`The file does not hold two signed assignments for slot ${item.slot} of the process.`);
      return false;
    }
  }
  const same = a.signer === b.signer && tagText(a, 'Epoch') === tagText(b, 'Epoch');
  if (!same) findings.push('Two different keys signed the assignments, or they are of different epochs.');
  else if (contentOf(a) === contentOf(b)) findings.push('Both assignments say the same.');
  else findings.push(`${a.signer} signed two different assignments for slot ${item.slot}.`);
  return same && contentOf(a) !== contentOf(b);
}

/**
 * What a compute unit answered for a message, and the schedule from which something else follows. Units sign nothing: it
 * shows what was said, and holds nobody to it.
 * @returns ID of the evidence; undefined for what is too large to keep
 */
export async function keepWrongResult(
  process: string,
  slot: number,
  answer: { readonly url: string; readonly response: HttpResponse },
  { path, said, right }: Difference,
  context: Context,
): Promise<string | undefined> {
  const definition = await Processes.of(context).definition(process, context);
  if (slot >= MAX_SLOTS || !definition) return undefined;
  const now = context.clock.now();
  return keepEvidence(
    evidence({
      kind: 'unsigned-answer',
      createdAt: now,
      process,
      slot,
      path,
      statements: [statement(answer.url, answer.response, now)],
      schedule: await scheduleItems(process, slot, context),
      modules: await programItems(definition, context),
      context: { said, right },
    }),
    context.store,
  );
}

/** Two items for each slot: its assignment, with what the scheduler did not sign as fields, and its message. */
async function scheduleItems(process: string, to: number, context: Context): Promise<Item[]> {
  const out: Item[] = [];
  for (let at = 0; at <= to; at += STRIDE)
    for (const { assignment } of await Schedules.of(context).read(
      process,
      at,
      Math.min(to, at + STRIDE - 1),
      context,
    )) {
      const marks = MARKS.flatMap((key): [string, string][] => {
        const value = assignment.get(key);
        return value === undefined ? [] : [[key, textOf(value) ?? String(integerOf(value))]];
      });
      const body = assignment.get('body');
      const message = body instanceof Message ? await dataItemOf(body, context) : undefined;
      out.push(asFile(await signedAssignment(assignment, context), marks));
      if (message) out.push(asFile(message));
    }
  return out;
}

/** The definition and what it runs. */
async function programItems(definition: Message, context: Context): Promise<Item[]> {
  const out: Item[] = [];
  const load = (link: Link) => context.cache.load(link);
  for (const value of [
    definition,
    ...(await Promise.all(moduleIds(definition).map((id) => context.cache.read(id)))),
  ]) {
    const item = value instanceof Message ? await dataItemOf(value, context) : undefined;
    if (item) out.push(asFile(item));
    else if (value !== undefined) out.push(await itemOf(await context.cache.loadAll(value), load));
  }
  return out;
}

function asFile(item: DataItem, marks: readonly [string, string][] = []): Item {
  return { headers: [['content-type', ITEM_TYPE], ...marks], body: toBase64Url(item.toBytes()) };
}

/** The data item that a file holds; undefined for something else. */
function fromFile(one: Item | undefined): DataItem | undefined {
  return one && isItem(one) ? DataItem.parse(fromBase64(one.body)) : undefined;
}

/** The message that the route of a compute unit is asked about; undefined for another route. */
export function askedResult({
  url,
}: {
  readonly url: string;
}): { process: string; message: string } | undefined {
  const [, message, query] = /\/result\/([\w-]{43})\?(.*)$/.exec(url) ?? [];
  const process = new URLSearchParams(query ?? '').get('process-id');
  return message !== undefined && process !== null ? { process, message } : undefined;
}

/** Audits the schedule in the file, computes it anew, and holds the answer against what comes out. */
export async function checkWrongResult(
  item: Evidence,
  findings: string[],
  context: Context,
): Promise<boolean> {
  const [claim] = item.statements;
  const asked = claim && askedResult(claim);
  if (!claim || asked?.process !== item.process) {
    findings.push('The answer is not about the process that the file names.');
    return false;
  }
  findings.push('Nobody signed the answer: the file shows that it is wrong, not who gave it.');
  const inside = await apart(context);
  const { definition, assignments, message } = await auditFile(item);
  findings.push(`The schedule was audited up to slot ${item.slot}.`);
  if (message !== asked.message) {
    findings.push('The answer is about another message than that of the slot.');
    return false;
  }
  if (assignments.some((one) => one.has('shown-data')))
    findings.push('Which messages the scheduler shows without their data is as the file says.');
  await inside.cache.write(definition);
  await Schedules.of(inside).import(item.process, assignments, inside);
  for (const one of item.modules ?? []) {
    const program = fromFile(one);
    if (program) await inside.cache.write(messageOfItem(await verified(program, 'a program')));
  }
  await ensureModules(definition, [], inside);
  const ours = await stateAt(definition.with({ device: 'process@1.0' }), item.slot, inside);
  const right = ours.state && (await replyText(ours.state, inside));
  if (right === undefined) {
    findings.push(`Computed here, the slot ends in a failure: ${ours.failure?.text ?? ''}.`);
    return false;
  }
  const said = new TextDecoder().decode(responseOf(claim).body);
  const found = resultDifference(JSON.parse(said), JSON.parse(right));
  findings.push(
    found
      ? `At ${found.path || 'the result'} the unit said ${found.said}; right is ${found.right}.`
      : 'What the unit said is what follows from the schedule.',
  );
  return found !== undefined;
}

interface FileSchedule {
  readonly definition: Message;
  readonly assignments: readonly Message[];
  /** ID of the message in the last slot. */
  readonly message: string;
}

/** @throws AoError `bad-evidence` (422) */
async function verified(item: DataItem | undefined, what: string): Promise<DataItem> {
  if (item?.signed && (await verifyItem(item))) return item;
  throw bad(`holds ${what} whose signature does not hold`);
}

function bad(what: string): AoError {
  return new AoError('bad-evidence', `The file ${what}.`, { status: 422 });
}

/** @throws AoError `audit-…` (422), `bad-evidence` (422) */
async function auditFile(item: Evidence): Promise<FileSchedule> {
  const { schedule = [] } = item;
  if (schedule.length !== 2 * (item.slot + 1)) throw bad('does not hold the schedule up to that slot');
  const defined = (item.modules ?? []).map(fromFile).find((one) => one?.idText === item.process);
  if (!defined) throw bad('does not hold the definition of the process');
  const definition = await verified(defined, 'a definition');
  const first = fromFile(schedule[0]);
  // A process is no younger than its first assignment.
  const height = Number(first && tagText(first, 'Block-Height'));
  let state = auditLegacyDefinition(item.process, definition, height < CHAINED_FROM ? height : undefined);
  const seen = new Map<string, number>();
  const assignments: Message[] = [];
  let message = '';
  for (let slot = 0; slot <= item.slot; slot++) {
    const shown = schedule[2 * slot]!;
    const marks = new Map(shown.headers ?? []);
    const body = await verified(fromFile(schedule[2 * slot + 1]), 'a message');
    const foreign = toBase64Url(body.target) !== item.process && body.idText !== item.process;
    const { state: next, audited } = await auditKeptSlot(state, {
      assignment: await verified(fromFile(shown), 'an assignment'),
      message: body,
      foreign,
      dataless: marks.get('shown-data') === 'null',
    });
    state = next;
    assignments.push(keptAgain(audited, marks, seen));
    message = body.idText;
  }
  return { definition: messageOfItem(definition), assignments, message };
}

/** With the marks that follow from the schedule; when the process was made, nobody has signed. */
function keptAgain(
  audited: LegacyAudited,
  marks: ReadonlyMap<string, string>,
  seen: Map<string, number>,
): Message {
  const { id, content } = keysOf(audited);
  const skip = isRepeated(audited, (key) => seen.get(key));
  for (const key of content === undefined ? [id] : [id, content])
    if (!seen.has(key)) seen.set(key, audited.slot);
  const [timestamp, height] = [marks.get('process-timestamp'), marks.get('process-height')].map(Number);
  const birth = marks.has('process-timestamp') ? { timestamp: timestamp!, height: height || 0 } : undefined;
  return keptAssignment(audited, skip, birth);
}
