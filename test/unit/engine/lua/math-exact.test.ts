/** Elementary functions against values of a C library, and where they must refuse. */
import { describe, expect, test } from 'vitest';
import * as exact from '../../../../src/engine/lua/math-exact.ts';

describe('correctly rounded', () => {
  test.each([
    ['exp', [1], 2.718281828459045],
    ['exp', [-745.1], 5e-324],
    ['exp', [709.7], 1.6549840276802644e308],
    ['exp', [1e-300], 1],
    ['log', [2], 0.6931471805599453],
    ['log', [1.0000000000000002], 2.2204460492503128e-16],
    ['log', [5e-324], -744.4400719213812],
    ['sin', [1], 0.8414709848078965],
    ['sin', [1e22], -0.8522008497671888],
    ['sin', [1e300], -0.8178819121159085],
    ['sin', [3.141592653589793], 1.2246467991473532e-16],
    ['cos', [1e22], 0.523214785395139],
    ['cos', [1.5707963267948966], 6.123233995736766e-17],
    ['tan', [1], 1.5574077246549023],
    ['asin', [0.5], 0.5235987755982989],
    ['asin', [-1], -1.5707963267948966],
    ['acos', [0.5], 1.0471975511965979],
    ['acos', [0.9999999999999999], 1.4901161193847656e-8],
    ['atan', [1e300], 1.5707963267948966],
    ['atan', [1e-300], 1e-300],
    ['atan2', [1, -1], 2.356194490192345],
    ['atan2', [-0, -1], -3.141592653589793],
    ['atan2', [0, -0], 3.141592653589793],
    ['atan2', [1e-300, 1e300], 0],
    ['pow', [2, 0.5], 1.4142135623730951],
    ['pow', [2, -1074], 5e-324],
    ['pow', [2, -1075], 0],
    ['pow', [10, 308], 1e308],
    ['pow', [10, -323], 1e-323],
    ['pow', [7, 19], 11398895185373144],
    ['pow', [-8, 3], -512],
    ['pow', [0.1, 10], 1.0000000000000006e-10],
    ['pow', [-0, 3], -0],
    ['pow', [1.0000000000000002, 1e15], 1.2486270715390861],
  ] as const)('%s%j', (name, args, value) => {
    const fn = exact[name] as (...args: readonly number[]) => number;
    expect(fn(...args)).toBe(value);
  });

  test.each([
    ['exp', [710]],
    ['log', [0]],
    ['log', [-1]],
    ['asin', [1.1]],
    ['acos', [-1.1]],
    ['pow', [-8, 0.5]],
    ['pow', [0, -1]],
    ['pow', [10, 309]],
  ] as const)('%s%j has no finite result', (name, args) => {
    const fn = exact[name] as (...args: readonly number[]) => number;
    expect(Number.isFinite(fn(...args))).toBe(false);
  });
});
