/**
 * Instructions of the register machine. R[x] is a register (constants are registers too), M the list of open results.
 */
export const Op = {
  MOVE: 0, //       R[a] = R[b]
  NIL: 1, //        R[a … a+b−1] = nil
  GETENV: 2, //     R[a] = variable c of the environment b levels up
  SETENV: 3, //     variable c of the environment b levels up = R[a]
  GETGLOBAL: 4, //  R[a] = _G[R[b]]
  SETGLOBAL: 5, //  _G[R[b]] = R[a]
  GET: 6, //        R[a] = R[b][R[c]]
  GETFIELD: 7, //   the same with a constant string
  SET: 8, //        R[a][R[b]] = R[c]
  CALL: 9, //       R[a …] = R[a](b arguments, −1−b: and M); c results, −1: into M
  METHOD: 10, //    R[a] = method R[b] of R[a+1]
  RETURN: 11, //    return b values from R[a], −1−b: and M
  RETURN1: 12, //   return R[a]
  VARARG: 13, //    R[a …] = …, b values, −1: into M
  CLOSURE: 14, //   R[a] = function b
  ENVPUSH: 15, //   a new environment with a variables
  ENVPOP: 16, //    leave a environments
  JUMP: 17, //      to a
  JUMPF: 18, //     to b if R[a] is false or nil
  JUMPT: 19, //     to b if it is not
  BACK: 20, //      to a: the end of a loop, costs a step
  FORPREP: 21, //   numeric for: R[a …] = start, limit, step; to b if done
  FORLOOP: 22, //   next round to b
  TFORPREP: 23, //  generic for: R[a …] from M
  TFORCALL: 24, //  R[a+3 …] = b results of R[a](R[a+1], R[a+2])
  TFORTEST: 25, //  to b if R[a+3] is nil or false, else R[a+2] = R[a+3]
  NEWTABLE: 26, //  R[a] = {} (b: unnumbered yet)
  INIT: 27, //      R[a][R[b]] = R[c] in a constructor
  INITPOS: 28, //   R[a][b] = R[c] in a constructor
  INITREST: 29, //  R[a][b …] = M
  ENDTABLE: 30, //  number R[a]
  SINGLE: 31, //    M = [R[a]]
  JUMPMF: 32, //    to a if the first of M is false, nil or missing
  JUMPMT: 33, //    to a if it is not
  TOBOOL: 34, //    R[a] = truth of R[a], b = 1: negated
  BREAK: 35, //     break outside a loop
  NOT: 36, //       R[a] = not R[b]
  UNM: 37,
  BNOT: 38,
  LEN: 39,
  ADD: 40, //       R[a] = R[b] + R[c], and so on
  SUB: 41,
  MUL: 42,
  DIV: 43,
  IDIV: 44,
  MOD: 45,
  POW: 46,
  BAND: 47,
  BOR: 48,
  BXOR: 49,
  SHL: 50,
  SHR: 51,
  CONCAT: 52,
  EQ: 53, //        followed by TOBOOL, which is skipped unless a metamethod answered
  NE: 54,
  LT: 55,
  LE: 56,
  GT: 57,
  GE: 58,
  JEQ: 59, //       to c unless R[a] == R[b]; followed by the long form for all but plain operands
  JNE: 60,
  JLT: 61,
  JLE: 62,
  JGT: 63,
  JGE: 64,
  SPREAD: 65, //    R[a …] = b values of M
} as const;

/** Length of an instruction. */
export const WIDTH = 4;

/** Constants are addressed from here while compiling; their registers are known at the end. */
export const CONSTANT = 1 << 28;
