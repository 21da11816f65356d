/**
 * Erlang's order of terms, as far as table keys need it (lua.md §5.4), and the canonical form of a key:
 * keys that are the same key (`0`, `0.0`, `-0.0`) have one.
 */
import { Builtin, LuaFloat, LuaFunction, type Value } from './value.ts';
import { LuaTable } from './table.ts';

export type Canon = boolean | number | bigint | string | object | undefined;

/** The key as a JavaScript map finds it. Positive whole numbers never come here: they live in the array part. */
export function canon(key: Value): Canon {
  if (!(key instanceof LuaFloat)) return key;
  const n = key.n;
  // −0.0 and 0.0 are the key 0; a whole float is the key of its integer.
  if (n === 0) return 0;
  if (Number.isInteger(n) && !Number.isSafeInteger(n)) return BigInt(n);
  return n;
}

function rank(key: Value): number {
  switch (typeof key) {
    case 'number':
    case 'bigint':
      return 0;
    case 'boolean':
    case 'undefined':
      return 1;
    case 'string':
      return 9;
    default:
      if (key instanceof LuaFloat) return 0;
      if (key instanceof LuaTable) return 3;
      if (key instanceof Builtin) return 4;
      if (key instanceof LuaFunction) return 5;
      return 6;
  }
}

/** false, nil, true: alphabetical, as the atoms they are. */
function atomRank(key: Value): number {
  return key === false ? 0 : key === undefined ? 1 : 2;
}

function numeric(key: Value): number | bigint {
  return key instanceof LuaFloat ? key.n : (key as number | bigint);
}

/** Negative, zero or positive as `a` comes before, with or after `b`. */
export function compareKeys(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  const kind = rank(a);
  const other = rank(b);
  if (kind !== other) return kind - other;
  if (kind === 0) {
    // JavaScript compares numbers with bigints exactly.
    const x = numeric(a);
    const y = numeric(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (kind === 1) return atomRank(a) - atomRank(b);
  if (kind === 3) return (a as LuaTable).id - (b as LuaTable).id;
  if (kind === 4) return compareText(builtinKey(a as Builtin), builtinKey(b as Builtin));
  if (kind === 5) return (a as LuaFunction).proto.index - (b as LuaFunction).proto.index;
  return 0;
}

function builtinKey(fn: Builtin): string {
  return `${fn.library}.${fn.name}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
