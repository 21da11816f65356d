/** Stage 1 of a step (resolver.md §2.2): both sides become messages, or the step is answered on the way. */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { As, isBinary, Link, Subpath, type Value } from '../message/value.ts';
import type { NodeContext } from './node-context.ts';
import type { Result } from './device.ts';
import { numbered } from './force-message.ts';
import { isId } from './path.ts';
import { resolveMany, subresolve } from './resolver.ts';

export type Normalised = { readonly done: Result } | { readonly base: Value; readonly request: Message };

/** A base that is a bare ID or a literal passes through; the later stages know what to do with it. */
export async function normalise(base: Value, request: Value, context: NodeContext): Promise<Normalised> {
  const left = await normaliseBase(base, context);
  if ('done' in left) return left;
  return normaliseRequest(left.base, request, context);
}

type Base = { readonly done: Result } | { readonly base: Value };

async function normaliseBase(base: Value, context: NodeContext): Promise<Base> {
  if (base instanceof Link) return normaliseBase(await context.cache.load(base), context);
  if (base instanceof As) return baseAs(base, context);
  if (base instanceof Subpath) return okOrDone(await resolveMany(base.sequence, context));
  if (Array.isArray(base)) return { base: numbered(base as readonly Value[]) };
  return { base };
}

async function baseAs(base: As, context: NodeContext): Promise<Base> {
  const { device, message } = base;
  const reference = isId(message) || message instanceof Link ? message : undefined;
  const path = reference ?? (message instanceof Message ? message.get('path') : undefined);
  if (path !== undefined && (isId(path) || path instanceof Link)) {
    const loaded = await mustRead(path, context);
    const rest = message instanceof Message ? message.without('path') : Message.empty;
    return { base: loaded.with(rest).with({ device }) };
  }
  return okOrDone(await subresolve(message, device, message, context));
}

function okOrDone(result: Result): Base {
  return result.status === 'ok' ? { base: result.value } : { done: result };
}

async function mustRead(reference: Value, context: NodeContext): Promise<Message> {
  const value =
    reference instanceof Link
      ? await context.cache.load(reference)
      : await context.cache.read(idText(reference));
  if (value instanceof Message) return value;
  if (Array.isArray(value)) return numbered(value as readonly Value[]);
  throw new AoError('necessary-message-not-found', `The message ${idText(reference)} is not here.`, {
    status: 404,
    detail: { reason: 'necessary_message_not_found' },
  });
}

function idText(reference: Value): string {
  if (typeof reference === 'string') return reference;
  return reference instanceof Link ? reference.id : '';
}

async function normaliseRequest(base: Value, request: Value, context: NodeContext): Promise<Normalised> {
  if (request instanceof Link) return normaliseRequest(base, await context.cache.load(request), context);
  if (request instanceof Subpath) {
    const result = await resolveMany(request.sequence, context.withSettings({ forceMessage: false }));
    if (result.status !== 'ok') return { done: result };
    return normaliseRequest(base, result.value, context);
  }
  const message = request instanceof Message ? request : Message.empty.with({ path: request });
  const path = message.get('path');
  if (!(path instanceof As)) return { base, request: message };
  return { done: await subresolve(base, path.device, await asRequest(message, path, context), context) };
}

/** The request that an `as` element in request position stands for. */
async function asRequest(request: Message, path: As, context: NodeContext): Promise<Message> {
  let inner: Value = path.message;
  if (inner instanceof Link || isId(inner)) inner = await mustRead(inner, context);
  const rest = request.without('path');
  if (inner instanceof Message) return rest.with(inner);
  return isBinary(inner) && inner.length === 0 ? rest : rest.with({ path: inner });
}
