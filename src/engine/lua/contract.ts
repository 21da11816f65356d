/**
 * The contract between the node and a Lua machine in a process worker (lua.md §11, §12).
 *
 * Everything that crosses is structured-cloneable. The same interface is implemented in the worker (over the machine)
 * and in the node (over a port). The only thing that goes the other way is a host call: `ao.resolve` and its like.
 */
import type { Limits } from '../engine.ts';

/**
 * A Lua value on its way.
 * `null` nil · `bigint` integer · `{ float }` · `string` bytes, one character U+0000 … U+00FF each ·
 * `{ table }` pairs in the table's own order · `{ opaque }` a function or another thing that cannot leave.
 */
export type LuaValue =
  | null
  | boolean
  | bigint
  | string
  | { readonly float: number }
  | { readonly table: readonly (readonly [LuaValue, LuaValue])[] }
  | { readonly opaque: string };

/** An internal error term: what a failed call answers as its `body` (lua.md §12.6). */
export type LuaTerm =
  | LuaValue
  | { readonly atom: string }
  | { readonly list: readonly LuaTerm[] }
  | { readonly tuple: readonly LuaTerm[] };

export interface LuaModule {
  /** For traces: `<name>:<line>`. */
  readonly name: string;
  readonly source: Uint8Array;
}

export interface LuaStart {
  /** Loaded in order into one global environment. Not run when `image` is given. */
  readonly modules: readonly LuaModule[];
  /** Applied after the modules ran: paths (`['os', 'execute']`) and what they become. */
  readonly sandbox?: readonly (readonly [path: readonly string[], value: LuaValue])[];
  /** Functions of the global table `ao`, set after the sandbox. They answer through `onHostCall`. */
  readonly hostFunctions?: readonly string[];
  /** `compute`: steps of one call (default 500 million). `memory`: bytes (default 512 MiB). */
  readonly limits?: Limits;
  /** A saved machine to go on from. */
  readonly image?: LuaImage;
}

/** All of a machine's state. Plain data; its form is this evaluator's own and carries a version. */
export interface LuaImage {
  readonly version: number;
  readonly [key: string]: unknown;
}

export interface LuaCallOptions {
  /** Milliseconds since 1970 that `os.time` tells (default 0). Never the real clock. */
  readonly now?: number;
  /**
   * Whether the call's changes stay: `always` (default), `never` (dry runs), or as the device has it (lua.md §12.5):
   * one or two results, else the call crashes; its changes stay if the last result is a message.
   */
  readonly keep?: 'always' | 'never' | 'message';
  /** Answer the state as the call left it, also where it does not stay. */
  readonly image?: boolean;
}

export interface LuaTraceEntry {
  /** Name, or null for an anonymous function. */
  readonly function: string | null;
  /** Set for built-ins. */
  readonly library: string | null;
  /** `<module>:<line>`, null for built-ins. */
  readonly line: string | null;
  readonly parameters: readonly LuaValue[];
}

export type LuaOutcome =
  | {
      readonly ok: true;
      readonly values: readonly LuaValue[];
      readonly steps: number;
      /** Bytes that `print` wrote. */
      readonly output: string;
      readonly image?: LuaImage;
    }
  | {
      readonly ok: false;
      /** `error`: one that `pcall` would have caught. `crash`: one that it would not. `limit`: ours. */
      readonly kind: 'error' | 'crash' | 'limit';
      /** For `error`: the internal term. */
      readonly term?: LuaTerm;
      /** For `limit`: `steps`, `memory`, `depth` or `host-calls`. */
      readonly limit?: string;
      /** Bytes. */
      readonly text: string;
      readonly trace: readonly LuaTraceEntry[];
      readonly output: string;
    };

/** Answers a host call with its results. A rejection is a crash of the Lua call. */
export type LuaHost = (name: string, args: readonly LuaValue[]) => Promise<readonly LuaValue[]>;

/** A live machine. Calls run one at a time, in order. A call that fails leaves the state as it was. */
export interface LuaEngine {
  /** Calls the global function of that name. */
  call(name: string, args: readonly LuaValue[], options?: LuaCallOptions): Promise<LuaOutcome>;
  /** Names of the global functions, in key order. */
  functions(): Promise<string[]>;
  save(): Promise<LuaImage>;
  close(): Promise<void>;
}
