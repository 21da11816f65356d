/** `query@1.0` (resolver.md §9.6): stored messages by the values of their keys. */
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import {
  error,
  type AnyKeyFunction,
  type Device,
  type KeyFunction,
  type Result,
} from '../resolver/device.ts';
import { transportKeys } from '../resolver/transport-keys.ts';
import { AoError } from '../base/errors.ts';
import { graphql, hasResults } from './query-graphql.ts';
import { itemsOf, readFirst, readKey, textOf } from './values.ts';

/** Keys that steer a query and are not looked for. */
const STEERING = ['path', 'commitments', 'return', 'exclude', 'only'];

/** The keys of `from` that are asked for: without steering keys, and without what only the transport added. */
async function specOf(from: Message, request: Message, context: Context): Promise<Message> {
  const named = itemsOf(await readKey(request, 'exclude', context))?.map(textOf);
  const excluded = new Set([...(named ?? STEERING), ...transportKeys(request)]);
  return from.filter((key) => !excluded.has(key) && !isPrivateKey(key));
}

const all: AnyKeyFunction = async (_key, base, request, context) =>
  search(await specOf(request, request, context), base, request, context);

const base: KeyFunction = async (own, request, context) =>
  search((await specOf(own, request, context)).without('device'), own, request, context);

/** Only the keys that `only` names: by name with values from the request or the base, or with values of its own. */
const only: KeyFunction = async (own, request, context) => {
  const named = await readKey(request, 'only', context);
  if (named === undefined) return error(Atom.notFound);
  if (named instanceof Message && !itemsOf(named)?.length)
    return search(await specOf(named, request, context), own, request, context);
  const names = isBinary(named)
    ? textOf(named)!.split(',')
    : (itemsOf(named) ?? []).map((name) => textOf(name) ?? '');
  const spec: [string, Value][] = [];
  for (const name of names.map((one) => one.trim())) {
    const value = await readFirst(
      [
        [request, name],
        [own, name],
      ],
      context,
    );
    if (value !== undefined && name !== '') spec.push([name, value]);
  }
  return search(Message.from(spec), own, request, context);
};

async function search(
  spec: Message,
  own: Message,
  request: Message,
  context: Context,
): Promise<Result | Value> {
  const shape =
    textOf(
      await readFirst(
        [
          [request, 'return'],
          [own, 'return'],
        ],
        context,
      ),
    ) ?? 'paths';
  const ids = spec.size === 0 ? [] : await context.cache.match(spec);
  if (shape === 'boolean') return Atom.boolean(ids.length > 0);
  const [first] = ids;
  if (first === undefined) return error(Atom.notFound);
  const read = async (id: string): Promise<Value> => (await context.cache.read(id)) ?? Atom.notFound;
  switch (shape) {
    case 'paths':
      return ids;
    case 'count':
      return BigInt(ids.length);
    case 'messages':
      return Promise.all(ids.map(read));
    case 'first-path':
      return first;
    case 'first':
    case 'first-message':
      return read(first);
    default:
      throw new AoError('bad-return', `A query cannot return ${JSON.stringify(shape.slice(0, 40))}.`);
  }
}

export const query: Device = {
  name: 'query@1.0',
  info: { default: all, excludes: ['keys', 'set'] },
  keys: {
    all: (own, request, context) => all('all', own, request, context),
    base,
    only,
    graphql,
    'has-results': hasResults,
  },
};
