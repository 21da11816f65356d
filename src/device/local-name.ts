/** `local-name@1.0` (resolver.md §9.4): names that the operator of this node gave. */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, type AnyKeyFunction, type Device, type KeyFunction } from '../resolver/device.ts';
import { isOperator } from './signers.ts';
import { readKey, textOf } from './values.ts';

/** Where names stand in the store. */
const PREFIX = 'local-name@1.0/';

async function find(name: string, context: Context): Promise<Value | undefined> {
  const names = context.option('local-names');
  const known = names instanceof Message ? await readKey(names, name, context) : undefined;
  return known ?? context.cache.read(PREFIX + name);
}

const named: AnyKeyFunction = async (key, _base, _request, context) =>
  (await find(key, context)) ?? error(Atom.notFound);

const lookUp: KeyFunction = async (base, request, context) => {
  const key = textOf((await readKey(request, 'key', context)) ?? (await readKey(base, 'key', context)));
  return key === undefined ? error(Atom.notFound) : ((await find(key, context)) ?? error(Atom.notFound));
};

const register: KeyFunction = async (_base, request, context) => {
  if (!(await isOperator(request, context)))
    return error(Message.of({ status: 403n, message: 'Unauthorized.' }));
  const key = textOf(await readKey(request, 'key', context));
  const value = await readKey(request, 'value', context);
  if (!key || value === undefined)
    return error(Message.of({ status: 400n, message: 'A name needs a key and a value.' }));
  if (value instanceof Message || typeof value === 'string' || value instanceof Uint8Array)
    await context.cache.link(await context.cache.write(value), PREFIX + key);
  const names = context.option('local-names');
  const before = names instanceof Message ? names : Message.empty;
  await context.configure({ local_names: before.with({ [key]: value }) });
  return 'Registered.';
};

export const localName: Device = {
  name: 'local-name@1.0',
  info: { default: named, excludes: ['keys', 'set'] },
  keys: { lookup: lookUp, register },
};
