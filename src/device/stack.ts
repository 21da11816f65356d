/**
 * `stack@1.0` (process.md §3.1): runs one request through the devices of `device-stack`, one after the other
 * (`Fold`) or each by itself (`Map`).
 *
 * Devices are called directly unless a `step` hook watches: their results, their order and the keys they see
 * are the same either way.
 */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { iterationOrder } from '../message/order.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { AnyKeyFunction, Device, Result } from '../resolver/device.ts';
import { callDevice, stepsAreWatched } from './direct.ts';
import { itemsOf, readKey, textOf } from './values.ts';

const NAME = 'stack@1.0';
/** What the reference leaves behind as the device before a transformation. */
const DEV_MESSAGE = Atom.of('dev_message');
/** More passes than any real stack makes: a stack that never ends must not hang the node. */
const MAX_STEPS = 10_000;
/** Set in the private part of a base that waits for the name of a stack entry (`transform/<entry>`). */
const TRANSFORMING = 'stack-transform';
const KEYS_OF_MESSAGES = new Set(['commitments', 'ao-types', 'priv']);

/** Base as the stack's entry `key` sees it; undefined if there is no such entry. */
async function transform(base: Message, key: string, context: Context): Promise<Message | undefined> {
  const stack = base.get('device-stack');
  if (stack === undefined)
    throw new AoError('no-device-stack', 'The message has no `device-stack`.', { status: 500 });
  // Most stacks are plain lists: what needs no loading is not waited for, since every slot comes by here ten times.
  let device =
    Array.isArray(stack) && /^[1-9]\d*$/.test(key) ? (stack as Value[])[Number(key) - 1] : undefined;
  if (device === undefined || device instanceof Link) device = await readKey(stack, key, context);
  if (device === undefined) return undefined;
  const inputs = base.get('input-prefixes');
  const outputs = base.get('output-prefixes');
  const input = inputs === undefined ? undefined : await readKey(inputs, key, context);
  const output = outputs === undefined ? undefined : await readKey(outputs, key, context);
  const fields = new Map<string, Value>(base.entries());
  const put = (name: string, value: Value | undefined) => value !== undefined && fields.set(name, value);
  put('previous-input-prefix', base.get('input-prefix'));
  put('previous-output-prefix', base.get('output-prefix'));
  fields.set('previous-device', DEV_MESSAGE);
  fields.set('device', device);
  fields.set('device-key', /^\d{1,15}$/.test(key) ? BigInt(key) : key);
  put('input-prefix', input);
  put('output-prefix', output);
  return new Message(fields, base.private);
}

async function run(transformed: Message, key: string, request: Message, context: Context): Promise<Result> {
  const device = transformed.get('device');
  if (!stepsAreWatched(context) && isBinary(device)) {
    const name = typeof device === 'string' ? device : fromBytes(device);
    return callDevice(name, key, transformed, request, context);
  }
  return context.resolve(transformed, request);
}

async function fold(key: string, base: Message, request: Message, context: Context): Promise<Result> {
  const first = base.get('device');
  const startPass = base.get('pass');
  let state = base.with({ pass: 1n });
  let entry = 1;
  for (let steps = 0; ; steps++) {
    if (steps > MAX_STEPS)
      throw new AoError('stack-endless', 'The stack does not come to an end.', { status: 500 });
    const transformed = await transform(state, String(entry), context);
    if (!transformed) break;
    const { status, value } = await run(transformed, key, request, context);
    if (status === 'ok' && !(value instanceof Message)) return { status: 'ok', value };
    if (status === 'error' && Atom.notFound.is(value)) {
      state = transformed;
      entry++;
    } else if (value instanceof Message && (status === 'ok' || status === 'skip' || status === 'pass')) {
      state = value;
      if (status === 'skip') break;
      if (status === 'ok') entry++;
      else {
        const pass = state.get('pass');
        state = state.with({ pass: (typeof pass === 'bigint' ? pass : 1n) + 1n });
        entry = 1;
      }
    } else return failed(key, entry, status, value, context);
  }
  return { status: 'ok', value: restored(state, first, startPass) };
}

function restored(state: Message, device: Value | undefined, pass: Value | undefined): Message {
  const fields = new Map<string, Value>(state.entries());
  const put = (name: string, value: Value | undefined) =>
    value === undefined ? fields.delete(name) : fields.set(name, value);
  put('device', device);
  put('input-prefix', state.get('previous-input-prefix'));
  put('output-prefix', state.get('previous-output-prefix'));
  put('device-key', undefined);
  put('pass', pass);
  return new Message(fields, state.private);
}

function failed(key: string, entry: number, status: string, value: Value, context: Context): Result {
  const detail = value instanceof Message ? value : Message.of({ error: value });
  if (textOf(context.option('error-strategy')) === 'stop')
    return {
      status: 'error',
      value: Message.of({ 'stack-call-failed': Message.of({ key, entry: BigInt(entry), status, value }) }),
    };
  const said = textOf(detail.get('body')) ?? textOf(detail.get('error')) ?? status;
  throw new AoError('stack-call-failed', `Entry ${entry} of the stack failed: ${said}`, {
    status: 500,
    detail: { key, entry, status, said },
  });
}

async function map(key: string, base: Message, request: Message, context: Context): Promise<Result> {
  const stack = await readKey(base, 'device-stack', context);
  const entries = Array.isArray(stack)
    ? stack.map((_item, index) => String(index + 1))
    : iterationOrder(stack instanceof Message ? stack.keys() : []);
  const out = new Map<string, Value>();
  for (const entry of entries) {
    if (KEYS_OF_MESSAGES.has(entry)) continue;
    const transformed = await transform(base, entry, context);
    if (!transformed) continue;
    const { status, value } = await run(transformed, key, request, context);
    if (status === 'ok') out.set(entry, value);
  }
  return { status: 'ok', value: new Message(out) };
}

const handle: AnyKeyFunction = async (key, base, request, context) => {
  if (base.private[TRANSFORMING] === true) {
    const ready = await transform(base.withPrivate({ [TRANSFORMING]: undefined }), key, context);
    return ready ? { status: 'ok', value: ready } : { status: 'error', value: Atom.notFound };
  }
  const only = itemsOf(await readKey(base, 'stack-keys', context));
  if (only && !(await includes(only, key, context)))
    return callDevice('message@1.0', key, base, request, context);
  if (key === 'transform') return { status: 'ok', value: base.withPrivate({ [TRANSFORMING]: true }) };
  if (key === 'prefix' || key === 'input-prefix' || key === 'output-prefix')
    return {
      status: 'ok',
      value: (await readKey(base, key === 'prefix' ? 'output-prefix' : key, context)) ?? '',
    };
  const mode =
    textOf((await readKey(request, 'mode', context)) ?? (await readKey(base, 'mode', context))) ?? 'Fold';
  if (mode === 'Fold') return fold(key, base, request, context);
  if (mode === 'Map') return map(key, base, request, context);
  throw new AoError('bad-stack-mode', `A stack has no mode ${JSON.stringify(mode.slice(0, 40))}.`, {
    status: 500,
  });
};

async function includes(only: readonly Value[], key: string, context: Context): Promise<boolean> {
  for (const one of only) {
    const name = textOf(one instanceof Link ? await context.cache.load(one) : one);
    if (name === key) return true;
  }
  return false;
}

export const stack: Device = {
  name: NAME,
  info: { handler: handle, excludes: ['set', 'keys'] },
  keys: {},
};
