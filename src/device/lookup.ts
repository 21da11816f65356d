/** `lookup@1.0` (resolver.md §9.1): a stored message by its ID. */
import { Atom } from '../message/value.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { asAos2, wantsAos2 } from './aos-2.ts';
import { readKey, textOf } from './values.ts';

const read: KeyFunction = async (_base, request, context) => {
  const target = textOf(await readKey(request, 'target', context));
  const value = target === undefined ? undefined : await context.cache.read(target);
  if (value === undefined) return error(Atom.notFound);
  return wantsAos2(request) ? asAos2(value, context) : value;
};

export const lookup: Device = { name: 'lookup@1.0', keys: { read } };
