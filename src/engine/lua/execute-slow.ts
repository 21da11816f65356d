/** The instructions' longer cases, kept out of the loop so that it stays small enough to be optimised. */
import {
  arithmetic,
  lessEqualNumbers,
  lessNumbers,
  type BinaryName,
  type BitName,
  type Num,
} from './arithmetic.ts';
import { badArgument, LuaCrash } from './errors.ts';
import type { Frame } from './frame.ts';
import type { Interpreter } from './interpreter.ts';
import { next } from './lib-basic-next.ts';
import { isNumber, toNumber } from './number-text.ts';
import { arith, bits, concat, equal, length, less, lessEqual, minus, not } from './operators.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Call, LuaFloat, type Value } from './value.ts';

const ARITHMETIC: Record<number, BinaryName> = {
  40: '+',
  41: '-',
  42: '*',
  43: '/',
  44: '//',
  45: '%',
  46: '^',
};
const BITS: Record<number, BitName> = { 47: '&', 48: '|', 49: '~', 50: '<<', 51: '>>' };

/** An operator into register `a`; false if a metamethod has been called for it. */
export function slow(machine: Interpreter, op: number, a: number, x: Value, y: Value): boolean {
  const result = operate(machine.state, op, x, y);
  if (result instanceof Call) {
    machine.call(result.fn, result.args, a, 1);
    return false;
  }
  (machine.frame as Frame).registers[a] = result;
  return true;
}

function operate(state: State, op: number, x: Value, y: Value): Value | Call {
  // Floats that stay in range are by far the most common of what comes here.
  if (op >= 40 && op <= 43) {
    const n = double(op, x, y);
    if (n - n === 0) return new LuaFloat(n);
  }
  switch (op) {
    case 37:
      return minus(state, x);
    case 38:
      return not(state, x);
    case 39:
      return length(state, x);
    case 52:
      return concat(state, x, y);
  }
  const name = ARITHMETIC[op];
  if (name === undefined) return bits(state, BITS[op]!, x, y);
  return arith(state, name, x, y);
}

/** `x op y` if one of them is a float and the other one or a safe integer; no number otherwise. */
function double(op: number, x: Value, y: Value): number {
  const isFloat = x instanceof LuaFloat;
  if (!isFloat && !(y instanceof LuaFloat)) return NaN;
  const a = isFloat ? x.n : typeof x === 'number' ? x : NaN;
  const b = y instanceof LuaFloat ? y.n : typeof y === 'number' ? y : NaN;
  if (op === 40) return a + b;
  if (op === 41) return a - b;
  return op === 42 ? a * b : b === 0 ? NaN : a / b;
}

/**
 * A comparison into register `a`. Equality is followed by an instruction that makes a metamethod's result a boolean;
 * it is skipped if none was called.
 */
export function slowCompare(machine: Interpreter, op: number, a: number, x: Value, y: Value): boolean {
  const frame = machine.frame as Frame;
  const result = compare(machine.state, op, x, y);
  if (result instanceof Call) {
    machine.call(result.fn, result.args, a, 1);
    return false;
  }
  frame.registers[a] = op === 54 ? !result : result;
  if (op <= 54) frame.pc += 4;
  return true;
}

function compare(state: State, op: number, x: Value, y: Value): Value | Call {
  switch (op) {
    case 55:
      return less(state, '<', x, y);
    case 56:
      return lessEqual(state, '<=', x, y);
    case 57:
      return less(state, '>', y, x);
    case 58:
      return lessEqual(state, '>=', y, x);
    default:
      return equal(state, x, y);
  }
}

/**
 * Where to go after a comparing jump: behind its long form if the comparison holds, to `target` if it does not,
 * into the long form if this needs more than two numbers or two strings.
 */
export function compareJump(op: number, x: Value, y: Value, pc: number, target: number): number {
  let holds: boolean;
  if (typeof x === 'string' && typeof y === 'string')
    holds = op === 61 ? x < y : op === 62 ? x <= y : op === 63 ? x > y : x >= y;
  else if (isNumber(x) && isNumber(y))
    holds =
      op === 61
        ? lessNumbers(x, y)
        : op === 62
          ? lessEqualNumbers(x, y)
          : op === 63
            ? lessNumbers(y, x)
            : lessEqualNumbers(y, x);
  else return pc;
  return holds ? pc + 8 : target;
}

/** Numeric `for`: checks the three controls in R[a …], sets the variable; false if there is no round. */
export function forPrepare(R: Value[], a: number): boolean {
  const controls = [R[a], R[a + 1], R[a + 2]];
  const numbers = controls.map(toNumber);
  if (numbers.includes(undefined)) throw badArgument('loop', controls);
  for (let i = 0; i < 3; i++) R[a + i] = numbers[i];
  R[a + 1] = wholeLimit(numbers[0], numbers[1]!, numbers[2]);
  return round(R, a);
}

/** For an integer counter a float limit is as good as the last integer before it, and faster. */
function wholeLimit(start: Value, limit: Num, step: Value): Num {
  if (typeof start !== 'number' || typeof step !== 'number' || !(limit instanceof LuaFloat)) return limit;
  const whole = step > 0 ? Math.floor(limit.n) : Math.ceil(limit.n);
  return Number.isSafeInteger(whole) ? whole + 0 : limit;
}

/** Next round of a numeric `for`; false at the end. */
export function forLoop(R: Value[], a: number): boolean {
  const sum = arithmetic('+', R[a] as number, R[a + 2] as number);
  // The reference adds outside of what turns bad arithmetic into an error.
  if (sum === undefined) throw new LuaCrash('badarith: a loop counter out of range');
  R[a] = sum;
  return round(R, a);
}

function round(R: Value[], a: number): boolean {
  const i = R[a] as number;
  const limit = R[a + 1] as number;
  const step = R[a + 2] as number;
  const going = lessNumbers(0, step)
    ? lessEqualNumbers(i, limit)
    : lessNumbers(step, 0) && lessEqualNumbers(limit, i);
  if (going) R[a + 3] = i;
  return going;
}

/** A generic `for` over `next` itself, without a call; false if it is something else. */
export function tableNext(fn: Value, R: Value[], a: number, count: number): boolean {
  if (fn !== next) return false;
  const table = R[a + 1];
  if (!(table instanceof LuaTable)) return false;
  const pair = table.next(R[a + 2]);
  R[a + 3] = pair?.[0];
  if (count > 1) R[a + 4] = pair?.[1];
  for (let i = 2; i < count; i++) R[a + 3 + i] = undefined;
  return true;
}
