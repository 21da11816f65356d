/**
 * The device API (resolver.md §3): what a device is, what it is handed, what it answers.
 *
 * A device is a plain object in one file named after it; `docs/writing-a-device.md` walks through one.
 */
import type { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from './context.ts';

/** `ok` goes on with the next step; every other status ends the sequence and is its result. */
export type Status = 'ok' | 'created' | 'error' | 'failure' | 'skip' | 'pass' | (string & {});

export interface Result {
  readonly status: Status;
  readonly value: Value;
}

/** A key's function. A bare value counts as `ok`. Throws only for bugs: refusals are results. */
export type KeyFunction = (
  base: Message,
  request: Message,
  context: Context,
) => Result | Value | Promise<Result | Value>;

/** A function for many keys (`handler`, `default`): told which key was asked. */
export type AnyKeyFunction = (
  key: string,
  base: Message,
  request: Message,
  context: Context,
) => Result | Value | Promise<Result | Value>;

export interface DeviceInfo {
  /** Only these keys are the device's; others fall to `message@1.0`. */
  readonly exports?: readonly string[];
  /** Never these, checked first. */
  readonly excludes?: readonly string[];
  /** Answers every exported key, before `keys`. */
  readonly handler?: AnyKeyFunction;
  /** Answers exported keys that have no function; or the name of the device that does. */
  readonly default?: AnyKeyFunction | string;
  /**
   * Keys (or `true`: all) whose result depends on nothing but base and request: no clock, no network, no options.
   * Only such results may be kept and given again (resolver.md §6.4).
   */
  readonly pure?: boolean | readonly string[];
  /** Name of the group whose members run one at a time and share a result (resolver.md §2.5). */
  readonly grouper?: (base: Message, request: Message, context: Context) => string | Promise<string>;
}

export interface Device {
  /** Exact name with version: `patch@1.0`. */
  readonly name: string;
  readonly info?: DeviceInfo | ((base: Message, context: Context) => DeviceInfo);
  /** Key names in dash-case; `_` and upper case in a request find them too. */
  readonly keys: Readonly<Record<string, KeyFunction>>;
}

export const ok = (value: Value): Result => ({ status: 'ok', value });
export const error = (value: Value): Result => ({ status: 'error', value });

/** True for the `{status, value}` shape that devices answer with. */
export function isResult(value: unknown): value is Result {
  return typeof value === 'object' && value !== null && 'status' in value && 'value' in value;
}
