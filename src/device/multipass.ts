/**
 * `multipass@1.0` (process.md §3.2): placed last in a stack, it makes the stack run again until `pass` has
 * reached `passes`.
 */
import type { AnyKeyFunction, Device } from '../resolver/device.ts';
import { integerOf } from './values.ts';

const again: AnyKeyFunction = (_key, base) => {
  const pass = integerOf(base.get('pass')) ?? 1;
  const passes = integerOf(base.get('passes')) ?? 1;
  return { status: pass < passes ? 'pass' : 'ok', value: base };
};

export const multipass: Device = {
  name: 'multipass@1.0',
  info: { handler: again, excludes: ['keys', 'set'] },
  keys: {},
};
