/** Which function answers a key of a message (resolver.md §3.2, §3.3). */
import { AoError } from '../base/errors.ts';
import { fromBytes } from '../base/bytes.ts';
import type { Message } from '../message/message.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from './context.ts';
import type { AnyKeyFunction, Device, DeviceInfo, KeyFunction } from './device.ts';
import { functionName, type DeviceRegistry } from './registry.ts';
import { isId } from './path.ts';

export const DEFAULT_DEVICE = 'message@1.0';

export interface Found {
  readonly device: Device;
  readonly info: DeviceInfo;
  readonly run: KeyFunction;
}

/** Name of the device of a message: its key `device`, as `message@1.0` reads it. */
export async function deviceName(base: Message, context: Context): Promise<string> {
  let value: Value | undefined = base.get('device');
  if (value instanceof Link) value = await context.cache.load(value);
  if (value === undefined) return DEFAULT_DEVICE;
  if (isBinary(value)) return typeof value === 'string' ? value : fromBytes(value);
  if (value instanceof Atom) return value.name;
  throw notLoadable('The device of a message must be a name.');
}

function notLoadable(sentence: string, name?: string): AoError {
  return new AoError('device-not-loadable', sentence, {
    status: 500,
    detail: { reason: 'device_not_loadable', ...(name === undefined ? {} : { device: name }) },
  });
}

/** @throws AoError `device-not-loadable` (500), `remote-devices-disabled` (500) */
export function findDevice(name: string, registry: DeviceRegistry): Device {
  const device = registry.find(name);
  if (device) return device;
  if (isId(name))
    throw new AoError('remote-devices-disabled', 'This node runs no devices of others.', {
      status: 500,
      detail: { reason: 'remote_devices_disabled', device: name },
    });
  throw notLoadable(`There is no device ${JSON.stringify(name.slice(0, 80))} (device_not_loadable).`, name);
}

export function deviceInfo(device: Device, base: Message, context: Context): DeviceInfo {
  const { info } = device;
  return (typeof info === 'function' ? info(base, context) : info) ?? {};
}

/**
 * The function for `key`: the device's handler, its key, its default, else what `message@1.0` does with the key.
 * @throws AoError as `findDevice`
 */
export async function findFunction(
  base: Message,
  key: string,
  context: Context,
  registry: DeviceRegistry,
): Promise<Found> {
  const device = findDevice(await deviceName(base, context), registry);
  const info = deviceInfo(device, base, context);
  const run = functionOf(device, info, key, base, context, registry);
  if (run) return { device, info, run };
  const fallback = findDevice(DEFAULT_DEVICE, registry);
  const fallbackInfo = deviceInfo(fallback, base, context);
  const plain = functionOf(fallback, fallbackInfo, key, base, context, registry);
  if (!plain)
    throw new AoError('no-function', `Nothing answers the key ${JSON.stringify(key)}.`, { status: 500 });
  return { device, info, run: plain };
}

/** The function that `device` itself has for `key`, whatever the device of `base` is. */
export function functionOf(
  device: Device,
  info: DeviceInfo,
  key: string,
  base: Message,
  context: Context,
  registry: DeviceRegistry,
): KeyFunction | undefined {
  if (!isExported(info, key)) return undefined;
  if (info.handler) return withKey(info.handler, key);
  const own = registry.keyFunction(device, key);
  if (own) return own;
  if (typeof info.default === 'function') return withKey(info.default, key);
  if (info.default === undefined) return undefined;
  const other = findDevice(info.default, registry);
  return functionOf(other, deviceInfo(other, base, context), key, base, context, registry);
}

function isExported(info: DeviceInfo, key: string): boolean {
  if (!info.excludes && !info.exports) return true;
  const name = functionName(key);
  const lists = (list: readonly string[]) => list.some((one) => one === key || functionName(one) === name);
  if (info.excludes && lists(info.excludes)) return false;
  return !info.exports || lists(info.exports);
}

function withKey(run: AnyKeyFunction, key: string): KeyFunction {
  return (base, request, context) => run(key, base, request, context);
}
