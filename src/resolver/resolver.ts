/**
 * Resolution (resolver.md §2): a sequence is walked one step at a time, `Base(Req) -> Res`, until it ends or a step
 * answers with anything but `ok`.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { As, Atom, isBinary, Link, Subpath, type Value } from '../message/value.ts';
import type { Result } from './device.ts';
import type { NodeContext } from './node-context.ts';
import { isId, parseSingleton, pathParts } from './path.ts';
import { numbered } from './force-message.ts';
import { step } from './step.ts';

/** `Base(Req)` with plain `/` splitting: one step for each part of the request's path. */
export async function resolvePair(base: Value, request: Value, context: NodeContext): Promise<Result> {
  const message = request instanceof Message ? request : Message.empty.with({ path: request });
  const parts = pathParts(message.get('path'));
  if (parts === undefined) throw new AoError('no-path', 'A request needs a path.', { status: 500 });
  if (parts.length === 1) return resolveMany([base, message.with({ path: parts[0]! })], context);
  return resolveMany([base, ...parts.map((part) => message.with({ path: part }))], context);
}

/** A singleton with the full path grammar. */
export async function resolveSingleton(singleton: Message, context: NodeContext): Promise<Result> {
  if (!singleton.has('path'))
    return { status: 'error', value: 'Attempted to resolve a message without a path.' };
  return resolveMany(parseSingleton(singleton), context);
}

export async function resolveMany(sequence: readonly Value[], context: NodeContext): Promise<Result> {
  if (sequence.length === 0)
    return { status: 'failure', value: 'Attempted to resolve an empty message sequence.' };
  if (sequence.length === 1) return resolveOne(sequence[0]!, context);
  let base = sequence[0]!;
  let result: Result | undefined;
  for (const request of sequence.slice(1)) {
    result = await step(base, request, context);
    if (result.status !== 'ok') return result;
    base = result.value;
  }
  return result!;
}

async function resolveOne(element: Value, context: NodeContext): Promise<Result> {
  if (isId(element)) {
    const value = typeof element === 'string' ? await context.cache.read(element) : undefined;
    return value === undefined ? notFound() : { status: 'ok', value };
  }
  if (element instanceof Subpath) return resolveMany(element.sequence, context);
  // The reference answers a lone `as` element with nothing; we answer with the base and its device (§13, Q2).
  if (element instanceof As) return resolveLoneAs(element, context);
  if (element instanceof Link) return { status: 'ok', value: await context.cache.load(element) };
  return { status: 'ok', value: element };
}

async function resolveLoneAs(element: As, context: NodeContext): Promise<Result> {
  const { message } = element;
  const path = message instanceof Message ? message.get('path') : message;
  if (path === undefined || !isId(path)) return subresolve(Message.empty, element.device, message, context);
  const loaded = typeof path === 'string' ? await context.cache.read(path) : undefined;
  if (!(loaded instanceof Message)) return notFound();
  const rest = message instanceof Message ? message.without('path') : Message.empty;
  return { status: 'ok', value: loaded.with(rest).with({ device: element.device }) };
}

function notFound(): Result {
  return { status: 'error', value: Atom.notFound };
}

/** `base` with its device swapped, then `request` resolved on it or, if it has no path, written into it (§2.6). */
export async function subresolve(
  rawBase: Value,
  device: string | undefined,
  request: Value,
  context: NodeContext,
): Promise<Result> {
  const req = isBinary(request) ? Message.empty.with({ path: request }) : request;
  if (!(req instanceof Message))
    throw new AoError('bad-request', 'A sub-request must be a message or a path.');
  let base = rawBase;
  if (base instanceof Link) base = await context.cache.load(base);
  else if (isId(base)) base = (typeof base === 'string' ? await context.cache.read(base) : undefined) ?? base;
  if (Array.isArray(base)) base = numbered(base as readonly Value[]);
  if (device !== undefined) {
    if (!(base instanceof Message)) base = Message.empty;
    base = await context.set(base, { device });
  }
  const path = req.get('path');
  if (path === undefined || path === '') {
    const changes = req.without('path');
    if (changes.size === 0) return { status: 'ok', value: base };
    if (!(base instanceof Message)) return notFound();
    return { status: 'ok', value: await context.set(base, Object.fromEntries(changes)) };
  }
  return resolvePair(base, req, context);
}
