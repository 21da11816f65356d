/** `next` and the iterators, which need no machine (lua.md §5.5, §10.1). */
import { badArgument } from './errors.ts';
import { LuaTable } from './table.ts';
import { Builtin, type Value } from './value.ts';

export const next = new Builtin('basic', 'next', (args) => {
  const table = args[0];
  if (!(table instanceof LuaTable)) throw badArgument('next', args.length === 1 ? [table, undefined] : args);
  return table.next(args[1]) ?? undefined;
});

export const ipairsNext = new Builtin('basic', 'ipairs_next', (args): Value | Value[] => {
  const [table, key = args.length === 1 ? 0 : undefined] = args;
  const isInteger = typeof key === 'number' || typeof key === 'bigint';
  if (!(table instanceof LuaTable) || !isInteger)
    throw badArgument('ipairs', args.length === 1 ? [table, 0] : args);
  const index = typeof key === 'number' && key < Number.MAX_SAFE_INTEGER ? key + 1 : BigInt(key) + 1n;
  const value = index >= 1 ? table.at(index) : undefined;
  return value === undefined ? undefined : [index, value];
});
