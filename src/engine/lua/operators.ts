/**
 * Operators with everything that is not a plain case: coercion, metamethods, errors (lua.md §4, §7, §9).
 * A `Call` as answer means that a metamethod decides; its first result is the result.
 */
import {
  arithmetic,
  bitwise,
  complement,
  equalNumbers,
  lessEqualNumbers,
  lessNumbers,
  negate,
  pieces,
  type BinaryName,
  type BitName,
} from './arithmetic.ts';
import { luaError, LuaLimit, TermAtom } from './errors.ts';
import { isNumber, toInteger, toNumber, toText } from './number-text.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Call, isFunction, LuaFloat, type Value } from './value.ts';

/** How many tables an `__index` or `__newindex` chain may have: the reference would loop for ever. */
const CHAIN = 10_000;

export function truthy(value: Value): boolean {
  return value !== undefined && value !== false;
}

/** `object[key]`. */
export function index(state: State, object: Value, key: Value): Value | Call {
  return lookUp(state, object, key, 'illegal_index');
}

/** `object:name`: wherever the chain breaks, it is the object that lacks the method. */
export function method(state: State, object: Value, name: Value): Value | Call {
  return lookUp(state, object, name, 'undefined_method');
}

function lookUp(
  state: State,
  start: Value,
  key: Value,
  failure: 'illegal_index' | 'undefined_method',
): Value | Call {
  let object = start;
  for (let i = 0; i < CHAIN; i++) {
    let handler: Value;
    if (object instanceof LuaTable) {
      const value = object.get(key);
      if (value !== undefined || object.meta === undefined) return value;
      handler = object.meta.field('__index');
      if (handler === undefined) return undefined;
    } else {
      handler = state.event(object, '__index');
      if (handler === undefined)
        throw luaError(failure, failure === 'undefined_method' ? start : object, key);
    }
    if (isFunction(handler)) return new Call(handler, [object, key]);
    object = handler;
  }
  throw new LuaLimit('depth', 'A chain of __index does not end.');
}

/** `object[key] = value`. */
export function assign(state: State, object: Value, key: Value, value: Value): Call | undefined {
  for (let i = 0; i < CHAIN; i++) {
    if (key === undefined) throw luaError('illegal_index', object, key);
    let handler: Value;
    if (object instanceof LuaTable) {
      handler = object.meta?.field('__newindex');
      if (handler === undefined || object.get(key) !== undefined) {
        object.set(key, value);
        return undefined;
      }
    } else {
      handler = state.event(object, '__newindex');
      if (handler === undefined) throw luaError('illegal_index', object, key);
    }
    if (isFunction(handler)) return new Call(handler, [object, key, value]);
    object = handler;
  }
  throw new LuaLimit('depth', 'A chain of __newindex does not end.');
}

const EVENTS: Record<string, string> = {
  '+': '__add',
  '-': '__sub',
  '*': '__mul',
  '/': '__div',
  '//': '__idiv',
  '%': '__mod',
  '^': '__pow',
  '&': '__band',
  '|': '__bor',
  '~': '__bxor',
  '<<': '__shl',
  '>>': '__shr',
};

export function arith(state: State, op: BinaryName, a: Value, b: Value): Value | Call {
  const x = toNumber(a);
  const y = x === undefined ? undefined : toNumber(b);
  if (x === undefined || y === undefined) return binaryEvent(state, op, a, b);
  if (typeof x === 'bigint' || typeof y === 'bigint') charge(state, op, pieces(x), pieces(y));
  const result = arithmetic(op, x, y);
  if (result === undefined) throw luaError('badarith', new TermAtom(op), [x, y]);
  return result;
}

export function bits(state: State, op: BitName, a: Value, b: Value): Value | Call {
  const x = toInteger(a);
  const y = x === undefined ? undefined : toInteger(b);
  if (x === undefined || y === undefined) return binaryEvent(state, op, a, b);
  if (typeof x === 'bigint' || typeof y === 'bigint') charge(state, op, pieces(x), pieces(y));
  const result = bitwise(op, x, y);
  if (result === undefined) throw luaError('badarith', new TermAtom(op), [x, y]);
  return result;
}

/** What an operation on long integers takes of the steps: each of them does work that grows with their length. */
function charge(state: State, op: BinaryName | BitName, a: number, b: number): void {
  const divides = op === '//' || op === '%';
  const parts = op === '*' || divides ? Math.ceil(Math.min(a, b) / 16) : 1;
  state.spend(Math.max(a, b) * Math.max(1, parts) * (divides ? 4 : 1));
}

function binaryEvent(state: State, op: string, a: Value, b: Value): Call {
  const handler = state.eventOf(a, b, EVENTS[op]!);
  if (handler === undefined) throw luaError('badarith', new TermAtom(op), [a, b]);
  return new Call(handler, [a, b]);
}

export function minus(state: State, a: Value): Value | Call {
  const x = toNumber(a);
  return x === undefined ? unaryEvent(state, '-', '__unm', a) : negate(x);
}

export function not(state: State, a: Value): Value | Call {
  const x = toInteger(a);
  return x === undefined ? unaryEvent(state, '~', '__bnot', a) : complement(x);
}

function unaryEvent(state: State, op: string, event: string, a: Value): Call {
  const handler = state.event(a, event);
  if (handler === undefined) throw luaError('badarith', new TermAtom(op), [a]);
  return new Call(handler, [a]);
}

export function length(state: State, a: Value): Value | Call {
  if (typeof a === 'string') return a.length;
  const handler = state.event(a, '__len');
  if (handler !== undefined) return new Call(handler, [a]);
  if (a instanceof LuaTable) return a.length();
  throw luaError('badarg', new TermAtom('#'), [a]);
}

export function concat(state: State, a: Value, b: Value): Value | Call {
  const x = textOf(state, a);
  const y = x === undefined ? undefined : textOf(state, b);
  if (x === undefined || y === undefined) return compareEvent(state, '..', '__concat', a, b);
  if (x.length + y.length > state.largest) throw new LuaLimit('memory', 'A string is too long.');
  return x + y;
}

/** `toText`, which for a long integer is work. */
export function textOf(state: State, value: Value): string | undefined {
  if (typeof value === 'bigint') state.spend((pieces(value) ** 2) >> 2);
  return toText(value);
}

function compareEvent(state: State, op: string, event: string, a: Value, b: Value): Call {
  const handler = state.eventOf(a, b, event);
  if (handler === undefined) throw luaError('badarg', new TermAtom(op), [a, b]);
  return new Call(handler, [a, b]);
}

/** Equality without metamethods (lua.md §2.5). */
export function rawEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  return isNumber(a) && isNumber(b) && equalNumbers(a, b);
}

/** `a == b`; the truth of a `Call`'s first result is the result. */
export function equal(state: State, a: Value, b: Value): boolean | Call {
  if (rawEqual(a, b)) return true;
  if (!(a instanceof LuaTable) || !(b instanceof LuaTable)) return false;
  const handler = state.event(a, '__eq');
  if (handler === undefined || !sameValue(handler, state.event(b, '__eq'))) return false;
  return new Call(handler, [a, b]);
}

/** The same value of the same kind. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  return a instanceof LuaFloat && b instanceof LuaFloat && Object.is(a.n, b.n);
}

export function less(state: State, op: '<' | '>', a: Value, b: Value): Value | Call {
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  if (isNumber(a) && isNumber(b)) return lessNumbers(a, b);
  return compareEvent(state, op, '__lt', a, b);
}

export function lessEqual(state: State, op: '<=' | '>=', a: Value, b: Value): Value | Call {
  if (typeof a === 'string' && typeof b === 'string') return a <= b;
  if (isNumber(a) && isNumber(b)) return lessEqualNumbers(a, b);
  const handler = state.eventOf(a, b, '__le');
  if (handler !== undefined) return new Call(handler, [a, b]);
  // The reference asks `__lt` with the operands exchanged and does not negate.
  const fallback = state.eventOf(a, b, '__lt');
  if (fallback === undefined) throw luaError('badarg', new TermAtom(op), [a, b]);
  return new Call(fallback, [b, a]);
}
