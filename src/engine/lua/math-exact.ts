/**
 * Elementary functions, correctly rounded: the same digits in every browser, and those of the reference's C library
 * but for one result in some hundreds (it does not always round correctly itself). Hyperbolic functions and log10 are
 * the host's: both sides descend from the same code there.
 *
 * Arguments are finite. NaN and infinity come out where there is no finite result.
 */
import {
  atanFixed,
  decompose,
  expFixed,
  fixed,
  lnFixed,
  nearest,
  pi,
  shift,
  sinCosFixed,
  sqrtFixed,
} from './fixed-point.ts';

export const { cosh, log10, sinh, tanh } = Math;

const BITS = 192;

/** Enough bits that a value of this magnitude keeps `BITS` significant ones. */
function bitsFor(x: number): number {
  return x === 0 ? BITS : BITS + Math.max(0, -decompose(x).exponent) * 2;
}

/** The same for an angle that is turned back by multiples of π: a large one needs as many more bits. */
function bitsForAngle(x: number): number {
  return x === 0 ? BITS : bitsFor(x) + Math.max(0, decompose(x).exponent);
}

export function exp(x: number): number {
  if (x === 0) return 1;
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  const bits = BITS + Math.max(0, -decompose(x).exponent);
  const { value, scale } = expFixed(fixed(x, bits), bits);
  return nearest(value, bits - scale);
}

export function log(x: number): number {
  if (x <= 0) return x === 0 ? -Infinity : NaN;
  return x === 1 ? 0 : nearest(lnFixed(x, BITS), BITS);
}

export function sin(x: number): number {
  if (x === 0) return x;
  const bits = bitsForAngle(x);
  return nearest(sinCosFixed(fixed(x, bits), bits).sin, bits);
}

export function cos(x: number): number {
  const bits = bitsForAngle(x);
  return nearest(sinCosFixed(fixed(x, bits), bits).cos, bits);
}

export function tan(x: number): number {
  if (x === 0) return x;
  const bits = bitsForAngle(x);
  const { sin: s, cos: c } = sinCosFixed(fixed(x, bits), bits);
  return nearest((s << BigInt(bits)) / c, bits);
}

export function atan(x: number): number {
  if (x === 0) return x;
  const bits = bitsFor(x) + Math.max(0, decompose(x).exponent);
  const angle = nearest(atanFixed(fixed(Math.abs(x), bits), bits), bits);
  return x < 0 ? -angle : angle;
}

export function atan2(y: number, x: number): number {
  if (y === 0) return Object.is(x, 0) || x > 0 ? y : Object.is(y, -0) ? -Math.PI : Math.PI;
  const sign = y < 0 ? -1 : 1;
  if (x === 0) return (sign * Math.PI) / 2;
  // The quotient with enough bits, however small or large it is.
  const difference = decompose(y).exponent - decompose(x).exponent;
  const bits = BITS + 2 * Math.abs(difference);
  const wide = bits + 2200;
  const quotient = (fixed(Math.abs(y), wide) << BigInt(bits)) / fixed(Math.abs(x), wide);
  const angle = atanFixed(quotient, bits);
  return sign * nearest(x > 0 ? angle : pi(bits) - angle, bits);
}

export function asin(x: number): number {
  if (Math.abs(x) > 1) return NaN;
  if (x === 0) return x;
  const bits = bitsFor(x);
  const v = fixed(Math.abs(x), bits);
  const one = 1n << BigInt(bits);
  const rest = sqrtFixed(one - ((v * v) >> BigInt(bits)), bits);
  const angle = nearest(rest === 0n ? pi(bits) >> 1n : atanFixed((v << BigInt(bits)) / rest, bits), bits);
  return x < 0 ? -angle : angle;
}

export function acos(x: number): number {
  if (Math.abs(x) > 1) return NaN;
  if (x === 1) return 0;
  if (x === -1) return Math.PI;
  const bits = BITS + 64;
  const v = fixed(x, bits);
  const one = 1n << BigInt(bits);
  const half = sqrtFixed(((one - v) << BigInt(bits)) / (one + v), bits);
  return nearest(2n * atanFixed(half, bits), bits);
}

export function pow(x: number, y: number): number {
  if (y === 0 || x === 1) return 1;
  if (x === 0) return powOfZero(x, y);
  if (x < 0 && !Number.isInteger(y)) return NaN;
  const negative = x < 0 && isOdd(y);
  const magnitude = Math.abs(x);
  if (magnitude === 1) return negative ? -1 : 1;
  const result = exactPower(magnitude, y) ?? generalPower(magnitude, y);
  return negative ? -result : result;
}

function isOdd(y: number): boolean {
  return Math.abs(y) < 2 ** 53 && y % 2 !== 0;
}

function powOfZero(x: number, y: number): number {
  const negative = Object.is(x, -0) && Number.isInteger(y) && isOdd(y);
  if (y > 0) return negative ? -0 : 0;
  return negative ? -Infinity : Infinity;
}

/** Whole powers that are small enough to be multiplied out: only these can lie half-way between two doubles. */
function exactPower(x: number, y: number): number | undefined {
  if (!Number.isInteger(y) || Math.abs(y) > 1100) return undefined;
  let { mantissa, power } = decompose(x);
  while ((mantissa & 1n) === 0n) {
    mantissa >>= 1n;
    power++;
  }
  if (mantissa === 1n) return nearest(1n, -power * y);
  const n = Math.abs(y);
  if (y < 0 || mantissa.toString(2).length * n > 4000) return undefined;
  return nearest(mantissa ** BigInt(n), -power * n);
}

function generalPower(x: number, y: number): number {
  const size = Math.log2(x) * y;
  if (size > 1030) return Infinity;
  if (size < -1080) return 0;
  const bits = BITS + 128;
  const { mantissa, power } = decompose(y);
  const exponent = shift(lnFixed(x, bits) * mantissa, power);
  const { value, scale } = expFixed(exponent, bits);
  return nearest(value, bits - scale);
}
