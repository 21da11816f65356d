/**
 * How a run of Lua ends badly (lua.md §7, §8): an error that `pcall` catches, a crash that it does not, a limit.
 */
import type { Value } from './value.ts';

/** An internal error term: `[atom, …]` with Lua values, lists and names inside. */
export type Term = readonly [string, ...TermPart[]];
export type TermPart = Value | readonly TermPart[] | TermAtom | TermBytes;

/** A name inside a term: an operator, a library function. */
export class TermAtom {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A string that is shown as decimal bytes (`{no_module,<<…>>}`). */
export class TermBytes {
  readonly bytes: string;
  constructor(bytes: string) {
    this.bytes = bytes;
  }
}

/** Catchable by `pcall`. */
export class LuaError extends Error {
  override readonly name = 'LuaError';
  readonly term: Term;
  constructor(term: Term) {
    super(term[0]);
    this.term = term;
  }
}

/** Passes through every `pcall` and ends the call: the reference fails inside its host here. */
export class LuaCrash extends Error {
  override readonly name = 'LuaCrash';
}

export type LimitName = 'steps' | 'memory' | 'depth' | 'host-calls';

/** The machine's own limits; ends the call like a crash. */
export class LuaLimit extends Error {
  override readonly name = 'LuaLimit';
  readonly limit: LimitName;
  constructor(limit: LimitName, sentence: string) {
    super(sentence);
    this.limit = limit;
  }
}

/** A chunk that does not compile. `load` returns the text; a module fails with it. */
export class LuaSyntaxError extends Error {
  override readonly name = 'LuaSyntaxError';
  readonly line: number;
  constructor(text: string, line: number) {
    super(text);
    this.line = line;
  }
}

export function luaError(...term: [string, ...TermPart[]]): LuaError {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new LuaError(term);
  Error.stackTraceLimit = limit;
  return error;
}

export function badArgument(name: string, args: readonly TermPart[]): LuaError {
  return luaError('badarg', new TermAtom(name), args);
}
