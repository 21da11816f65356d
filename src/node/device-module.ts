/**
 * Devices of others: modules that the node worker loads by their URL. A module gets the node's own classes handed in
 * and imports none of them, so that its messages are the node's messages however it was bundled.
 */
import { fromBytes, toBytes, utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { isOperator, signersOf } from '../device/signers.ts';
import { Message } from '../message/message.ts';
import { Atom, Link } from '../message/value.ts';
import { error, ok, type Device } from '../resolver/device.ts';
import type { NodeContext } from '../resolver/node-context.ts';

export type { Context } from '../resolver/context.ts';
export type { AnyKeyFunction, Device, DeviceInfo, KeyFunction, Result } from '../resolver/device.ts';
export type { Value } from '../message/value.ts';

/** What a module builds its device with. */
export const deviceTools = {
  Message,
  Atom,
  Link,
  AoError,
  ok,
  error,
  signersOf,
  isOperator,
  toBytes,
  fromBytes,
  utf8,
} as const;

export type DeviceTools = typeof deviceTools;

/** The default export of a device's module. */
export type DeviceModule = (tools: DeviceTools) => Device | Promise<Device>;

const loaded = new WeakMap<object, Map<string, Promise<string>>>();

const importModule = (url: string): Promise<unknown> => import(/* @vite-ignore */ url);

/**
 * Loads a module and registers its device; the same URL again is the same device.
 * @returns the device's name
 * @throws AoError `foreign-device` (403), `bad-device` (400), `device-exists` (409)
 */
export function registerModule(
  url: string,
  context: NodeContext,
  origin: string,
  load = importModule,
): Promise<string> {
  let names = loaded.get(context.devices);
  if (!names) loaded.set(context.devices, (names = new Map()));
  let name = names.get(url);
  if (!name) {
    name = register(url, context, origin, load);
    names.set(url, name);
    name.catch(() => names.delete(url));
  }
  return name;
}

async function register(
  url: string,
  context: NodeContext,
  origin: string,
  load: typeof importModule,
): Promise<string> {
  if (!/^https?:\/\//.test(url) || new URL(url).origin !== origin)
    throw new AoError(
      'foreign-device',
      'A device has the rights of the node: its module must come from the same origin.',
      { status: 403, detail: { url } },
    );
  const module = await load(url).catch((thrown: unknown) => {
    throw new AoError('bad-device', `The module ${url} could not be loaded.`, { cause: thrown });
  });
  const make = (module as { default?: unknown }).default;
  if (typeof make !== 'function')
    throw new AoError('bad-device', `The module ${url} exports no function that makes a device.`);
  const device = await (make as DeviceModule)(deviceTools);
  context.devices.register(device);
  return device.name;
}
