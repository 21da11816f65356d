/** Instructions, constants and registers of one function while it is compiled. */
import type { BlockScope, Variable } from './ast.ts';
import { CONSTANT, WIDTH } from './opcodes.ts';
import type { Proto } from './proto.ts';
import { ENV_VARIABLES, LuaFloat, type Value } from './value.ts';

/** Blocks that have an environment, innermost first. */
export interface EnvChain {
  readonly scope: BlockScope;
  readonly up: EnvChain | undefined;
}

type Constant = Exclude<Value, object>;

export class Assembler {
  readonly code: number[] = [];
  readonly lines: number[] = [];
  readonly children: Proto[] = [];
  /** Line of the statement that is compiled: what a trace tells. */
  line = 0;
  env: EnvChain | undefined;
  /** First register that is not in use. */
  free = 0;
  #registers = 0;
  readonly #constants = new Map<string, number>();
  readonly #values: Value[] = [];

  constructor(env: EnvChain | undefined) {
    this.env = env;
  }

  emit(op: number, a = 0, b = 0, c = 0): number {
    this.lines.push(this.line);
    return this.code.push(op, a, b, c) - WIDTH;
  }

  get here(): number {
    return this.code.length;
  }

  /** Makes the jump at `at` lead to `target`; `field` is where the instruction holds it. */
  patch(at: number, field: 1 | 2 | 3, target = this.here): void {
    this.code[at + field] = target;
  }

  reserve(count = 1): number {
    const first = this.free;
    this.free += count;
    if (this.free > this.#registers) this.#registers = this.free;
    return first;
  }

  constant(value: Constant | LuaFloat): number {
    const name =
      value instanceof LuaFloat
        ? `f${Object.is(value.n, -0) ? '-0' : value.n}`
        : `${typeof value}${String(value)}`;
    let index = this.#constants.get(name);
    if (index === undefined) {
      index = this.#values.push(value) - 1;
      this.#constants.set(name, index);
    }
    return CONSTANT + index;
  }

  /** Levels up and index of a captured variable. */
  locate(variable: Variable): { depth: number; index: number } {
    let depth = 0;
    for (let at = this.env; at; at = at.up) {
      if (at.scope === variable.block) break;
      depth++;
    }
    return { depth, index: ENV_VARIABLES + variable.block.captured.indexOf(variable) };
  }

  /** The finished code: constants get the registers after the last. */
  finish(): { code: Int32Array; lines: Int32Array; template: Value[] } {
    const code = Int32Array.from(this.code, (field) =>
      field >= CONSTANT ? field - CONSTANT + this.#registers : field,
    );
    const template: Value[] = [];
    for (let i = 0; i < this.#registers; i++) template.push(undefined);
    template.push(...this.#values);
    return { code, lines: Int32Array.from(this.lines), template };
  }
}
