/** Reading and writing values of messages in memory, as devices do it without going through the resolver. */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';

/** Keys that `set` of `message@1.0` never writes (messages.md §11.2). */
const NEVER_SET = new Set(['id', 'commitments', 'committers', 'keys', 'set', 'remove', 'verify', 'set-mode']);

/** Text of a binary, an atom's name, an integer's digits; undefined for anything else. */
export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return fromBytes(value);
  if (value instanceof Atom) return value.name;
  return typeof value === 'bigint' ? value.toString() : undefined;
}

/** An integer, or decimal text of one; undefined for anything else. */
export function integerOf(value: Value | undefined): number | undefined {
  if (typeof value === 'bigint') return Number(value);
  if (!isBinary(value)) return undefined;
  const text = typeof value === 'string' ? value : fromBytes(value);
  return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The value under a key as `message@1.0` reads it: exact, then lower case; links are loaded. */
export async function readKey(
  from: Value | undefined,
  key: string,
  context: Context,
): Promise<Value | undefined> {
  const message = from instanceof Link ? await context.cache.load(from) : from;
  let value: Value | undefined;
  if (message instanceof Message) value = message.get(key) ?? message.get(key.toLowerCase());
  else if (Array.isArray(message) && /^[1-9]\d*$/.test(key))
    value = (message as readonly Value[])[Number(key) - 1];
  if (value instanceof Link) return context.cache.load(value);
  return value;
}

/** The value at a path of plain keys; the empty path is the message itself. */
export async function readPath(
  from: Value | undefined,
  path: string,
  context: Context,
): Promise<Value | undefined> {
  let value = from;
  for (const key of path.split('/')) if (key) value = await readKey(value, key, context);
  return value;
}

/** First of these that is there. */
export async function readFirst(
  places: readonly (readonly [Value | undefined, string])[],
  context: Context,
): Promise<Value | undefined> {
  for (const [from, path] of places) {
    // Nothing has to be waited for where nothing has to be loaded.
    const near = from instanceof Message && path !== '' && !path.includes('/');
    const found = near ? (from.get(path) ?? from.get(path.toLowerCase())) : undefined;
    const value = near && !(found instanceof Link) ? found : await readPath(from, path, context);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** `changes` laid over `base`: messages merge key by key, anything else is replaced. */
export function deepMerge(base: Message, changes: Message): Message {
  const fields = new Map<string, Value>(base.entries());
  for (const [key, value] of changes) {
    const old = fields.get(key);
    fields.set(key, old instanceof Message && value instanceof Message ? deepMerge(old, value) : value);
  }
  return new Message(fields, base.private);
}

/**
 * `set` with a message of changes, by the rules of `message@1.0` for a message without commitments: keys with
 * `/` are paths, `unset` removes, `undefined` is left out, messages merge. Links in the way are loaded.
 */
export async function setKeys(base: Message, changes: Message, context: Context): Promise<Message> {
  let out = base;
  for (const [key, value] of changes) {
    if (NEVER_SET.has(key) || key.startsWith('priv') || Atom.undefined.is(value)) continue;
    const parts = key.split('/').filter((part) => part !== '');
    if (parts.length) out = await setPath(out, parts, value, context);
  }
  return out;
}

/** Sets one value at a path; missing levels are made, a level that is no message is replaced by one. */
export async function setPath(
  base: Message,
  parts: readonly string[],
  value: Value,
  context: Context,
): Promise<Message> {
  const [key, ...rest] = parts;
  if (key === undefined) return value instanceof Message ? setKeys(base, value, context) : base;
  let old = base.get(key);
  if (old instanceof Link && (rest.length || value instanceof Message)) old = await context.cache.load(old);
  if (rest.length) {
    const level = old instanceof Message ? old : Message.empty;
    return base.with([[key, await setPath(level, rest, value, context)]]);
  }
  if (Atom.unset.is(value)) return base.without(key);
  if (old instanceof Message && value instanceof Message) return base.with([[key, deepMerge(old, value)]]);
  return base.with([[key, value]]);
}

/** A list, or a numbered message, as an array in the order of its numbers; links in it are not loaded. */
export function itemsOf(value: Value | undefined): readonly Value[] | undefined {
  if (Array.isArray(value)) return value as readonly Value[];
  if (!(value instanceof Message)) return undefined;
  const numbered = [...value].filter(([key]) => /^\d+$/.test(key));
  return numbered.sort((a, b) => Number(a[0]) - Number(b[0])).map(([, item]) => item);
}

/** @throws AoError `bad-request` (400) */
export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new AoError('bad-request', `The request lacks ${what}.`);
  return value;
}
