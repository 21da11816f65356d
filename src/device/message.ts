/**
 * `message@1.0`, the device of every message that names none (resolver.md §3.5, messages.md §11): reading and
 * changing keys, IDs and commitments.
 */
import { isPrivateKey } from '../message/keys.ts';
import { messageId } from '../commitment/id.ts';
import { committed, committers, selectionOf } from '../commitment/select.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import { listItems } from '../resolver/lists.ts';
import type { Context } from '../resolver/context.ts';
import { transportKeys } from '../resolver/transport-keys.ts';
import {
  error,
  ok,
  type AnyKeyFunction,
  type Device,
  type KeyFunction,
  type Result,
} from '../resolver/device.ts';
import { commitMessage, verifyMessage } from './commit.ts';
import { dropTouched, setMessage } from './message-set.ts';
import { readKey, textOf } from './values.ts';

const read: AnyKeyFunction = async (key, base, _request, context) => {
  if (isPrivateKey(key)) return error(Atom.notFound);
  const value = base.get(key) ?? base.get(key.toLowerCase());
  if (value === undefined) return error(Atom.notFound);
  return ok(value instanceof Link ? await context.cache.load(value) : value);
};

const keys: KeyFunction = (base) => [...base.keys()].filter((key) => !isPrivateKey(key)).sort();

const setPath: KeyFunction = (base, request) => {
  const value = request.get('value');
  if (value === undefined) return base;
  const changed = Atom.unset.is(value) ? base.without('path') : base.with({ path: value });
  return dropTouched(base, changed, ['path']);
};

const remove: KeyFunction = async (base, request, context) => {
  const item = await readKey(request, 'item', context);
  const items = listItems(await readKey(request, 'items', context)) ?? [];
  const names = (item === undefined ? items : [item, ...items]).flatMap((name) =>
    isBinary(name) ? [textOf(name)!] : [],
  );
  // Commitments stay even where a committed key goes (messages.md §11.3): they no longer verify.
  return base.without(...names);
};

/** The request's selection; its own commitments, where it is signed, are no selection (resolver.md §13, Q17). */
function selection(request: Message): Message {
  return request.get('commitments') instanceof Message ? request.without('commitments') : request;
}

/** What a request operates on: what stands under the key that its `target` names, else its body, else the base. */
async function target(base: Message, request: Message, context: Context): Promise<Value | undefined> {
  const name = textOf(request.get('target'));
  if (name === undefined || name === 'self') return base;
  const found = (await readKey(request, name, context)) ?? (await readKey(request, 'body', context));
  return found instanceof Message ? found : base;
}

/** Runs `act` on the target, which has to be a message. */
function onTarget(
  act: (message: Message, request: Message, context: Context) => Promise<Result | Value> | Value,
): KeyFunction {
  return async (base, request, context) => {
    const value = await target(base, request, context);
    return value instanceof Message ? act(value, selection(request), context) : error(Atom.notFound);
  };
}

/**
 * To someone outside, `committers=none` of a message that has signers is no: the HMAC that would be checked is made
 * with a key that everybody knows, and proves nothing.
 */
async function verify(message: Message, request: Message, context: Context): Promise<Value> {
  const fromOutside = transportKeys(request).size > 0;
  if (fromOutside && textOf(request.get('committers')) === 'none' && committers(message).length > 0)
    return Atom.false;
  return Atom.boolean(await verifyMessage(message, request, context));
}

const id: KeyFunction = (base, request) => messageId(base, selectionOf(selection(request)));

const index: KeyFunction = async (base, _request, context) => {
  const settings = context.option('default-index');
  if (settings === undefined) return error('No default index message set.');
  const path =
    (settings instanceof Message ? settings.get('path') : undefined) ?? context.option('default-index-path');
  const shown =
    settings instanceof Message
      ? base.with(settings.without('path'))
      : base.with({ device: textOf(settings) ?? '' });
  return context.resolve(shown, path ?? 'index');
};

export const message: Device = {
  name: 'message@1.0',
  info: { default: read },
  keys: {
    id,
    index,
    keys,
    remove,
    'set-path': setPath,
    set: (base, request, context) => setMessage(base, request, context),
    commit: onTarget(commitMessage),
    verify: onTarget(verify),
    committed: onTarget((one, request) =>
      committed(one, selectionOf(request), isBinary(request.get('raw')) || Atom.true.is(request.get('raw'))),
    ),
    committers: onTarget((one) => committers(one)),
  },
};
