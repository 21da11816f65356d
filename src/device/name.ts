/** `name@1.0` (resolver.md §9.4): a name is asked of each resolver of the node in turn. */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import { isFalse } from '../resolver/options.ts';
import type { AnyKeyFunction, Device } from '../resolver/device.ts';
import { itemsOf, readKey, textOf } from './values.ts';

const named: AnyKeyFunction = async (key, _base, request, context) => {
  const value = await lookUp(key, itemsOf(context.option('name-resolvers')) ?? []);
  if (value === undefined) return Atom.notFound;
  if (isFalse(await readKey(request, 'load', context))) return value;
  const path = textOf(value);
  return (path === undefined ? undefined : await context.cache.read(path)) ?? value;

  async function lookUp(name: string, resolvers: readonly Value[]): Promise<Value | undefined> {
    for (const resolver of resolvers) {
      const result = await context.resolve(resolver, Message.of({ path: 'lookup', key: name }));
      if (result.status === 'ok' && !Atom.notFound.is(result.value)) return result.value;
    }
    return undefined;
  }
};

export const name: Device = {
  name: 'name@1.0',
  info: { default: named, excludes: ['keys', 'set'] },
  keys: {},
};
