/** The mathematical library (lua.md §10.7). What the host's floating point refuses ends the call (§8). */
import { arithmetic, lessNumbers, toDouble, type Num } from './arithmetic.ts';
import { integers } from './arguments.ts';
import { badArgument, LuaCrash } from './errors.ts';
import { Library, type Builtins } from './library.ts';
import * as exact from './math-exact.ts';
import { toNumber, wholeToInteger } from './number-text.ts';
import { nextRandom, seedFromDouble } from './random.ts';
import type { State } from './state.ts';
import { LuaFloat, type Answer, type Value } from './value.ts';

/** The first arguments as numbers; where one does not convert it is undefined. */
type Numbers = (Num | undefined)[];

export function math(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'math', builtins);
  const numeric = (name: string, count: number, fn: (...numbers: Num[]) => Value): void =>
    lib.add(name, (args) => {
      const numbers = args.map(toNumber).slice(0, count);
      if (numbers.length < count || numbers.includes(undefined)) throw badArgument(name, args);
      return fn(...(numbers as Num[]));
    });
  const real = (name: string, fn: (x: number) => number): void =>
    numeric(name, 1, (x) => result(fn(double(x))));
  const real2 = (name: string, fn: (x: number, y: number) => number): void =>
    numeric(name, 2, (x, y) => result(fn(double(x), double(y!))));

  numeric('abs', 1, (x) => {
    if (x instanceof LuaFloat) return new LuaFloat(Math.abs(x.n));
    return x < 0 ? arithmetic('-', 0, x) : x;
  });
  real('acos', exact.acos);
  real('asin', exact.asin);
  lib.add('atan', (args) => {
    const [y, x]: Numbers = args.slice(0, 2).map(toNumber);
    if (y === undefined) throw badArgument('atan', args);
    return result(x === undefined ? exact.atan(double(y)) : exact.atan2(double(y), double(x)));
  });
  real2('atan2', exact.atan2);
  numeric('ceil', 1, (x) => (x instanceof LuaFloat ? wholeToInteger(Math.ceil(x.n)) : x));
  real('cos', exact.cos);
  real('cosh', exact.cosh);
  numeric('deg', 1, (x) => result((180 * double(x)) / Math.PI));
  real('exp', exact.exp);
  numeric('floor', 1, (x) => (x instanceof LuaFloat ? wholeToInteger(Math.floor(x.n)) : x));
  numeric('fmod', 2, fmod);
  lib.add('frexp', frexp);
  lib.value('huge', new LuaFloat(Number.MAX_VALUE));
  lib.add('ldexp', (args) => {
    const [mantissa, exponent]: Numbers = args.slice(0, 2).map(toNumber);
    if (!(mantissa instanceof LuaFloat) || exponent === undefined || exponent instanceof LuaFloat)
      throw badArgument('ldexp', args);
    return result(mantissa.n * result(2 ** Number(exponent)).n);
  });
  lib.add('log', (args) => {
    const [x, base]: Numbers = args.slice(0, 2).map(toNumber);
    if (x === undefined) throw badArgument('log', args);
    if (base === undefined) return result(exact.log(double(x)));
    const b = double(base);
    if (b === 10) return result(exact.log10(double(x)));
    return result(result(exact.log(double(x))).n / result(exact.log(b)).n);
  });
  numeric('log10', 1, (x) => {
    const n = double(x);
    return n === 0 ? new LuaFloat(-500) : result(exact.log10(n));
  });
  lib.add(
    'max',
    extreme('max', (best, x) => lessNumbers(best, x)),
  );
  lib.value('maxinteger', 2n ** 63n - 1n);
  lib.add(
    'min',
    extreme('min', (best, x) => lessNumbers(x, best)),
  );
  lib.value('mininteger', -(2n ** 63n));
  lib.add('modf', (args) => {
    const x = toNumber(args[0]);
    if (x === undefined) throw badArgument('modf', args);
    if (!(x instanceof LuaFloat)) return [x, new LuaFloat(0)];
    return [wholeToInteger(Math.trunc(x.n)), new LuaFloat(x.n - (Math.trunc(x.n) + 0))];
  });
  lib.value('pi', new LuaFloat(Math.PI));
  real2('pow', exact.pow);
  numeric('rad', 1, (x) => result((Math.PI * double(x)) / 180));
  lib.add('random', (args) => random(state, args));
  lib.add('randomseed', (args) => {
    const x = toNumber(args[0]);
    if (x === undefined) throw badArgument('randomseed', args);
    state.random = seedFromDouble(double(x));
    return [];
  });
  real('sin', exact.sin);
  real('sinh', exact.sinh);
  real('sqrt', Math.sqrt);
  real('tan', exact.tan);
  real('tanh', exact.tanh);
  lib.add('tointeger', (args) => {
    if (args.length === 0) throw badArgument('tointeger', args);
    const x = toNumber(args[0]);
    if (!(x instanceof LuaFloat)) return x;
    return Number.isInteger(x.n) ? wholeToInteger(x.n) : undefined;
  });
  lib.add('type', (args) => {
    if (args.length === 0) throw badArgument('type', args);
    const [x] = args;
    if (x instanceof LuaFloat) return 'float';
    return typeof x === 'number' || typeof x === 'bigint' ? 'integer' : undefined;
  });
  return lib;
}

/** @throws LuaCrash where the reference has no such float */
function result(n: number): LuaFloat {
  if (!Number.isFinite(n)) throw new LuaCrash('badarith: no finite number');
  return new LuaFloat(n);
}

function double(x: Num): number {
  const n = toDouble(x);
  if (n === undefined) throw new LuaCrash('badarith: an integer too large for a float');
  return n;
}

function extreme(name: string, better: (best: Num, x: Num) => boolean): (args: Value[]) => Answer {
  return (args) => {
    const numbers = args.map(toNumber);
    if (numbers.length === 0 || numbers.includes(undefined)) throw badArgument(name, args);
    return (numbers as Num[]).reduce((best, x) => (better(best, x) ? x : best));
  };
}

/** x − trunc(x/y)·y, the quotient a double. */
function fmod(x: Num, y: Num): Value {
  const divisor = double(y);
  const quotient = result(divisor === 0 ? NaN : double(x) / divisor).n;
  const product = arithmetic('*', wholeToInteger(Math.trunc(quotient)), y);
  const rest = product === undefined ? undefined : arithmetic('-', x, product);
  if (rest === undefined) throw new LuaCrash('badarith: fmod out of range');
  return rest;
}

/** From the bits of the double, as the reference does it: also for zero, whose mantissa comes out as one half. */
function frexp(args: Value[]): Answer {
  const x = toNumber(args[0]);
  if (x === undefined) throw badArgument('frexp', args);
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, double(x) + 0);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const mantissa = Number((bits & 0xfffffffffffffn) | (1n << 52n)) / 2 ** 53;
  return [new LuaFloat(bits >> 63n ? -mantissa : mantissa), exponent - 1022];
}

function random(state: State, args: Value[]): Answer {
  const range = integers(args);
  if (!range || range.length > 2) throw badArgument('random', args);
  const [m, n] = range;
  const low = n === undefined ? 1n : BigInt(m!);
  const high = m === undefined ? 0n : n === undefined ? BigInt(m) : BigInt(n);
  if (m !== undefined && high < low) throw badArgument('random', args);
  const { bits, next } = nextRandom(state.random);
  state.random = next;
  const fraction = Number(bits) / 2 ** 64;
  if (m === undefined) return new LuaFloat(fraction);
  const size = high - low + 1n;
  const offset =
    size < 1n << 64n ? bits % size : BigInt(wholeToInteger(Math.trunc(result(fraction * Number(size)).n)));
  const value = low + offset;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
