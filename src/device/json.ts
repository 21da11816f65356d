/** `json@1.0` (resolver.md §9.0): messages as JSON text and back. */
import { decodeJson, encodeJson } from '../codec/json.ts';
import { encodeStructured } from '../codec/structured.ts';
import { linkTop } from '../commitment/http.ts';
import { Message } from '../message/message.ts';
import { isBinary, type Value } from '../message/value.ts';
import { isTrue } from '../resolver/options.ts';
import type { Context } from '../resolver/context.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { codecKeys } from './codec-keys.ts';
import { readKey, textOf } from './values.ts';

const toJson = async (value: Value, request: Message, context: Context): Promise<Value> =>
  encodeJson(isTrue(request.get('bundle')) ? await context.cache.loadAll(value) : linkTop(value));

const serialize: KeyFunction = async (base, request, context) =>
  Message.from([
    ['content-type', 'application/json'],
    ['body', await toJson(base, request, context)],
  ]);

/**
 * The message that JSON stands for, in the type-annotated form: scalars as text, what is nested stored and linked.
 * The text is the base's key `target` (default `body`).
 */
const deserialize: KeyFunction = async (base, request, context) => {
  const target = textOf(await readKey(request, 'target', context)) ?? 'body';
  const text = await readKey(base, target, context);
  if (!isBinary(text))
    return error(
      Message.of({
        status: 404n,
        body: `JSON payload not found in the base message.Searched for: ${target}`,
      }),
    );
  return annotated(decodeJson(text), context);
};

/** The value as the message layer's own form, its nested messages in the store. */
export async function annotated(value: Value, context: Context): Promise<Value> {
  const items =
    value instanceof Message ? [...value].map(([, item]) => item) : Array.isArray(value) ? value : [];
  for (const item of items as readonly Value[])
    if (item instanceof Message || Array.isArray(item)) await context.cache.write(item);
  return encodeStructured(linkTop(value));
}

export const json: Device = {
  name: 'json@1.0',
  keys: {
    ...codecKeys({ encode: toJson, decode: decodeJson }),
    serialize,
    deserialize,
    'content-type': () => 'application/json',
  },
};
