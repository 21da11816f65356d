/** `unpack`, in two libraries (lua.md §10.6). */
import { integers } from './arguments.ts';
import { badArgument, LuaCrash, LuaLimit } from './errors.ts';
import { now } from './journal.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaFloat, type Value } from './value.ts';

/** More results than this are refused, whatever the memory limit. */
const MOST_RESULTS = 1_000_000;

export function unpack(_state: State, args: Value[]): Value[] {
  const [table, ...rest] = args;
  if (args.length === 0) throw badArgument('unpack', args);
  if (!(table instanceof LuaTable))
    throw new LuaCrash('function_clause: unpack of something that is no table');
  const first = rest[0] === undefined ? new LuaFloat(1) : rest[0];
  const range = integers(rest[1] === undefined ? [first] : [first, rest[1]]);
  if (!range) throw badArgument('unpack', args);
  const [i, j = table.length()] = range as [number | bigint, (number | bigint)?];
  const count = BigInt(j) - BigInt(i) + 1n;
  if (count > MOST_RESULTS) throw new LuaLimit('memory', 'unpack would give too many values.');
  now.journal.allocate(16 * Number(count > 0n ? count : 0n));
  const out: Value[] = [];
  if (typeof i === 'number' && typeof j === 'number') for (let at = i; at <= j; at++) out.push(table.get(at));
  else for (let at = BigInt(i); at <= BigInt(j); at++) out.push(table.get(small(at)));
  return out;
}

function small(value: bigint): number | bigint {
  const n = Number(value);
  return Number.isSafeInteger(n) ? n : value;
}
