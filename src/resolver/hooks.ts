/**
 * Hooks (resolver.md §7.8): handlers of the node message's `on` that see a request, a response, a step or the
 * start of the node, one after the other, each given what the one before made of it.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Atom, Link, type Value } from '../message/value.ts';
import type { Context } from './context.ts';
import type { Result } from './device.ts';
import { messageToListOrSelf } from './lists.ts';

/** Handlers for a hook, in order: one message, a list or a numbered message of them. */
export async function findHandlers(name: string, context: Context): Promise<Message[]> {
  const on = await loaded(context.option('on'), context);
  if (!(on instanceof Message)) return [];
  const found = await loaded(on.get(name), context);
  if (found === undefined || found instanceof Atom) return [];
  const list = await Promise.all(messageToListOrSelf(found).map((one) => loaded(one, context)));
  return list.filter((one) => one instanceof Message);
}

async function loaded(value: Value | undefined, context: Context): Promise<Value | undefined> {
  return value instanceof Link ? context.cache.load(value) : value;
}

/**
 * Runs all handlers of a hook on `request`. No handler: `ok` with the request unchanged.
 * `inner` is what handlers resolve with, where it differs from what they are looked up in.
 * What a handler throws is a `failure` with the error's own status, in the shape of §7.7 (Q12).
 */
export async function runHook(
  name: string,
  request: Message,
  context: Context,
  inner: Context = context,
): Promise<Result> {
  const handlers = await findHandlers(name, context);
  let current: Value = request;
  for (const handler of handlers) {
    if (!(current instanceof Message))
      return failure(`A ${name} hook answered with something other than a message.`);
    const result = await runHandler(name, handler, current, inner);
    if (result.status !== 'ok') return result;
    current = result.value;
  }
  return { status: 'ok', value: current };
}

async function runHandler(
  name: string,
  handler: Message,
  request: Message,
  context: Context,
): Promise<Result> {
  const path = handler.get('path') ?? name;
  const method = handler.get('method') ?? 'GET';
  const hook = handler.message('hook');
  const mode = hook?.text('result') ?? 'return';
  let result: Result;
  try {
    result = await context.resolve(handler, request.with({ path, method }));
  } catch (thrown) {
    result = { status: 'failure', value: exceptionMessage(thrown) };
  }
  if (mode === 'ignore') return { status: 'ok', value: request };
  if (mode === 'error' && result.status === 'ok') return { status: 'error', value: result.value };
  return result;
}

function failure(sentence: string): Result {
  return { status: 'failure', value: Message.of({ status: 500n, body: sentence }) };
}

/** What was thrown, as the message that a 500 answers with (§7.7). Nothing of the machine's insides is in it. */
export function exceptionMessage(thrown: unknown): Message {
  const error = AoError.wrap(thrown);
  const reason = typeof error.detail['reason'] === 'string' ? ` (${error.detail['reason']})` : '';
  return Message.of({
    status: BigInt(error.status),
    type: 'throw',
    code: error.code,
    details: error.message + reason,
    stacktrace: '',
  });
}
