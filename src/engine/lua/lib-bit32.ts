/** The bit32 library (lua.md §10.8): arguments modulo 2^32, results floats. */
import { integers } from './arguments.ts';
import { badArgument, LuaCrash } from './errors.ts';
import { Library, type Builtins } from './library.ts';
import type { State } from './state.ts';
import { LuaFloat, type Answer, type Value } from './value.ts';

export function bit32(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'bit32', builtins);
  const all = (name: string, none: number, fn: (a: bigint, b: bigint) => bigint): void =>
    lib.add(name, (args) => fold(name, args, none, fn), `f${name}`);
  const two = (name: string, fn: (x: bigint, y: bigint) => bigint): void =>
    lib.add(
      name,
      (args) => {
        const numbers = integers(args);
        if (!numbers || numbers.length < 2) throw badArgument(name, args);
        return float(fn(word(numbers[0]!), BigInt(numbers[1]!)));
      },
      `f${name}`,
    );
  all('band', 4294967295, (a, b) => a & b);
  lib.add(
    'bnot',
    (args) => {
      const numbers = integers(args);
      if (!numbers) throw badArgument('bnot', args);
      if (numbers.length === 0) throw new LuaCrash('case_clause: bnot without arguments');
      return float(~word(numbers[0]!));
    },
    'fbnot',
  );
  all('bor', 0, (a, b) => a | b);
  lib.add(
    'btest',
    (args) => {
      const value = fold('btest', args, 4294967295, (a, b) => a & b);
      return (value instanceof LuaFloat ? value.n : value) !== 0;
    },
    'fbtest',
  );
  all('bxor', 0, (a, b) => a ^ b);
  two('lshift', (x, y) => shift(x, y));
  two('rshift', (x, y) => shift(x, -y));
  two('arshift', (x, y) => shift(x, -y));
  two('lrotate', (x, y) => rotate(x, y));
  two('rrotate', (x, y) => rotate(x, -y));
  lib.add('extract', extract, 'fextract');
  lib.add('replace', replace, 'freplace');
  return lib;
}

function word(n: number | bigint): bigint {
  return BigInt.asUintN(32, BigInt(n));
}

/** @throws LuaCrash beyond the range of a double */
function float(n: bigint): LuaFloat {
  const double = Number(n);
  if (!Number.isFinite(double)) throw new LuaCrash('badarg: an integer too large for a float');
  return new LuaFloat(double);
}

function fold(name: string, args: Value[], none: number, fn: (a: bigint, b: bigint) => bigint): Value {
  const numbers = integers(args);
  if (!numbers) throw badArgument(name, args);
  return numbers.length ? float(numbers.map(word).reduce(fn)) : none;
}

function shift(x: bigint, left: bigint): bigint {
  if (left > 2000n) return x === 0n ? 0n : 1n << 2000n;
  if (left < -64n) return 0n;
  return left >= 0n ? x << left : x >> -left;
}

function rotate(x: bigint, by: bigint): bigint {
  const left = ((by % 32n) + 32n) % 32n;
  return BigInt.asUintN(32, x << left) | (x >> (32n - left));
}

/** Checks a bit field; the reference reports both functions' widths as `extract`'s. */
function field(
  name: string,
  args: Value[],
  first: number | bigint,
  width: number | bigint,
): [bigint, bigint] {
  if (first < 0 || width <= 0) throw badArgument(name, args);
  if (BigInt(first) + BigInt(width) > 32n) throw badArgument('extract', args);
  return [BigInt(first), BigInt(width)];
}

function extract(args: Value[]): Answer {
  const numbers = integers(args);
  if (!numbers || numbers.length < 2) throw badArgument('extract', args);
  const [first, width] = field('extract', args, numbers[1]!, numbers[2] ?? 1);
  return float((word(numbers[0]!) >> first) % (1n << width));
}

function replace(args: Value[]): Answer {
  const numbers = integers(args);
  if (!numbers || numbers.length < 3) throw badArgument('replace', args);
  const [first, width] = field('replace', args, numbers[2]!, numbers[3] ?? 1);
  const n = word(numbers[0]!);
  const low = n % (1n << first);
  const high = (n >> (first + width)) << (first + width);
  return float(low + ((word(numbers[1]!) % (1n << width)) << first) + high);
}
