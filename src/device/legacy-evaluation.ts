/**
 * Evaluating legacynet processes in this node's own engine (process.md §3.6, §6.2): what a compute unit does for
 * a message, without one. An evaluation that answers an error leaves memory as it was and is a result like any
 * other.
 *
 * While a schedule is worked off, messages are handed to the machine several at a time: it runs ahead, and the
 * results are taken up slot by slot.
 */
import { AoError } from '../base/errors.ts';
import { parseJson, writeJson } from '../codec/json-text.ts';
import type { Evaluation, EvaluateOptions } from '../engine/engine.ts';
import { Message } from '../message/message.ts';
import { Atom, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { AssignmentFeed } from './assignment-feed.ts';
import { callDevice } from './direct.ts';
import { withDivergence } from './divergence.ts';
import { numberedOutbox, resultsOf } from './json-struct.ts';
import { legacyEnvironmentJson, legacyMessageJson, momentOf } from './legacy-json.ts';
import { signedId } from './message-id.ts';
import { integerOf, readKey, textOf } from './values.ts';
import { instanceOf } from './wasm-instance.ts';
import { imageOf } from './wasm-start.ts';

/** Messages that the machine may run ahead, and characters of their texts together. */
const AHEAD = 24;
const AHEAD_CHARACTERS = 1 << 20;
const OPTIONS: EvaluateOptions = { onError: 'restore', replyErrorIsFailure: true };
const PATCH_REQUEST = Message.of({ path: 'compute', 'patch-from': '/results/outbox' });

/** Evaluations that are done already, by slot. */
type Done = Map<number, Evaluation>;
const DONE = 'evaluated-ahead';

/** True for a state whose machine is a legacynet evaluation. */
export function isLegacy(state: Message): boolean {
  return state.private.legacy === true;
}

export function asLegacy(state: Message): Message {
  return state.withPrivate({ legacy: true, [DONE]: new Map() satisfies Done });
}

/** True while the machine has run messages that the state has not taken up: its memory is not this state's. */
export function isAhead(state: Message): boolean {
  return ((state.private[DONE] as Done | undefined)?.size ?? 0) > 0;
}

/** The state after a message that the module has to evaluate. */
export async function evaluateLegacy(base: Message, assignment: Message, context: Context): Promise<Message> {
  const slot = integerOf(assignment.get('slot')) ?? 0;
  const done = base.private[DONE] as Done | undefined;
  const known = done?.get(slot);
  if (known) {
    done!.delete(slot);
    return stateAfter(base, known, context);
  }
  const instance = instanceOf(base);
  if (!instance)
    throw new AoError('engine-closed', 'The machine of this process is not running.', { status: 503 });
  const feed = base.private.feed as AssignmentFeed | undefined;
  const batch = done && feed ? [assignment, ...(await ahead(feed, slot))] : [assignment];
  const process = await definition(base, context);
  const environment = await environmentOf(base, process, context);
  const id = await signedId(process, context);
  const messages: { message: string; environment: string }[] = [];
  let characters = 0;
  for (const one of batch) {
    const message = await messageOf(one, id, context);
    characters += message.length;
    if (messages.length && characters > AHEAD_CHARACTERS) break;
    messages.push({ message, environment });
  }
  if (messages.length === 1)
    return stateAfter(
      base,
      await instance.engine.evaluate(messages[0]!.message, environment, OPTIONS),
      context,
    );
  const [first, ...rest] = await evaluateSeveral(instance.engine, messages);
  rest.forEach((evaluation, index) => done!.set(slot + 1 + index, evaluation));
  return stateAfter(base, first!, context);
}

type Engine = NonNullable<ReturnType<typeof instanceOf>>['engine'];

async function evaluateSeveral(
  engine: Engine,
  messages: readonly { message: string; environment: string }[],
): Promise<Evaluation[]> {
  try {
    return await engine.evaluateAll(messages, OPTIONS);
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    // Which of them did not end can not be told: they are to be run again one by one.
    if (error.code === 'runaway')
      throw new AoError('runaway-in-batch', error.message, { status: error.status, cause: thrown });
    throw thrown;
  }
}

async function ahead(feed: AssignmentFeed, slot: number): Promise<Message[]> {
  const out: Message[] = [];
  for (const fed of feed.ahead()) {
    if (fed.slot !== slot + 1 + out.length || out.length >= AHEAD - 1) break;
    // Only what will be evaluated the same way: another path runs something else.
    if ((textOf(fed.assignment.get('path')) ?? 'compute') !== 'compute') break;
    out.push(fed.assignment);
  }
  return out;
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

async function messageOf(assignment: Message, process: string, context: Context): Promise<string> {
  let body = assignment.get('body');
  if (body instanceof Link) body = await context.cache.load(body);
  if (!(body instanceof Message))
    throw new AoError('bad-request', 'The assignment carries no message.', { status: 400 });
  return legacyMessageJson(body, process, momentOf(assignment), context);
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
    parsed = parseJson(evaluation.reply);
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

/** A dry run: the request itself as the message, on a machine that is thrown away. Answers the results. */
export async function dryRun(base: Message, request: Message, context: Context): Promise<Message> {
  const instance = instanceOf(base);
  if (!instance) throw new AoError('engine-closed', 'There is no machine to run this on.', { status: 503 });
  const process = await definition(base, context);
  const environment = await environmentOf(base, process, context);
  const moment = momentOf(
    Message.of({ slot: base.get('at-slot') ?? 0n, timestamp: BigInt(context.clock.now()) }),
  );
  const message = await legacyMessageJson(request, await signedId(process, context), moment, context, true);
  const evaluation = await instance.engine.evaluate(message, environment, OPTIONS);
  return (await stateAfter(base, evaluation, context)).message('results') ?? Message.empty;
}
