/** One message to several nodes (resolver.md §7.10): in turn or at once, until enough have answered well. */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, type Result } from '../resolver/device.ts';
import { isFalse, isTrue } from '../resolver/options.ts';
import { send, urlOf } from './outgoing.ts';
import { integerOf, itemsOf, readFirst, textOf } from './values.ts';

/** Nodes that one request is sent to at most. */
const MAX_NODES = 64;

export async function multiRequest(
  message: Message,
  route: Message,
  method: string,
  context: Context,
): Promise<Result> {
  const setting = (name: string) =>
    readFirst(
      [
        [message, `multirequest-${name}`],
        [route, name],
      ],
      context,
    );
  const nodes = (itemsOf(await setting('nodes')) ?? []).slice(0, MAX_NODES);
  const wanted = Math.max(1, integerOf(await setting('responses')) ?? 1);
  const stopAfter = !isFalse(await setting('stop-after'));
  const admissible = await admission(
    await setting('admissible'),
    await setting('admissible-status'),
    context,
  );
  const ask = async (node: Value): Promise<Result | undefined> => {
    const target = urlOf(node);
    if (target === undefined) return undefined;
    const result = await send(message, { target, method }, context).catch(() => undefined);
    return result && (await admissible(result)) ? result : undefined;
  };
  const good: Result[] = [];
  if (isTrue(await setting('parallel'))) {
    const answers = await inParallel(nodes.map(ask), stopAfter ? wanted : nodes.length);
    good.push(...answers);
  } else
    for (const node of nodes) {
      const result = await ask(node);
      if (result) good.push(result);
      if (stopAfter && good.length >= wanted) break;
    }
  if (good.length < wanted) return error(Atom.of('no_viable_responses'));
  return good.length === 1 || wanted === 1
    ? good[0]!
    : { status: 'ok', value: good.map(({ value }) => value) };
}

/** The first `count` good answers, in the order in which they come. */
function inParallel(asked: readonly Promise<Result | undefined>[], count: number): Promise<Result[]> {
  return new Promise((resolve) => {
    const good: Result[] = [];
    let left = asked.length;
    if (left === 0) resolve(good);
    for (const one of asked)
      void one
        .catch(() => undefined)
        .then((result) => {
          if (result) good.push(result);
          if (--left === 0 || good.length >= count) resolve(good);
        });
  });
}

/** Which answers count: by their status, and by what a message of the route says of them. */
async function admission(judge: Value | undefined, status: Value | undefined, context: Context) {
  const statuses = textOf(status);
  const allowed =
    statuses === undefined || statuses === 'All'
      ? undefined
      : statuses.split(',').map((one) => Number(one.trim()));
  return async ({ status: name, value }: Result): Promise<boolean> => {
    if (!(value instanceof Message)) return false;
    const code = integerOf(value.get('status')) ?? 0;
    if (allowed ? !allowed.includes(code) : name === 'failure') return false;
    if (!(judge instanceof Message)) return true;
    const verdict = await context.resolve(judge, value.with({ path: 'is-admissible' }));
    return verdict.status === 'ok' && isTrue(verdict.value);
  };
}
