/** What a table that left the machine is: a list, a message or neither (lua.md §11.2). */
import type { LuaValue } from './contract.ts';

export type LuaPairs = readonly (readonly [LuaValue, LuaValue])[];

/**
 * The items of a table whose keys are exactly 1 … n, as integers or as texts; undefined for every other table.
 * An empty table is no list here: what it is depends on where it stands.
 */
export function listItems(pairs: LuaPairs): LuaValue[] | undefined {
  if (pairs.length === 0) return undefined;
  const items = new Array<LuaValue | undefined>(pairs.length);
  for (const [key, value] of pairs) {
    const index = position(key);
    if (index === undefined || index > pairs.length || items[index - 1] !== undefined) return undefined;
    items[index - 1] = value;
  }
  return items as LuaValue[];
}

function position(key: LuaValue): number | undefined {
  if (typeof key === 'bigint') return key >= 1n ? Number(key) : undefined;
  return typeof key === 'string' && /^[1-9][0-9]{0,14}$/.test(key) ? Number(key) : undefined;
}

/** Is a result one that carries the machine's state on? */
export function isMessage(value: LuaValue | undefined): boolean {
  return typeof value === 'object' && value !== null && 'table' in value && !listItems(value.table);
}
