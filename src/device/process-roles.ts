/** A process in one of its roles (process.md §1.2): the same message with the device of that role at the helm. */
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { callDevice, stepsAreWatched } from './direct.ts';
import { textOf } from './values.ts';

export type Role = 'execution' | 'scheduler' | 'push';

const DEFAULTS: Readonly<Record<Role, string>> = {
  execution: 'genesis-wasm@1.0',
  scheduler: 'scheduler@1.0',
  push: 'push@1.0',
};

export function roleDevice(role: Role, base: Message): string {
  return textOf(base.get(`${role}-device`)) ?? DEFAULTS[role];
}

/** The message with the role's device and prefixes swapped in. */
export function asRole(role: Role, base: Message): Message {
  const changes: [string, Value][] = [
    ['device', roleDevice(role, base)],
    ['input-prefix', base.get('input-prefix') ?? 'process'],
  ];
  const prefixes = base.get(`${role}-output-prefixes`);
  if (prefixes !== undefined) changes.push(['output-prefixes', prefixes]);
  return base.with(changes);
}

/** Runs a key in a role; a state that comes back has its own device again. */
export async function runAs(
  role: Role,
  base: Message,
  key: string,
  request: Message,
  context: Context,
): Promise<Result> {
  const ready = asRole(role, base);
  const device = roleDevice(role, base);
  const simple = !key.includes('/') && !stepsAreWatched(context);
  const { status, value } = simple
    ? await callDevice(device, key, ready, request, context)
    : await context.resolve(ready, request.with({ path: key }));
  if (status !== 'ok' || !(value instanceof Message) || textOf(value.get('device')) !== device)
    return { status, value };
  const saved = base.get('device');
  return { status, value: saved === undefined ? value.without('device') : value.with({ device: saved }) };
}
