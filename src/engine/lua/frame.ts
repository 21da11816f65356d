/** Activations: the machine's call stack is a list of these, not the host's stack, so depth costs only memory. */
import type { Proto } from './proto.ts';
import { NONE, type Builtin, type Env, type LuaFunction, type Steps, type Value } from './value.ts';

/** A Lua function that is running. */
export class Frame {
  readonly up: AnyFrame | undefined;
  readonly fn: LuaFunction;
  readonly proto: Proto;
  readonly registers: Value[];
  env: Env;
  pc = 0;
  varargs: Value[] = NONE;
  /** Where the results go in the caller's registers, and how many: −1: all into M, −2 − n: see `deliver`. */
  readonly into: number;
  readonly want: number;

  constructor(up: AnyFrame | undefined, fn: LuaFunction, registers: Value[], into: number, want: number) {
    this.up = up;
    this.fn = fn;
    this.proto = fn.proto;
    this.registers = registers;
    this.env = fn.env;
    this.into = into;
    this.want = want;
  }
}

/** A built-in that waits for something it called. */
export class BuiltinFrame {
  readonly up: AnyFrame | undefined;
  readonly fn: Builtin;
  readonly args: Value[];
  readonly steps: Steps;
  readonly into: number;
  readonly want: number;

  constructor(
    up: AnyFrame | undefined,
    fn: Builtin,
    args: Value[],
    steps: Steps,
    into: number,
    want: number,
  ) {
    this.up = up;
    this.fn = fn;
    this.args = args;
    this.steps = steps;
    this.into = into;
    this.want = want;
  }
}

export type AnyFrame = Frame | BuiltinFrame;
