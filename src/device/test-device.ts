/** `test-device@1.0` (resolver.md §9.16): small answers that conformance tests of other nodes ask for. */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { integerOf, itemsOf, readKey, setKeys, textOf } from './values.ts';

const index: KeyFunction = async (base, _request, context) => {
  const name = textOf(await readKey(base, 'name', context)) ?? 'turtles';
  return Message.of({ 'content-type': 'text/html', body: `i like ${name}!` });
};

const compute: KeyFunction = async (base, request, context) => {
  const slot: Value = (await readKey(request, 'slot', context)) ?? Atom.notFound;
  const seen = itemsOf(await readKey(base, 'already-seen', context)) ?? [];
  const changes = Message.from([
    ['random-key', 'random-value'],
    ['results', Message.from([['assignment-slot', slot]])],
    ['already-seen', [slot, ...seen]],
  ]);
  return setKeys(base, changes, context);
};

const init: KeyFunction = (base) => base.with({ 'already-seen': [] });

const restore: KeyFunction = async (base, _request, context) => {
  const seen = itemsOf(await readKey(base, 'already-seen', context));
  if (!seen) return error('No viable state to restore.');
  return base.with({ 'started-state': seen });
};

const mul: KeyFunction = async (base, request, context) => {
  const parameters = itemsOf(
    (await readKey(request, 'args', context)) ?? (await readKey(base, 'args', context)),
  );
  const [left, right] = (parameters ?? []).map(integerOf);
  if (left === undefined || right === undefined) return error('Two numbers are needed in `args`.');
  return Message.from([['results', [BigInt(left) * BigInt(right)]]]);
};

/** Milliseconds that `delay` sleeps when it is not told, and the longest it agrees to. */
const DELAY = 750;
const LONGEST_DELAY = 60_000;

const delay: KeyFunction = async (base, request, context) => {
  const asked = integerOf(
    (await readKey(request, 'duration', context)) ?? (await readKey(base, 'duration', context)),
  );
  const duration = Math.min(Math.max(asked ?? DELAY, 0), LONGEST_DELAY);
  await new Promise((resolve) => setTimeout(resolve, duration));
  const answer =
    (await readKey(request, 'return', context)) ??
    (await readKey(base, 'return', context)) ??
    (await readKey(request, 'body', context));
  return answer ?? Message.of({ result: 'slept' });
};

const PATHS = {
  info: 'Get device info',
  test_func: 'Answer with a known text',
  compute: 'Remember the slot that was asked for',
  init: 'Start with nothing seen',
  restore: 'Bring back what was seen',
  mul: 'Multiply two numbers',
  snapshot: 'Answer with an empty snapshot',
  index: 'An HTML page',
  delay: 'Answer after a while',
};

export const testDevice: Device = {
  name: 'test-device@1.0',
  keys: {
    info: () =>
      Message.of({
        status: 200n,
        body: { description: 'Test device for resolvers', version: '1.0', paths: PATHS },
      }),
    'test-func': () => 'GOOD_FUNCTION',
    load: (base) => base.with({ device: 'test-device@1.0' }),
    index,
    compute,
    init,
    restore,
    snapshot: () => Message.empty,
    mul,
    delay,
  },
};
