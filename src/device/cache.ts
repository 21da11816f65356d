/** `cache@1.0` (resolver.md §9.1): reading from the node's store, and writing to it for those who may. */
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { asAos2, wantsAos2 } from './aos-2.ts';
import { signersOf } from './signers.ts';
import { itemsOf, readKey, textOf } from './values.ts';

const read: KeyFunction = async (_base, request, context) => {
  const target = textOf(await readKey(request, 'target', context));
  const value = target === undefined ? undefined : await context.cache.read(target);
  if (value === undefined) return error(Atom.notFound);
  return wantsAos2(request) ? asAos2(value, context) : value;
};

/** Everyone who signed the request may write: all of them have to be in `cache-writers`. */
async function mayWrite(request: Message, context: Context): Promise<boolean> {
  const writers = itemsOf(context.option('cache-writers'))?.map(textOf) ?? [context.identity.address];
  const signers = await signersOf(request, context);
  return signers.length > 0 && signers.every((signer) => writers.includes(signer));
}

const refuse = (status: bigint, body: string): Result => error(Message.of({ status, body }));

const write: KeyFunction = async (_base, request, context) => {
  if (!(await mayWrite(request, context))) return refuse(403n, 'Not authorized to write to the cache.');
  const type = textOf(await readKey(request, 'type', context)) ?? 'single';
  if (type === 'single') return writeSingle(request, context);
  if (type !== 'batch') return refuse(400n, 'Invalid write type.');
  const body = await readKey(request, 'body', context);
  if (!(body instanceof Message)) return refuse(400n, 'No body to write.');
  const results: [string, Value][] = [];
  for (const [key, value] of body) {
    if (key === 'commitments' || key.startsWith('priv')) continue;
    const single = value instanceof Message ? value : Message.from([['body', value]]);
    results.push([key, (await writeSingle(single, context)).value]);
  }
  return ok(Message.from(results));
};

async function writeSingle(request: Message, context: Context): Promise<Result> {
  const operation = textOf(await readKey(request, 'operation', context)) ?? 'write';
  if (operation === 'link') return makeLink(request, context);
  const body = await readKey(request, 'body', context);
  if (body === undefined) return refuse(400n, 'No body to write.');
  if (operation !== 'write' || !isBinary(body) || request.has('location'))
    return refuse(400n, 'Invalid write type.');
  return ok(Message.of({ status: 200n, path: await context.cache.write(body) }));
}

async function makeLink(request: Message, context: Context): Promise<Result> {
  const source = textOf(await readKey(request, 'source', context));
  const destination = textOf(await readKey(request, 'destination', context));
  if (!source || !destination) return refuse(400n, 'A link needs a source and a destination.');
  // A name that looks like an ID would let a writer stand in for a message that is not here.
  if (/^[A-Za-z0-9_-]{43}(\/|$)|^data\//.test(destination))
    return refuse(400n, 'A link cannot take the place of an ID.');
  await context.cache.link(source, destination);
  return ok(Message.of({ status: 200n }));
}

const link: KeyFunction = async (_base, request, context) =>
  (await mayWrite(request, context)) ? makeLink(request, context) : error(Atom.of('not_authorized'));

export const cache: Device = { name: 'cache@1.0', keys: { read, write, link } };
