/**
 * Evaluating legacynet processes in this node's own engine (process.md §3.6, §6.2): what a compute unit does for
 * a message, without one. An evaluation that answers an error leaves memory as it was and is a result like any
 * other.
 *
 * While a schedule is worked off, the machine runs ahead of the state (`run-ahead.ts`).
 */
import { AoError } from '../base/errors.ts';
import { parseJson, writeJson } from '../codec/json-text.ts';
import type { Evaluation, EvaluateOptions } from '../engine/engine.ts';
import { Message } from '../message/message.ts';
import { Atom, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { callDevice } from './direct.ts';
import { withDivergence } from './divergence.ts';
import { headerCase, numberedOutbox, resultsOf } from './json-struct.ts';
import {
  legacyEnvironmentJson,
  legacyMessageJson,
  momentOf,
  momentOfBirth,
  type Moment,
} from './legacy-json.ts';
import { signaturesOf, signedId } from './message-id.ts';
import { aheadOf, type CallOf } from './run-ahead.ts';
import { Schedules } from './schedules.ts';
import { integerOf, itemsOf, readKey, textOf } from './values.ts';
import { instanceOf } from './wasm-instance.ts';
import { imageOf } from './wasm-start.ts';

const OPTIONS: EvaluateOptions = { onError: 'restore', replyErrorIsFailure: true };
const DRY_RUN: EvaluateOptions = { ...OPTIONS, discard: true };
const PATCH_REQUEST = Message.of({ path: 'compute', 'patch-from': '/results/outbox' });

/** True for a state whose machine is a legacynet evaluation. */
export function isLegacy(state: Message): boolean {
  return state.private.legacy === true;
}

export function asLegacy(state: Message): Message {
  return state.withPrivate({ legacy: true });
}

/** The state after a message that the module has to evaluate. */
export async function evaluateLegacy(base: Message, assignment: Message, context: Context): Promise<Message> {
  const slot = integerOf(assignment.get('slot')) ?? 0;
  if (isPassedOver(assignment)) return stateAfter(base, NOTHING, context);
  const instance = instanceOf(base);
  if (!instance)
    throw new AoError('engine-closed', 'The machine of this process is not running.', { status: 503 });
  const process = await definition(base, context);
  const environment = await environmentOf(base, process, context);
  const id = await signedId(process, context);
  if (slot === 0 && assignment.has('process-timestamp')) {
    // Its scheduler gave the process itself no slot: memory begins with it all the same.
    const birth = await legacyMessageJson(process, id, momentOfBirth(assignment), context);
    await instance.engine.evaluate(birth, environment, OPTIONS);
  }
  const message = await messageOf(assignment, id, context);
  const { engine } = instance;
  const ahead = aheadOf(base);
  if (!ahead) return stateAfter(base, await engine.evaluate(message, environment, OPTIONS), context);
  const callOf: CallOf = async (fed) => {
    // Only what will be evaluated the same way: another path runs something else.
    if ((textOf(fed.assignment.get('path')) ?? 'compute') !== 'compute') return undefined;
    if (isPassedOver(fed.assignment)) return undefined;
    return { slot: fed.slot, environment, message: await messageOf(fed.assignment, id, context) };
  };
  const evaluation = await ahead.evaluate(engine, { slot, message, environment }, callOf, OPTIONS);
  return stateAfter(base, evaluation, context);
}

/** The result of a message that is not evaluated. */
const NOTHING: Evaluation = {
  ok: true,
  reply: '{"ok":true,"response":{}}',
  output: '',
  pointers: { message: '', environment: '', reply: '' },
};

/** A message that was pushed or assigned before: compute units of legacynet pass over it the second time. */
function isPassedOver(assignment: Message): boolean {
  return textOf(assignment.get('skip')) === 'true';
}

async function definition(base: Message, context: Context): Promise<Message> {
  const process = await readKey(base, 'process', context);
  if (process instanceof Message) return process;
  throw new AoError('not-a-process', 'A legacynet evaluation needs a process.', { status: 400 });
}

const modules = new WeakMap<Message, Message | undefined>();

async function environmentOf(base: Message, process: Message, context: Context): Promise<string> {
  if (!modules.has(process)) modules.set(process, (await imageOf(base, context)).message);
  return legacyEnvironmentJson(process, modules.get(process), context);
}

/** Texts that were made before their turn came, by the body of the assignment, for one process. */
const prepared = new WeakMap<Message, { readonly process: string; readonly text: string }>();

async function messageOf(assignment: Message, process: string, context: Context): Promise<string> {
  let body = assignment.get('body');
  if (body instanceof Link) body = await context.cache.load(body);
  if (!(body instanceof Message))
    throw new AoError('bad-request', 'The assignment carries no message.', { status: 400 });
  const known = prepared.get(body);
  if (known?.process === process) return known.text;
  const text = await legacyMessageJson(body, process, momentOf(assignment), context);
  prepared.set(body, { process, text });
  return text;
}

/** The results of an evaluation laid into the state, patches applied. */
async function stateAfter(base: Message, evaluation: Evaluation, context: Context): Promise<Message> {
  const { response, failed } = responseOf(evaluation);
  const { data, outbox, patches } = resultsOf(response);
  const results = Message.from([
    ['data', data],
    ['outbox', numberedOutbox(outbox)],
    ['patches', patches],
    ['json', Message.of({ 'content-type': 'application/json', body: replyText(evaluation, response) })],
    ['raw', response],
  ]);
  const marks: Record<string, unknown> = {};
  if (evaluation.output) marks.printed = evaluation.output;
  if (failed) marks.failed = true;
  const next = withDivergence(
    base.with({ results }).withPrivate(marks),
    ...((evaluation.ok && evaluation.divergence) || []),
  );
  if (outbox.length === 0) return next;
  const patched = await callDevice('patch@1.0', 'compute', next, PATCH_REQUEST, context);
  return patched.status === 'ok' && patched.value instanceof Message ? patched.value : next;
}

const EMPTY_LISTS: [string, Value][] = [
  ['Messages', []],
  ['Assignments', []],
  ['Spawns', []],
];

/** What a compute unit would answer: the program's response with its defaults, or an error alone. */
function responseOf(evaluation: Evaluation): { response: Message; failed: boolean } {
  if (!evaluation.ok) return { response: failure(evaluation.error), failed: true };
  let parsed: Value;
  try {
    parsed = parseJson(evaluation.reply, { integers: 'unbounded' });
  } catch {
    return { response: failure('The module answered with something that is not JSON.'), failed: true };
  }
  const reply = parsed instanceof Message ? parsed : Message.empty;
  const response = reply.get('response');
  if (!Atom.true.is(reply.get('ok')) || !(response instanceof Message))
    return {
      response: failure(response ?? reply.get('error') ?? 'The module refused the message.'),
      failed: true,
    };
  const error = response.get('Error');
  if (isTruthy(error)) return { response: failure(error!), failed: true };
  const missing: [string, Value][] = EMPTY_LISTS.filter(([key]) => !response.has(key));
  if (!response.has('Output')) missing.push(['Output', '']);
  return { response: missing.length ? response.with(missing) : response, failed: false };
}

function failure(error: Value): Message {
  return Message.from([['Error', error], ...EMPTY_LISTS, ['Output', '']]);
}

/** By JavaScript's rule, as the compute unit asks: an empty text, 0 and null are no errors. */
function isTruthy(value: Value | undefined): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n) return false;
  return !(value instanceof Atom && (value.name === 'false' || value.name === 'null'));
}

/** The reply as the unit would send it; the module's own text where nothing was added. */
function replyText(evaluation: Evaluation, response: Message): string {
  if (evaluation.ok) {
    const { reply } = evaluation;
    const front = '{"ok":true,"response":';
    const back = ',"ok":true}';
    const untouched = response.size > 0 && !EMPTY_LISTS.some(([key, value]) => response.get(key) === value);
    if (untouched && reply.startsWith(front)) return reply.slice(front.length, -1);
    if (untouched && reply.startsWith('{"response":') && reply.endsWith(back))
      return reply.slice('{"response":'.length, -back.length);
  }
  return writeJson(response);
}

/** The state after a message that could not be evaluated to its end. */
export async function failedState(base: Message, error: string, context: Context): Promise<Message> {
  return stateAfter(base, { ok: false, reason: 'abort', error, output: '' }, context);
}

/** A dry run: the request itself as the message; the machine stays as it was. Answers the results. */
export async function dryRun(base: Message, request: Message, context: Context): Promise<Message> {
  const id = await signedId(await definition(base, context), context);
  const moment = await momentOfDryRun(base, id, context);
  return dryRunText(base, await legacyMessageJson(asDryRun(request), id, moment, context, true), context);
}

/** The same with the message as the text that the program gets. */
export async function dryRunText(base: Message, message: string, context: Context): Promise<Message> {
  const instance = instanceOf(base);
  if (!instance) throw new AoError('engine-closed', 'There is no machine to run this on.', { status: 503 });
  const environment = await environmentOf(base, await definition(base, context), context);
  const evaluation = await instance.engine.evaluate(message, environment, DRY_RUN);
  return (await stateAfter(base, evaluation, context)).message('results') ?? Message.empty;
}

/** A dry run happens at the moment of the last evaluation (process.md §6.2). */
export async function momentOfDryRun(base: Message, process: string, context: Context): Promise<Moment> {
  const slot = integerOf(base.get('at-slot')) ?? -1;
  const [last] = slot < 0 ? [] : await Schedules.of(context).read(process, slot, slot, context);
  return momentOf(last?.assignment ?? Message.of({ slot: 0n, timestamp: BigInt(context.clock.now()) }));
}

/** Keys of a request that are the transport's, not the program's. */
const NOT_IN_MESSAGE = [
  'path',
  'method',
  'accept',
  'accept-bundle',
  'accept-codec',
  'require-codec',
  'codec-device',
  'signing-format',
];

/**
 * The request as a message: what its signature covers, and the keys of its path over that (`compute&Action=Info`), as
 * aoconnect sends a dry run.
 */
function asDryRun(request: Message): Message {
  const bare = request.without(...NOT_IN_MESSAGE);
  const covered = new Set(
    signaturesOf(request).flatMap(({ commitment }) =>
      (itemsOf(commitment.get('committed')) ?? []).map((key) => (textOf(key) ?? '').toLowerCase()),
    ),
  );
  const added = [...bare].filter(([key]) => key !== 'commitments' && !covered.has(key.toLowerCase()));
  if (covered.size === 0 || added.length === 0) return bare;
  const commitments = request.message('commitments');
  if (!commitments) return bare;
  // Where tags are listed as they were written, those of the path join the list.
  const extended = Message.from(
    [...commitments].map(([id, commitment]) => [id, withTags(commitment, added)] as const),
  );
  return bare.with({ commitments: extended });
}

function withTags(commitment: Value, added: readonly (readonly [string, Value])[]): Value {
  if (!(commitment instanceof Message)) return commitment;
  const original = itemsOf(commitment.get('original-tags'));
  if (!original) return commitment;
  const names = new Set(added.map(([key]) => key.toLowerCase()));
  const kept = original.filter(
    (tag) => tag instanceof Message && !names.has((textOf(tag.get('name')) ?? '').toLowerCase()),
  );
  const tags = added.map(([key, value]) => Message.of({ name: headerCase(key), value: textOf(value) ?? '' }));
  return commitment.with({ 'original-tags': [...kept, ...tags] });
}
