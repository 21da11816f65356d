/**
 * Settings of one resolution: what the reference keeps as step-local options. They are beside the node message,
 * so they cannot leak into it (resolver.md §13, Q14), and devices start from fresh ones (§2.2, stage 6).
 */
import type { Value } from '../message/value.ts';
import type { Call } from './context.ts';

/** One step as it was taken, for people who look at how a path was answered. */
export interface TraceStep {
  device: string;
  key: string;
  /** The result came from the result index or from a step already under way. */
  cached: boolean;
  /** Milliseconds. */
  took: number;
  status: string;
  hashpath?: string;
}

export interface Settings {
  /** Wrap every step's literal result as a message (§2.4); always on for HTTP. */
  readonly forceMessage: boolean;
  /** Link results to what they came from (§2.2, stage 9). */
  readonly hashpath: 'update' | 'reset' | 'ignore';
  /** Cache specifiers that outrank those of messages; absent: the node's `cache_control` option. */
  readonly cacheControl?: Value;
  /** Steps that are being taken and led to this one: group and request, to tell endless recursion. */
  readonly ancestors: readonly string[];
  /** How many resolutions lie inside each other. */
  readonly depth: number;
  readonly trace?: (step: TraceStep) => void;
  readonly call?: Call;
  /** The only devices there are for this resolution; absent: all. */
  readonly devices?: ReadonlySet<string>;
}

export const TOP: Settings = { forceMessage: false, hashpath: 'update', ancestors: [], depth: 0 };

/** What a device's own resolutions run with: unforced literals, no hashpath, the node's cache control. */
export function insideDevice(outer: Settings): Settings {
  const { ancestors, depth, devices, call } = outer;
  return {
    forceMessage: false,
    hashpath: 'ignore',
    ancestors,
    depth: depth + 1,
    ...(devices ? { devices } : {}),
    ...(call ? { call } : {}),
  };
}

/** Resolutions inside resolutions before a request is refused as endless. */
export const MAX_DEPTH = 256;
