/**
 * What the node does with a request that has become a message (resolver.md §7.4): hooks around a resolution, and a
 * message with a status as the answer. The HTTP face uses it, and so does everything that acts as if asked over HTTP.
 */
import { messageToListOrSelf } from './lists.ts';
import { Message } from '../message/message.ts';
import { As, type Value } from '../message/value.ts';
import type { Result } from './device.ts';
import { forceMessage } from './force-message.ts';
import { runHook } from './hooks.ts';
import type { NodeContext } from './node-context.ts';
import { isFalse } from './options.ts';
import { parseSingleton } from './path.ts';
import { markRequest } from './request-marks.ts';
import { embedStatus } from './status.ts';

export interface Served {
  /** Always has a `status`. */
  readonly message: Message;
  /** False where the node does not stand for the answer: a hook's refusal. */
  readonly sign: boolean;
}

/**
 * Answers a singleton.
 * @throws AoError what the path grammar, a device or the store throws
 */
export async function serve(singleton: Message, context: NodeContext): Promise<Served> {
  const sequence = markRequest(parseSingleton(singleton), singleton);
  if (isFalse(context.option('initialized')))
    return { message: embedStatus(await uninitialised(sequence, context)), sign: true };
  const asked = await hooked('request', singleton, sequence, context);
  if ('refused' in asked) return { message: embedStatus(forceMessage(asked.refused)), sign: false };
  const steps = messageToListOrSelf(asked.body);
  const extra = context.option('http-extra-opts');
  const settings = extra instanceof Message ? extra : Message.empty;
  const cacheControl = settings.get('cache_control') ?? settings.get('cache-control');
  const walker = context.withSettings({
    forceMessage: !isFalse(settings.get('force_message') ?? settings.get('force-message')),
    ...(cacheControl === undefined ? {} : { cacheControl }),
  });
  const result = await walker.resolveSequence(steps);
  const answer = embedStatus(forceLone(result));
  const replied = await hooked('response', singleton, answer, context);
  if ('refused' in replied) return { message: embedStatus(forceMessage(replied.refused)), sign: false };
  return { message: embedStatus({ status: result.status, value: replied.body }), sign: true };
}

/** A sequence of one is answered without a step, and so was not forced to be a message yet. */
function forceLone(result: Result): Result {
  return result.value instanceof Message ? result : forceMessage(result);
}

type Hooked = { readonly refused: Result } | { readonly body: Value };

/** Runs a hook over `body`; without handlers nothing is copied. */
async function hooked(
  name: string,
  request: Message,
  body: Value | readonly Value[],
  context: NodeContext,
): Promise<Hooked> {
  const hook = Message.from([
    ['request', request],
    ['body', body as Value],
  ]);
  const result = await runHook(name, hook, context.inside());
  if (result.status !== 'ok') return { refused: result };
  const after = result.value instanceof Message ? result.value.get('body') : undefined;
  if (after === undefined)
    return {
      refused: {
        status: 'failure',
        value: Message.of({ status: 500n, body: `A ${name} hook left no body.` }),
      },
    };
  return { body: after };
}

/** Before the node is initialised, only its own options can be read and set. */
async function uninitialised(sequence: readonly Value[], context: NodeContext): Promise<Result> {
  const [base, step] = sequence;
  if (
    base instanceof As &&
    base.device === 'meta@1.0' &&
    step instanceof Message &&
    step.get('path') === 'info'
  )
    return context.withSettings({ forceMessage: true }).resolveSequence([base, step]);
  return forceMessage({ status: 'error', value: 'Node must be initialized before use.' });
}
