/** Setting through a message's own device, deep paths included (resolver.md §2.7). */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from './context.ts';
import { numbered } from './force-message.ts';
import { pathParts, partText } from './path.ts';

/** @throws AoError `cannot-set` (500) where a device refuses */
export async function deepSet(
  message: Message,
  changes: Readonly<Record<string, Value>>,
  context: Context,
): Promise<Message> {
  let current = message;
  let plain = new Map<string, Value>();
  const flush = async () => {
    if (plain.size > 0) current = await setKeys(current, new Message(plain), context);
    plain = new Map();
  };
  for (const [path, value] of Object.entries(changes)) {
    if (isPlainKey(path)) {
      plain.set(path, value);
      continue;
    }
    await flush();
    const parts = (pathParts(path) ?? []).map(partText);
    if (parts.length > 0) current = await setAt(current, parts, value, context);
    else if (value instanceof Message) current = await setKeys(current, value, context);
    else if (path === '') current = current.with({ '': value });
    else throw new AoError('cannot-set', 'Only a message can be set at the root of a message.');
  }
  await flush();
  return current;
}

/** Keys that `set` takes as they are, so that many are set at once. */
function isPlainKey(path: string): boolean {
  return (
    path !== '' && !path.includes('/') && path !== 'path' && path !== 'set-mode' && !path.startsWith('priv')
  );
}

async function setAt(
  message: Message,
  parts: readonly string[],
  value: Value,
  context: Context,
): Promise<Message> {
  const [key, ...rest] = parts as [string, ...string[]];
  if (rest.length === 0) return setKey(message, key, value, context);
  let inner = await context.get(key, message);
  if (Array.isArray(inner)) inner = numbered(inner as readonly Value[]);
  const next = await setAt(inner instanceof Message ? inner : Message.empty, rest, value, context);
  return asMessage(
    await context.resolve(
      message,
      new Message(
        new Map<string, Value>([
          ['path', 'set'],
          [key, next],
          ['set-mode', 'explicit'],
        ]),
      ),
    ),
  );
}

async function setKey(message: Message, key: string, value: Value, context: Context): Promise<Message> {
  if (key === 'path')
    return asMessage(
      await context.resolve(
        message,
        Message.from([
          ['path', 'set_path'],
          ['value', value],
        ]),
      ),
    );
  // A key that `set` itself reads cannot be given to it as a key to set.
  if (key === 'set-mode' || key.startsWith('priv')) return message.with({ [key]: value });
  return setKeys(message, Message.from([[key, value]]), context);
}

async function setKeys(message: Message, changes: Message, context: Context): Promise<Message> {
  return asMessage(await context.resolve(message, changes.with({ path: 'set' })));
}

function asMessage(result: { status: string; value: Value }): Message {
  if (result.status === 'ok' && result.value instanceof Message) return result.value;
  throw new AoError('cannot-set', 'The device of a message did not let a key be set.', { status: 500 });
}
