/**
 * Arithmetic on numbers (lua.md §4): exact integers of any size, floats that are always finite.
 * `undefined` stands for the bad-arithmetic error of the reference.
 */
import { pow } from './math-exact.ts';
import { wholeToInteger } from './number-text.ts';
import { LuaFloat } from './value.ts';

export type Num = number | bigint | LuaFloat;

/** Integers beyond this are refused, as the reference's host does (4 Mbit). */
const LARGEST = 1n << 4194240n;
/** Held, because making it takes longer than most of what is done with integers. */
const LEAST = -LARGEST;

/** A bigint in the smallest form, or undefined if it is too large. */
export function shrink(value: bigint): number | bigint | undefined {
  if (value >= -9007199254740991n && value <= 9007199254740991n) return Number(value);
  return value < LARGEST && value > LEAST ? value : undefined;
}

/** 1024 bits, and twice that and so on: comparing with one of another length takes no time. */
const SIZES = Array.from({ length: 13 }, (_, k) => 1n << BigInt(1024 * 2 ** k));

/** How long an integer is in pieces of 1024 bits, rounded up to a power of two; 0 for what is no long integer. */
export function pieces(value: Num): number {
  if (typeof value !== 'bigint') return 0;
  const size = value < 0n ? -value : value;
  let count = 1;
  for (const limit of SIZES) {
    if (size < limit) break;
    count *= 2;
  }
  return count;
}

function finite(n: number): LuaFloat | undefined {
  return Number.isFinite(n) ? new LuaFloat(n) : undefined;
}

/** The double nearest to a number; undefined if there is none. */
export function toDouble(value: Num): number | undefined {
  if (value instanceof LuaFloat) return value.n;
  const n = Number(value);
  return Number.isFinite(n) ? n : undefined;
}

/** floor as an exact integer. */
export function floorInteger(n: number): number | bigint {
  return wholeToInteger(Math.floor(n));
}

export type BinaryName = '+' | '-' | '*' | '/' | '//' | '%' | '^';

export function arithmetic(op: BinaryName, a: Num, b: Num): Num | undefined {
  if (!(a instanceof LuaFloat) && !(b instanceof LuaFloat)) return integers(op, a, b);
  const x = toDouble(a);
  const y = toDouble(b);
  if (x === undefined || y === undefined) return undefined;
  switch (op) {
    case '+':
      return finite(x + y);
    case '-':
      return finite(x - y);
    case '*':
      return finite(x * y);
    case '/':
      return y === 0 ? undefined : finite(x / y);
    case '//': {
      const quotient = y === 0 ? Infinity : x / y;
      return Number.isFinite(quotient) ? new LuaFloat(Math.floor(quotient) + 0) : undefined;
    }
    case '%':
      return modulo(a, b, x, y);
    case '^':
      return power(x, y);
  }
}

function modulo(a: Num, b: Num, x: number, y: number): Num | undefined {
  const quotient = y === 0 ? Infinity : x / y;
  if (!Number.isFinite(quotient)) return undefined;
  // The floor is an integer in the formula a − floor(a/b)·b, so an integer divisor is multiplied exactly.
  const product = arithmetic('*', floorInteger(quotient), b);
  return product === undefined ? undefined : arithmetic('-', a, product);
}

function power(x: number, y: number): LuaFloat | undefined {
  return finite(pow(x, y));
}

/**
 * Integers with integers. `//` takes one off a negative quotient with a remainder; a quotient that was cut to zero has
 * no sign to tell it by and stays zero, as in the reference: `-1 // 3` is 0, `-4 // 3` is −2.
 */
function integers(op: BinaryName, a: number | bigint, b: number | bigint): Num | undefined {
  if (op === '/') {
    const x = Number(a);
    const y = Number(b);
    if (y === 0 || !Number.isFinite(x) || !Number.isFinite(y)) return undefined;
    return finite(x / y);
  }
  if (op === '^') {
    const x = Number(a);
    const y = Number(b);
    return Number.isFinite(x) && Number.isFinite(y) ? power(x, y) : undefined;
  }
  if ((op === '//' || op === '%') && b === 0) return undefined;
  if (typeof a === 'number' && typeof b === 'number') {
    const fast = small(op, a, b);
    if (fast !== undefined) return fast;
  }
  return shrinkResult(op, BigInt(a), BigInt(b));
}

function small(op: BinaryName, a: number, b: number): number | undefined {
  let r: number;
  if (op === '+') r = a + b;
  else if (op === '-') r = a - b;
  else if (op === '*') r = a * b;
  else {
    const remainder = a % b;
    const adjust = remainder !== 0 && remainder < 0 !== b < 0;
    if (op === '%') return (adjust ? remainder + b : remainder) + 0;
    // Exact: the quotient of two safe integers without its remainder is a whole number that a double holds.
    r = (a - remainder) / b;
    if (adjust && r < 0) r--;
  }
  return Number.isSafeInteger(r) ? r + 0 : undefined;
}

function shrinkResult(op: BinaryName, a: bigint, b: bigint): number | bigint | undefined {
  if (op === '+') return shrink(a + b);
  if (op === '-') return shrink(a - b);
  if (op === '*') return shrink(a * b);
  const remainder = a % b;
  const adjust = remainder !== 0n && remainder < 0n !== b < 0n;
  if (op === '%') return shrink(adjust ? remainder + b : remainder);
  const quotient = a / b;
  return shrink(adjust && quotient < 0n ? quotient - 1n : quotient);
}

export function negate(a: Num): Num {
  if (a instanceof LuaFloat) return new LuaFloat(-a.n);
  return typeof a === 'number' ? 0 - a : shrink(-a)!;
}

export type BitName = '&' | '|' | '~' | '<<' | '>>';

/** Bit operators on integers: unbounded two's complement, `>>` arithmetic. */
export function bitwise(op: BitName, a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === 'number' && typeof b === 'number' && a === (a | 0) && b === (b | 0)) {
    if (op === '&') return a & b;
    if (op === '|') return a | b;
    if (op === '~') return a ^ b;
  }
  const x = BigInt(a);
  const y = BigInt(b);
  if (op === '&') return shrink(x & y);
  if (op === '|') return shrink(x | y);
  if (op === '~') return shrink(x ^ y);
  return shift(x, op === '<<' ? y : -y);
}

function shift(x: bigint, left: bigint): number | bigint | undefined {
  if (x === 0n) return 0;
  if (left > 4194240n) return undefined;
  // Shifting an integer right by more bits than it has leaves 0 or −1.
  if (left < -4194304n) return x < 0n ? -1 : 0;
  return shrink(left >= 0n ? x << left : x >> -left);
}

export function complement(a: number | bigint): number | bigint {
  return typeof a === 'number' ? -1 - a : shrink(~a)!;
}

/** Exact equality of numbers across kinds. */
export function equalNumbers(a: Num, b: Num): boolean {
  const x = a instanceof LuaFloat ? a.n : a;
  const y = b instanceof LuaFloat ? b.n : b;
  // eslint-disable-next-line eqeqeq -- a number and a bigint compare exactly only this way
  return x == y;
}

export function lessNumbers(a: Num, b: Num): boolean {
  return (a instanceof LuaFloat ? a.n : a) < (b instanceof LuaFloat ? b.n : b);
}

export function lessEqualNumbers(a: Num, b: Num): boolean {
  return (a instanceof LuaFloat ? a.n : a) <= (b instanceof LuaFloat ? b.n : b);
}
