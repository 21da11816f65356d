/**
 * `patch@1.0` (process.md §3.3): moves messages marked as patches from one place of a message to another, or
 * everything there with `all`.
 *
 * Patches are laid over each other in the reference's order of map keys (messages.md §1.7): 1, 10, 11, 2 … up
 * to 32 of them, hash order above.
 */
import { listToMessage } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { iterationOrder } from '../message/order.ts';
import { Atom, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction, Result } from '../resolver/device.ts';
import { withDivergence } from './divergence.ts';
import { readFirst, readPath, setKeys, setPath, textOf } from './values.ts';

const NOT_FOUND: Result = { status: 'error', value: Atom.notFound };

interface Place {
  /** `req:` in front makes the request the message that is read and answered. */
  readonly owner: Message;
  readonly parts: readonly string[];
}

async function place(end: 'from' | 'to', base: Message, request: Message, context: Context): Promise<Place> {
  const keys = [`patch-${end}`, end];
  const named = await readFirst(
    keys.flatMap((key) => [[request, key] as const, [base, key] as const]),
    context,
  );
  let path = textOf(named) ?? '/';
  let owner = base;
  const prefix = /^\/?(base|req|request):/.exec(path);
  if (prefix) {
    path = path.slice(prefix[0].length);
    if (prefix[1] !== 'base') owner = request;
  }
  return { owner, parts: path.split('/').filter((part) => part !== '') };
}

async function move(all: boolean, base: Message, request: Message, context: Context): Promise<Result> {
  const from = await place('from', base, request, context);
  const to = await place('to', base, request, context);
  const found = await readPath(from.owner, from.parts.join('/'), context);
  const isList = Array.isArray(found);
  const source = isList ? listToMessage(found as readonly Value[]) : found;
  if (!(source instanceof Message)) return NOT_FOUND;
  const rest = new Map<string, Value>();
  const moved: [string, Value][] = [];
  for (const key of iterationOrder(source.keys())) {
    let entry = source.get(key)!;
    if (entry instanceof Link) entry = await context.cache.load(entry);
    if (all || isPatch(entry)) moved.push([key, entry]);
    else rest.set(key, source.get(key)!);
  }
  if (!all && moved.length === 0 && to.parts.length === 0) return { status: 'ok', value: from.owner };
  // The reference breaks on a list of which something is to be taken (process.md §9.6).
  const owner = isList ? withDivergence(from.owner, 'list-patches') : from.owner;
  const without = await replaceSource(
    { owner, parts: from.parts },
    all ? undefined : new Message(rest),
    context,
  );
  if (all)
    return { status: 'ok', value: await setPath(without, to.parts, new Message(new Map(moved)), context) };
  let merged = Message.empty;
  for (const [, entry] of moved)
    merged = await setKeys(merged, (entry as Message).without('method'), context);
  return { status: 'ok', value: await setPath(without, to.parts, merged, context) };
}

function isPatch(entry: Value): boolean {
  return (
    entry instanceof Message &&
    (textOf(entry.get('method')) === 'PATCH' || entry.text('device') === 'patch@1.0')
  );
}

/** The owner with `rest` where the source was; without one, the source's key is gone. */
async function replaceSource(
  { owner, parts }: Place,
  rest: Message | undefined,
  context: Context,
): Promise<Message> {
  const last = parts.at(-1);
  if (last === undefined) return new Message(new Map(rest ?? []), owner.private);
  const replaceIn = async (level: Message, at: number): Promise<Message> => {
    const key = parts[at]!;
    if (at === parts.length - 1) return rest ? level.with([[key, rest]]) : level.without(key);
    const inner = (await readPath(level, key, context)) as Message;
    const next = Array.isArray(inner) ? listToMessage(inner as readonly Value[]) : inner;
    return level.with([[key, await replaceIn(next, at + 1)]]);
  };
  return replaceIn(owner, 0);
}

const patches: KeyFunction = (base, request, context) => move(false, base, request, context);
const same: KeyFunction = (base) => ({ status: 'ok', value: base });

export const patch: Device = {
  name: 'patch@1.0',
  keys: {
    all: (base, request, context) => move(true, base, request, context),
    patches,
    compute: patches,
    init: same,
    normalize: same,
    snapshot: same,
  },
};
