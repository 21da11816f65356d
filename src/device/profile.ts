/** `profile@1.0` (resolver.md §9.0): resolves a path and says how long it took, in milliseconds. */
import { Message } from '../message/message.ts';
import { error, type AnyKeyFunction, type Device } from '../resolver/device.ts';
import { readKey, textOf } from './values.ts';

const profiled: AnyKeyFunction = async (key, base, request, context) => {
  const path = textOf((await readKey(request, key, context)) ?? (await readKey(base, key, context)));
  if (path === undefined) return error(`Path \`${key}\` to profile not found.`);
  const started = performance.now();
  const result = await context.resolveSingleton(base.without('device', 'commitments').with({ path }));
  const took = performance.now() - started;
  if (result.status !== 'ok') return result;
  return Message.from([
    ['content-type', 'text/plain'],
    ['body', `${path}: ${result.status} in ${took.toFixed(3)} ms`],
    ['milliseconds', took],
  ]);
};

export const profile: Device = {
  name: 'profile@1.0',
  info: { default: profiled, excludes: ['keys', 'set'] },
  keys: { eval: (base, request, context) => profiled('eval', base, request, context) },
};
