/** `meta@1.0` (resolver.md §8): the node's options for all to read and for its operator to change. */
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { As, Atom, isBinary, Link, Subpath, type Value } from '../message/value.ts';
import { optionName } from '../resolver/options.ts';
import { transportKeys } from '../resolver/transport-keys.ts';
import type { Context } from '../resolver/context.ts';
import { error, ok, type Device, type KeyFunction, type Result } from '../resolver/device.ts';
import { signersOf } from './signers.ts';
import { itemsOf, textOf } from './values.ts';

/** Options that say something of the node's own machinery and are neither shown nor set. */
const PROTECTED = new Set(['http-server', 'priv-wallet', 'store', 'priv-store']);

/** The release of the reference whose behaviour this node has, in the words in which clients ask for it. */
const BUILD = { node: 'HyperBEAM', version: '0.9', implementation: 'Beamlet' } as const;

const info: KeyFunction = (_base, request, context) =>
  request.get('method') === 'POST' ? change(request, context) : read(context);

function read(context: Context): Message {
  const fields = new Map<string, Value>();
  for (const [key, value] of context.options)
    if (!isPrivateKey(key) && !PROTECTED.has(optionName(key))) fields.set(key, visible(value));
  fields.set('address', context.identity.address);
  fields.set(
    'preloaded_devices',
    context.devices.names().map((name) => Message.of({ name })),
  );
  if (!fields.has('identities')) fields.set('identities', Message.empty);
  fields.set('status', 200n);
  return new Message(fields);
}

/** Private keys are left out at every depth; what no codec can write becomes a word. */
function visible(value: Value): Value {
  if (value instanceof Message)
    return Message.from(
      [...value].filter(([key]) => !isPrivateKey(key)).map(([key, item]) => [key, visible(item)] as const),
    );
  if (Array.isArray(value)) return (value as readonly Value[]).map(visible);
  return value instanceof As || value instanceof Subpath ? 'Unencodable value.' : value;
}

const refuse = (body: string): Result => error(Message.of({ status: 400n, body }));

async function change(request: Message, context: Context): Promise<Result> {
  if (!(await mayChange(request, context))) return refuse('Unauthorized');
  if (textOf(context.option('initialized')) === 'permanent')
    return refuse('The node message of this machine is already permanent. It cannot be changed.');
  const transport = transportKeys(request);
  const changes: Record<string, Value | undefined> = {};
  for (const [key, value] of request) {
    if (key === 'commitments' || key === 'path' || key === 'method' || isPrivateKey(key)) continue;
    if (transport.has(key) || PROTECTED.has(optionName(key))) continue;
    changes[key] = Atom.unset.is(value)
      ? undefined
      : coerce(await loaded(value, context), context.option(key));
  }
  const history = [...(itemsOf(context.option('node-history')) ?? []), request.withoutPrivate()];
  await context.configure({ ...changes, node_history: history });
  const body = `Node message updated. History: ${history.length}updates.`;
  return ok(Message.of({ status: 200n, body, 'history-length': BigInt(history.length) }));
}

async function mayChange(request: Message, context: Context): Promise<boolean> {
  const operator = textOf(context.option('operator'));
  if (operator === 'unclaimed') return true;
  return (await signersOf(request, context)).includes(operator ?? context.identity.address);
}

async function loaded(value: Value, context: Context): Promise<Value> {
  return value instanceof Link || value instanceof Message || Array.isArray(value)
    ? context.cache.loadAll(value)
    : value;
}

/** Text becomes what the option was before: a number stays a number. */
function coerce(value: Value, before: Value | undefined): Value {
  if (!isBinary(value)) return value;
  const text = textOf(value)!;
  if (typeof before === 'bigint' && /^-?\d{1,15}$/.test(text)) return BigInt(text);
  if (typeof before === 'number' && text !== '' && Number.isFinite(Number(text))) return Number(text);
  if (before instanceof Atom) return Atom.of(text);
  return value;
}

export const meta: Device = {
  name: 'meta@1.0',
  keys: { info, build: () => Message.of(BUILD) },
};
