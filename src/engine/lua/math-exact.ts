/** Elementary functions. */
export const { acos, asin, atan, atan2, cos, cosh, exp, log, log10, sin, sinh, tan, tanh, pow } = Math;
