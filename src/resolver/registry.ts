/** The devices of one node, by exact name (resolver.md §3.3), with their keys ready for look-up. */
import { AoError } from '../base/errors.ts';
import type { Devices } from './context.ts';
import type { Device, KeyFunction } from './device.ts';

const NAME = /^[a-z0-9][a-z0-9.-]*@[0-9a-z.]+(?:-[0-9a-z.]+)*$/;

/** The form of a key by which device functions are told apart: `Test_Func` and `test-func` are one. */
export function functionName(key: string): string {
  return key.toLowerCase().replaceAll('_', '-');
}

interface Registered {
  readonly device: Device;
  readonly functions: ReadonlyMap<string, KeyFunction>;
}

export class DeviceRegistry implements Devices {
  readonly #devices = new Map<string, Registered>();

  constructor(devices: Iterable<Device> = []) {
    for (const device of devices) this.register(device);
  }

  register(device: Device): void {
    check(device);
    if (this.#devices.has(device.name))
      throw new AoError('device-exists', `There already is a device ${device.name}.`, { status: 409 });
    const functions = new Map<string, KeyFunction>();
    for (const [key, run] of Object.entries(device.keys)) functions.set(functionName(key), run);
    this.#devices.set(device.name, { device, functions });
  }

  find(name: string): Device | undefined {
    return this.#devices.get(name)?.device;
  }

  names(): string[] {
    return [...this.#devices.keys()].sort();
  }

  /** A registry of some of these devices. */
  only(names: ReadonlySet<string>): DeviceRegistry {
    return new DeviceRegistry(
      [...this.#devices.values()].flatMap(({ device }) => (names.has(device.name) ? device : [])),
    );
  }

  /** The device's function for a key, however the key is spelled. */
  keyFunction(device: Device, key: string): KeyFunction | undefined {
    return this.#devices.get(device.name)?.functions.get(functionName(key));
  }
}

function check(device: Device): void {
  const refuse = (why: string) => new AoError('bad-device', `This is no device: ${why}.`);
  if (typeof device !== 'object' || device === null) throw refuse('it is not an object');
  if (typeof device.name !== 'string' || !NAME.test(device.name))
    throw refuse('its name must look like example@1.0');
  if (typeof device.keys !== 'object' || device.keys === null) throw refuse('it has no keys');
  for (const [key, run] of Object.entries(device.keys))
    if (typeof run !== 'function') throw refuse(`its key ${key} is not a function`);
}
