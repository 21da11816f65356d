/**
 * Calling a device's function without the stages of the resolver: same look-up (resolver.md §3.2), same
 * function, but no hashpath, no hook and no result cache. For devices that run others in a row, where none of
 * that can be seen and where it would be most of the cost.
 */
import { AoError } from '../base/errors.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { isResult, type Device, type DeviceInfo, type KeyFunction, type Result } from '../resolver/device.ts';

const FALLBACK = 'message@1.0';

/** Runs `key` of the device called `name`, or what `message@1.0` does with it. A thrown refusal passes through. */
export async function callDevice(
  name: string,
  key: string,
  base: Message,
  request: Message,
  context: Context,
): Promise<Result> {
  const run = find(name, key, base, context) ?? find(FALLBACK, key, base, context);
  if (!run)
    throw new AoError('no-function', `Nothing answers the key ${JSON.stringify(key)}.`, { status: 500 });
  const answer = await run(base, request, context);
  return isResult(answer) ? answer : { status: 'ok', value: answer };
}

/** True if something watches every step, so that the steps have to be real ones. */
export function stepsAreWatched(context: Context): boolean {
  const on = context.option('on');
  return typeof on === 'object' && on !== null && 'has' in on && (on as Message).has('step');
}

const names = new WeakMap<Device, Map<string, KeyFunction>>();

function find(name: string, key: string, base: Message, context: Context): KeyFunction | undefined {
  const device = context.devices.find(name);
  if (!device)
    throw new AoError('device-not-loadable', `There is no device ${JSON.stringify(name.slice(0, 80))}.`, {
      status: 500,
      detail: { device: name },
    });
  const info: DeviceInfo =
    (typeof device.info === 'function' ? device.info(base, context) : device.info) ?? {};
  const wanted = spelling(key);
  const lists = (list: readonly string[] | undefined) => list?.some((one) => spelling(one) === wanted);
  if (lists(info.excludes) || (info.exports && !lists(info.exports))) return undefined;
  const { handler, default: other } = info;
  if (handler) return (b, r, c) => handler(key, b, r, c);
  let known = names.get(device);
  if (!known) {
    known = new Map(Object.entries(device.keys).map(([one, run]) => [spelling(one), run]));
    names.set(device, known);
  }
  const own = known.get(wanted);
  if (own) return own;
  if (typeof other === 'function') return (b, r, c) => other(key, b, r, c);
  return other === undefined ? undefined : find(other, key, base, context);
}

function spelling(key: string): string {
  return key.toLowerCase().replaceAll('_', '-');
}
