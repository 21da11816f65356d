/** `hook@1.0` (resolver.md §7.8): the node's hooks as messages; running them is `resolver/hooks.ts`. */
import { Atom } from '../message/value.ts';
import { findHandlers } from '../resolver/hooks.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { readKey, textOf } from './values.ts';

/** The handlers of the hook that is named under the key that `target` names (default `body`). */
const find: KeyFunction = async (base, request, context) => {
  const target = textOf(await readKey(request, 'target', context)) ?? 'body';
  const name = textOf((await readKey(request, target, context)) ?? (await readKey(base, target, context)));
  return name === undefined ? error(Atom.notFound) : findHandlers(name, context);
};

export const hook: Device = { name: 'hook@1.0', keys: { find } };
