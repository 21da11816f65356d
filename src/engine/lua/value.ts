/**
 * Lua values as the evaluator holds them (lua.md §2).
 *
 * | Lua     | here                                                                             |
 * |---------|----------------------------------------------------------------------------------|
 * | nil     | `undefined`                                                                      |
 * | boolean | `boolean`                                                                        |
 * | integer | `number` (always a safe integer, never −0) or, beyond those, `bigint`            |
 * | float   | `LuaFloat` (finite; infinity and NaN do not exist)                               |
 * | string  | `string` with one character (U+0000 … U+00FF) for each byte                      |
 * | table   | `LuaTable`                                                                       |
 * | function| `LuaFunction` (compiled Lua) or `Builtin`                                        |
 */
import type { LuaTable } from './table.ts';
import type { Proto } from './proto.ts';

export type Value =
  undefined | boolean | number | bigint | string | LuaFloat | LuaTable | LuaFunction | Builtin | Opaque;

/** A double, kept apart from integers: `3.0` and `3` print and divide differently. */
export class LuaFloat {
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}

/**
 * Captured variables of one run of a block: `[parent, stamp, closures, v0, v1 …]`.
 * `stamp` tells the journal whether this call has copied (or made) it; `closures` interns the functions made in it,
 * because two evaluations of one function expression in one environment are the same value (lua.md §2.5).
 * The root of a chain is made when a chunk is loaded and holds the number of the chunk's first function in v0.
 */
export type Env = [Env | undefined, number, LuaFunction | Map<Proto, LuaFunction> | undefined, ...unknown[]];

/** Index of the first variable in an `Env`. */
export const ENV_VARIABLES = 3;

export class LuaFunction {
  readonly proto: Proto;
  readonly env: Env;
  constructor(proto: Proto, env: Env) {
    this.proto = proto;
    this.env = env;
  }
}

/** What a built-in needs the interpreter to do before it can go on. */
export class Call {
  readonly fn: Value;
  readonly args: Value[];
  constructor(fn: Value, args: Value[]) {
    this.fn = fn;
    this.args = args;
  }
}

/** A call out of the machine; the run is suspended until it is answered. */
export class HostCall {
  readonly name: string;
  readonly args: Value[];
  constructor(name: string, args: Value[]) {
    this.name = name;
    this.args = args;
  }
}

/** Built-ins that call back into Lua are generators: they yield what is to be called and are handed its results. */
export type Steps = Generator<Call | HostCall, Value | Value[], Value[]>;

/** Wraps a generator, so that the interpreter can tell it from a result. */
export class Running {
  readonly steps: Steps;
  constructor(steps: Steps) {
    this.steps = steps;
  }
}

/**
 * One value alone, or an array for none or several. `Call`: its results are the results.
 * `Running`: results come later.
 */
export type Answer = Value | Value[] | Call | Running;

/** `all`: crashes, too. */
export type Catches = 'nothing' | 'errors' | 'all';

export class Builtin {
  /** Name inside error texts: `error_call`, `fband` … */
  readonly name: string;
  /** The library it belongs to (`basic`, `string` …); two built-ins of one name in two libraries differ. */
  readonly library: string;
  readonly fn: (args: Value[]) => Answer;
  /** Which failures of what it calls are thrown into its generator. */
  readonly catches: Catches;
  constructor(library: string, name: string, fn: (args: Value[]) => Answer, catches: Catches = 'nothing') {
    this.library = library;
    this.name = name;
    this.fn = fn;
    this.catches = catches;
  }
}

/** A value of no Lua type, such as what `io.write` returns; its type is "unknown". */
export class Opaque {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

export const NONE: Value[] = [];

export function isFunction(value: Value): value is LuaFunction | Builtin {
  return value instanceof LuaFunction || value instanceof Builtin;
}
