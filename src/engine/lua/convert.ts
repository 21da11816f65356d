/** Values of the evaluator to values that travel, and back (lua.md §11). */
import type { LuaTerm, LuaTraceEntry, LuaValue } from './contract.ts';
import { LuaCrash, LuaLimit, TermAtom, TermBytes, type Term, type TermPart } from './errors.ts';
import { valueText } from './describe.ts';
import { now } from './journal.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import type { TraceEntry } from './trace.ts';
import { LuaFloat, Opaque, type Value } from './value.ts';

const DEEPEST = 512;

/** A value from outside, with new tables. @throws LuaLimit for nesting deeper than 512 */
export function fromOutside(state: State, value: LuaValue, depth = 0): Value {
  if (value === null) return undefined;
  if (typeof value === 'bigint') {
    const n = Number(value);
    return Number.isSafeInteger(n) ? n : value;
  }
  if (typeof value !== 'object') return value;
  if ('float' in value) {
    if (!Number.isFinite(value.float)) throw new LuaCrash('badarg: not a finite number');
    return new LuaFloat(value.float);
  }
  if ('opaque' in value) return undefined;
  if (depth > DEEPEST) throw new LuaLimit('depth', 'A value is nested too deeply.');
  const table = state.table();
  for (const [key, item] of value.table) {
    const name = fromOutside(state, key, depth + 1);
    const converted = fromOutside(state, item, depth + 1);
    if (converted !== undefined && name !== undefined) table.set(name, converted);
  }
  return table;
}

/**
 * A value to go out.
 * @throws LuaCrash for a table that contains itself and for what is no Lua value; LuaLimit for what is too deep or too much
 */
export function toOutside(value: Value): LuaValue {
  return outside(value, []);
}

function outside(value: Value, inside: LuaTable[]): LuaValue {
  switch (typeof value) {
    case 'undefined':
      return null;
    case 'number':
      return BigInt(value);
    case 'boolean':
    case 'bigint':
    case 'string':
      return value;
  }
  if (value instanceof LuaFloat) return { float: value.n };
  if (value instanceof Opaque) throw new LuaCrash('badarg: a value that has no form outside');
  if (!(value instanceof LuaTable)) return { opaque: valueText(value) };
  if (inside.includes(value)) throw new LuaCrash('a table contains itself');
  if (inside.length > DEEPEST) throw new LuaLimit('depth', 'A value is nested too deeply.');
  inside.push(value);
  const pairs: [LuaValue, LuaValue][] = [];
  for (const [key, item] of value.entries()) pairs.push([outside(key, inside), outside(item, inside)]);
  now.journal.allocate(64 * pairs.length);
  inside.pop();
  return { table: pairs };
}

/** For error terms and traces: what does not convert is left out. */
function leniently(value: Value): LuaValue {
  try {
    return toOutside(value);
  } catch {
    return { opaque: valueText(value) };
  }
}

export function termOutside(term: Term): LuaTerm {
  const [kind, ...parts] = term;
  if (parts.length === 0) return { atom: kind };
  return { tuple: [{ atom: kind }, ...parts.map(partOutside)] };
}

function partOutside(part: TermPart): LuaTerm {
  if (part instanceof TermAtom) return { atom: part.name };
  if (part instanceof TermBytes) return part.bytes;
  if (Array.isArray(part)) return { list: (part as readonly TermPart[]).map(partOutside) };
  return leniently(part as Value);
}

export function traceOutside(trace: readonly TraceEntry[]): LuaTraceEntry[] {
  return trace.map((entry) => ({
    function: entry.function ?? null,
    library: entry.library ?? null,
    line: entry.line ?? null,
    parameters: entry.parameters.map(leniently),
  }));
}
