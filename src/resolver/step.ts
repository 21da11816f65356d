/** One step, `Base(Req) -> Res`, stage by stage (resolver.md §2.2). */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { As, Atom, Subpath, type Value } from '../message/value.ts';
import { cacheSettings } from './cache-control.ts';
import { findFunction, type Found } from './device-lookup.ts';
import { isResult, type Result } from './device.ts';
import { forceMessage } from './force-message.ts';
import { hashpath as hashpathOfPair, requestReference } from '../commitment/hashpath.ts';
import { runHook } from './hooks.ts';
import type { NodeContext } from './node-context.ts';
import { normalise } from './normalise.ts';
import { isId, partText, pathParts } from './path.ts';
import { resolveMany } from './resolver.ts';
import { MAX_DEPTH } from './settings.ts';

const NOT_FOUND: Result = { status: 'error', value: Atom.notFound };

export async function step(rawBase: Value, rawRequest: Value, context: NodeContext): Promise<Result> {
  if (context.settings.depth > MAX_DEPTH)
    return {
      status: 'error',
      value: Message.of({ status: 508n, body: 'Request creates infinite recursion.' }),
    };
  const normalised = await normalise(rawBase, rawRequest, context);
  if ('done' in normalised) return normalised.done;
  const { request } = normalised;
  let { base } = normalised;
  let baseId: string | undefined;
  if (isId(base)) {
    const found = await readBase(base, request, context);
    if ('done' in found) return found.done;
    baseId = found.id;
    base = found.base;
  }
  if (!(base instanceof Message)) return NOT_FOUND;
  return walk({ base, request, baseId, key: keyOf(request), context });
}

interface Step {
  readonly base: Message;
  readonly request: Message;
  /** The ID by which the base was asked for, where it was. */
  readonly baseId: string | undefined;
  readonly key: string;
  readonly context: NodeContext;
}

function keyOf(request: Message): string {
  const [first] = pathParts(request.get('path')) ?? [];
  if (first === undefined) throw new AoError('no-path', 'A request needs a path.', { status: 500 });
  return partText(first);
}

type ReadBase = { readonly done: Result } | { readonly base: Value; readonly id: string };

/** Stage 2: a bare ID as base is read from the store, if the cache settings let it. */
async function readBase(base: Value, request: Message, context: NodeContext): Promise<ReadBase> {
  const id = typeof base === 'string' ? base : '';
  const { lookup, onlyIfCached } = cacheSettings({ request, options: context.cacheControl() });
  if (!lookup) return { done: NOT_FOUND };
  const value = id === '' ? undefined : await context.cache.read(id);
  if (onlyIfCached && !(value !== undefined && (await context.readResult(id, request))))
    return { done: { status: 'error', value: MISS } };
  if (value === undefined) return { done: { status: 'error', value: NECESSARY } };
  return { base: Array.isArray(value) ? forceMessage({ status: 'ok', value }).value : value, id };
}

const MISS = Message.of({
  status: 504n,
  'cache-status': 'miss',
  body: 'Computed result not available in cache.',
});
const NECESSARY = Message.of({ status: 404n, body: 'Necessary messages not found in cache.' });

/** Stages 4 to 11: device, execution, hook, sub-resolution, hashpath, result index. */
async function walk(step: Step): Promise<Result> {
  const { base, key, context } = step;
  const started = context.settings.trace ? performanceNow() : 0;
  const found = await findFunction(base, key, context, context.registry);
  const kept = await keptResult(step, found);
  const { result, shared } = kept
    ? { result: kept, shared: true }
    : await grouped(step, found, (inner) => execute(step, found, inner));
  context.settings.trace?.({
    device: found.device.name,
    key,
    cached: shared,
    took: performanceNow() - started,
    status: result.status,
    ...(result.value instanceof Message && result.value.private.hashpath
      ? { hashpath: result.value.private.hashpath }
      : {}),
  });
  return result;
}

const performanceNow = () => performance.now();

/** A result that was stored earlier for this base and request. */
async function keptResult(
  { base, request, baseId, key, context }: Step,
  found: Found,
): Promise<Result | undefined> {
  if (baseId === undefined || !isPure(found, key)) return undefined;
  const { lookup } = cacheSettings({ request, base, options: context.cacheControl() });
  const value = lookup ? await context.readResult(baseId, request) : undefined;
  return value === undefined ? undefined : { status: 'ok', value };
}

function isPure({ info }: Found, key: string): boolean {
  return info.pure === true || (Array.isArray(info.pure) && info.pure.includes(key));
}

async function grouped(
  { base, request, context }: Step,
  { info }: Found,
  run: (inner: NodeContext) => Promise<Result>,
): Promise<{ result: Result; shared: boolean }> {
  const mode = context.option('await-inprogress');
  const wait = mode instanceof Atom ? mode.name : 'named';
  let group: string | undefined;
  if (wait !== 'false' && info.grouper) group = await info.grouper(base, request, context);
  else if (wait === 'true') group = `pair:${hashpathOfPair(encodable(base), encodable(request))}`;
  if (group === undefined) return { result: await run(context), shared: false };
  const reference = requestReference(encodable(request));
  return context.flights.run(group, reference, context.settings.ancestors, (name) =>
    run(context.withSettings({ ancestors: [...context.settings.ancestors, name] })),
  );
}

async function execute(step: Step, found: Found, context: NodeContext): Promise<Result> {
  const { base, request, key, baseId } = step;
  const answer = await found.run(base, request, context.inside());
  let result: Result = isResult(answer) ? answer : { status: 'ok', value: answer };
  if (context.settings.forceMessage) result = forceMessage(result);
  result = await stepHook(step, result, context);
  if (result.status === 'ok' && result.value instanceof Subpath)
    result = await resolveMany(result.value.sequence, context);
  result = await link(base, request, result, context);
  if (result.status === 'ok' && baseId !== undefined) await keep(step, found, key, result.value);
  return result;
}

/** Stage 7; the hook does not see the steps that it takes itself. */
async function stepHook({ base, request }: Step, result: Result, context: NodeContext): Promise<Result> {
  const on = context.option('on');
  if (!(on instanceof Message) || !on.has('step')) return result;
  const inner = context.inside().withOptions({ on: on.without('step') });
  const seen = Message.of({ base, request, status: Atom.of(result.status), body: result.value });
  const answer = await runHook('step', seen, context, inner);
  if (answer.status !== 'ok' || !(answer.value instanceof Message)) return answer;
  const status = answer.value.get('status');
  return {
    status: status instanceof Atom ? status.name : result.status,
    value: answer.value.get('body') ?? result.value,
  };
}

/** Stage 9. */
async function link(base: Message, request: Message, result: Result, context: NodeContext): Promise<Result> {
  const { status, value } = result;
  if (!(value instanceof Message)) return result;
  const mode = context.settings.hashpath;
  if (status === 'ok' && mode === 'ignore') return result;
  if (status === 'ok' && mode === 'update')
    return {
      status,
      value: value.withPrivate({ hashpath: hashpathOfPair(encodable(base), encodable(request)) }),
    };
  return value.private.hashpath === undefined
    ? result
    : { status, value: value.withPrivate({ hashpath: undefined }) };
}

/** The message without what no codec carries: values that are only resolved when they are read have no ID. */
function encodable(message: Message): Message {
  return message.filter((_key, value) => !(value instanceof Subpath || value instanceof As));
}

/**
 * Stage 10. Only what depends on nothing but base and request is kept, unless one of the messages asks for it:
 * the reference stores every result and can find none of them again (resolver.md §13, Q7).
 */
async function keep(
  { base, request, baseId, context }: Step,
  found: Found,
  key: string,
  value: Value,
): Promise<void> {
  const { hashpath } = context.settings;
  const asked = cacheSettings({ request, base, result: value, hashpath });
  const allowed = cacheSettings({ request, result: value, options: context.cacheControl(), hashpath });
  if (allowed.store && (asked.store || isPure(found, key)))
    await context.writeResult(baseId!, request, value);
}
