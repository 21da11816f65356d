/** Expressions to instructions (lua.md §4, §6.2). */
import type { BinaryOp, Exp, Field, FunctionNode, Variable } from './ast.ts';
import { Assembler, type EnvChain } from './assembler.ts';
import { Op } from './opcodes.ts';
import type { Proto } from './proto.ts';

const BINARY: Record<string, number> = {
  '+': Op.ADD,
  '-': Op.SUB,
  '*': Op.MUL,
  '/': Op.DIV,
  '//': Op.IDIV,
  '%': Op.MOD,
  '^': Op.POW,
  '&': Op.BAND,
  '|': Op.BOR,
  '~': Op.BXOR,
  '<<': Op.SHL,
  '>>': Op.SHR,
  '..': Op.CONCAT,
  '==': Op.EQ,
  '~=': Op.NE,
  '<': Op.LT,
  '<=': Op.LE,
  '>': Op.GT,
  '>=': Op.GE,
};
const UNARY = { '-': Op.UNM, not: Op.NOT, '#': Op.LEN, '~': Op.BNOT };
const FUSED: Record<string, number> = {
  '==': Op.JEQ,
  '~=': Op.JNE,
  '<': Op.JLT,
  '<=': Op.JLE,
  '>': Op.JGT,
  '>=': Op.JGE,
};

/** A jump whose target is not known yet: instruction and field. */
export type Jump = readonly [at: number, field: 1 | 2 | 3];

/** May it have more or fewer than one value? In the reference the branches of `and` and `or` may, too. */
export function isOpen(exp: Exp): boolean {
  if (exp.kind === 'call' || exp.kind === 'method' || exp.kind === 'vararg') return true;
  return (
    exp.kind === 'binary' && (exp.op === 'and' || exp.op === 'or') && (isOpen(exp.left) || isOpen(exp.right))
  );
}

export abstract class ExpressionCompiler extends Assembler {
  protected abstract function(node: FunctionNode, env: EnvChain | undefined): Proto;

  /** The register that holds the value: a local's own, a constant's, or a new temporary. */
  any(exp: Exp): number {
    if (exp.kind === 'local' && !exp.variable.captured) return exp.variable.slot;
    if (exp.kind === 'constant') return this.constant(exp.value);
    if (exp.kind === 'paren') return this.any(exp.exp);
    const register = this.reserve();
    this.into(exp, register);
    return register;
  }

  /** Compiles to exactly `register`, which is either new or written last. */
  into(exp: Exp, register: number): void {
    const mark = this.free;
    switch (exp.kind) {
      case 'constant':
        this.emit(Op.MOVE, register, this.constant(exp.value));
        break;
      case 'local':
        this.#local(exp.variable, register);
        break;
      case 'global':
        this.emit(Op.GETGLOBAL, register, this.constant(exp.name));
        break;
      case 'paren':
        this.into(exp.exp, register);
        break;
      case 'vararg':
        this.emit(Op.VARARG, register, 1);
        break;
      case 'function':
        this.closure(exp, register);
        break;
      case 'index': {
        const object = this.any(exp.object);
        const key = this.any(exp.key);
        const field = exp.key.kind === 'constant' && typeof exp.key.value === 'string';
        this.emit(field ? Op.GETFIELD : Op.GET, register, object, key);
        break;
      }
      case 'call':
      case 'method': {
        const base = this.#call(exp, register, 1);
        if (base !== register) this.emit(Op.MOVE, register, base);
        break;
      }
      case 'table':
        this.#table(exp.fields, register);
        break;
      case 'unary': {
        const operand = this.any(exp.exp);
        this.emit(UNARY[exp.op], register, operand);
        break;
      }
      case 'binary':
        this.#binary(exp, register);
    }
    this.free = mark;
  }

  #local(variable: Variable, register: number): void {
    if (variable.captured) {
      const { depth, index } = this.locate(variable);
      this.emit(Op.GETENV, register, depth, index);
    } else if (variable.slot !== register) this.emit(Op.MOVE, register, variable.slot);
  }

  closure(node: FunctionNode, register: number): void {
    this.children.push(this.function(node, this.env));
    this.emit(Op.CLOSURE, register, this.children.length - 1);
  }

  #binary(exp: Extract<Exp, { kind: 'binary' }>, register: number): void {
    if (exp.op === 'and' || exp.op === 'or') {
      this.into(exp.left, register);
      const jump = this.emit(exp.op === 'and' ? Op.JUMPF : Op.JUMPT, register);
      this.into(exp.right, register);
      this.patch(jump, 2);
      return;
    }
    const left = this.any(exp.left);
    const right = this.any(exp.right);
    this.emit(BINARY[exp.op]!, register, left, right);
    if (exp.op === '==' || exp.op === '~=') this.emit(Op.TOBOOL, register, exp.op === '~=' ? 1 : 0);
  }

  #table(fields: readonly Field[], register: number): void {
    if (fields.length === 0) {
      this.emit(Op.NEWTABLE, register, 0);
      return;
    }
    this.emit(Op.NEWTABLE, register, 1);
    let position = 0;
    fields.forEach((field, i) => {
      const mark = this.free;
      if (field.key) {
        const key = this.any(field.key);
        this.emit(Op.INIT, register, key, this.any(field.value));
      } else if (i === fields.length - 1 && isOpen(field.value)) {
        this.open(field.value);
        this.emit(Op.INITREST, register, position + 1);
      } else this.emit(Op.INITPOS, register, ++position, this.any(field.value));
      this.free = mark;
    });
    this.emit(Op.ENDTABLE, register);
  }

  /**
   * A call with `want` results from the register it answers (`at` if that is the newest one); −1: into M.
   * The registers of the results are not reserved.
   */
  #call(exp: Extract<Exp, { kind: 'call' | 'method' }>, at: number, want: number): number {
    const base = at >= 0 && at === this.free - 1 ? at : this.reserve();
    let count = 0;
    if (exp.kind === 'call') this.into(exp.callee, base);
    else {
      this.into(exp.object, this.reserve());
      count = 1;
    }
    count = this.#arguments(exp.args, count);
    if (exp.kind === 'method') this.emit(Op.METHOD, base, this.constant(exp.name));
    this.emit(Op.CALL, base, count, want);
    return base;
  }

  /** Values into the next registers; their number, or −1−n if M follows n of them. */
  #arguments(exps: readonly Exp[], before: number): number {
    let count = before;
    for (const [i, exp] of exps.entries()) {
      if (i === exps.length - 1 && isOpen(exp)) {
        this.open(exp);
        return -1 - count;
      }
      this.into(exp, this.reserve());
      count++;
    }
    return count;
  }

  /** A list of values from `base`: count as for `CALL`. */
  list(exps: readonly Exp[]): { base: number; count: number } {
    const base = this.free;
    return { base, count: this.#arguments(exps, 0) };
  }

  /** All values of an expression into M. */
  open(exp: Exp): void {
    const mark = this.free;
    if (exp.kind === 'vararg') this.emit(Op.VARARG, 0, -1);
    else if (exp.kind === 'call' || exp.kind === 'method') this.#call(exp, -1, -1);
    else if (exp.kind === 'binary' && isOpen(exp)) {
      this.open(exp.left);
      const jump = this.emit(exp.op === 'and' ? Op.JUMPMF : Op.JUMPMT);
      this.open(exp.right);
      this.patch(jump, 1);
    } else this.emit(Op.SINGLE, this.any(exp));
    this.free = mark;
  }

  /** Evaluates for nothing but its effects. */
  statementCall(exp: Exp): void {
    const mark = this.free;
    if (exp.kind === 'call' || exp.kind === 'method') this.#call(exp, -1, 0);
    this.free = mark;
  }

  /** Exactly `count` values in new registers, which stay reserved. */
  adjust(exps: readonly Exp[], count: number): number {
    const base = this.free;
    exps.forEach((exp, i) => {
      const missing = count - i;
      if (i === exps.length - 1 && missing > 1 && isOpen(exp)) {
        this.#spread(exp, missing);
        return;
      }
      this.into(exp, this.reserve());
      if (missing <= 0) this.free--;
    });
    const made = this.free - base;
    if (made < count) this.emit(Op.NIL, this.reserve(count - made), count - made);
    return base;
  }

  #spread(exp: Exp, count: number): void {
    const base = this.free;
    if (exp.kind === 'vararg') this.emit(Op.VARARG, this.reserve(count), count);
    else if (exp.kind === 'call' || exp.kind === 'method') {
      this.#call(exp, -1, count);
      this.free = base;
      this.reserve(count);
    } else {
      this.open(exp);
      this.emit(Op.SPREAD, this.reserve(count), count);
    }
  }

  /** Code that jumps if the truth of `exp` is `sense`, and goes on otherwise. */
  jump(exp: Exp, sense: boolean): Jump[] {
    const mark = this.free;
    const jumps = this.#jump(exp, sense);
    this.free = mark;
    return jumps;
  }

  #jump(exp: Exp, sense: boolean): Jump[] {
    if (exp.kind === 'paren') return this.#jump(exp.exp, sense);
    if (exp.kind === 'unary' && exp.op === 'not') return this.#jump(exp.exp, !sense);
    if (exp.kind === 'binary') {
      if (exp.op === 'and' || exp.op === 'or') {
        // `and` is false as soon as one side is; `or` is true as soon as one side is.
        const early = exp.op === 'or';
        if (sense === early) return [...this.jump(exp.left, sense), ...this.jump(exp.right, sense)];
        const skip = this.jump(exp.left, early);
        const jumps = this.jump(exp.right, sense);
        this.land(skip);
        return jumps;
      }
      if (FUSED[exp.op] !== undefined) return this.#compare(exp, sense);
    }
    const register = this.any(exp);
    return [[this.emit(sense ? Op.JUMPT : Op.JUMPF, register), 2]];
  }

  #compare(exp: { op: BinaryOp; left: Exp; right: Exp }, sense: boolean): Jump[] {
    const left = this.any(exp.left);
    const right = this.any(exp.right);
    const short = this.emit(FUSED[exp.op]!, left, right);
    const result = this.reserve();
    this.emit(BINARY[exp.op]!, result, left, right);
    if (exp.op === '==' || exp.op === '~=') this.emit(Op.TOBOOL, result, exp.op === '~=' ? 1 : 0);
    const long = this.emit(Op.JUMPF, result);
    const onFalse: Jump[] = [
      [short, 3],
      [long, 2],
    ];
    if (!sense) return onFalse;
    const onTrue = this.emit(Op.JUMP);
    this.land(onFalse);
    return [[onTrue, 1]];
  }

  land(jumps: readonly Jump[], target = this.here): void {
    for (const [at, field] of jumps) this.patch(at, field, target);
  }

  /** Is it safe to compile straight into a variable that the expression may read? */
  writesLast(exp: Exp): boolean {
    if (exp.kind === 'paren') return this.writesLast(exp.exp);
    return exp.kind !== 'table' && !(exp.kind === 'binary' && (exp.op === 'and' || exp.op === 'or'));
  }
}
