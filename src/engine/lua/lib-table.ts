/** The table library: raw, on the array part alone (lua.md §10.6). */
import { clamp, convert } from './arguments.ts';
import { badArgument, luaError, LuaLimit, TermAtom } from './errors.ts';
import { now } from './journal.ts';
import { unpack } from './lib-table-unpack.ts';
import { Library, running, type Builtins } from './library.ts';
import { isNumber, toInteger, toText } from './number-text.ts';
import { lessEqualNumbers } from './arithmetic.ts';
import { mergeSort } from './sort.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Call, NONE, type Answer, type Steps, type Value } from './value.ts';

export function table(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'table', builtins);
  lib.add('concat', (args) => concat(state, args));
  lib.add('insert', insert);
  lib.add('pack', (args) => {
    const packed = state.table();
    args.forEach((value, i) => {
      if (value !== undefined) packed.set(i + 1, value);
    });
    packed.set('n', args.length);
    return packed;
  });
  lib.add('remove', remove);
  lib.add('sort', (args) => sort(state, args));
  lib.add('unpack', (args) => unpack(state, args));
  return lib;
}

function concat(state: State, args: Value[]): Answer {
  const [list, ...rest] = args;
  if (!(list instanceof LuaTable)) throw badArgument('concat', args);
  const range: Value[] = [rest[0] ?? '', rest[1] ?? 1];
  if (rest[2] !== undefined) range.push(rest[2]);
  const converted = convert(range, 'sii');
  if (!converted) throw badArgument('concat', rest);
  const [separator, i, j = list.length()] = converted as [string, number | bigint, (number | bigint)?];
  const parts: string[] = [];
  let size = 0;
  for (let at = clamp(i); at <= clamp(j); at++) {
    const value = list.get(at);
    const text = toText(value);
    if (text === undefined) throw luaError('illegal_value', new TermAtom('concat'), value);
    parts.push(text);
    size += text.length + separator.length;
    if (size > state.largest) throw new LuaLimit('memory', 'A string is too long.');
  }
  now.journal.allocate(size);
  return parts.join(separator);
}

function insert(args: Value[]): Answer {
  const list = args[0];
  if (!(list instanceof LuaTable)) throw badArgument('insert', args);
  if (args.length === 2) {
    list.put(list.length() + 1, args[1], true);
    return NONE;
  }
  const size = list.length();
  const position = args.length === 3 ? toInteger(args[1]) : undefined;
  if (position === undefined || position < 1 || position > size + 1) throw badArgument('insert', args);
  let carried = args[2];
  for (let at = position as number; ; at++) {
    const here = list.at(at);
    list.put(at, carried, true);
    if (here === undefined) return NONE;
    carried = here;
  }
}

function remove(args: Value[]): Answer {
  const list = args[0];
  if (!(list instanceof LuaTable)) throw badArgument('remove', args);
  const size = list.length();
  if (args.length === 1) return size === 0 ? removeZero(list) : take(list, size);
  const position = toInteger(args[1]);
  if (position === undefined) throw badArgument('remove', args);
  if (size === 0 && position === 0) return removeZero(list);
  if (size === 0 && position === 1) return undefined;
  if (position < 1 || position > size + 1) throw badArgument('remove', args);
  const removed = list.at(position);
  for (let at = position as number; ; at++) {
    const following = list.at(at + 1);
    list.put(at, following, true);
    if (following === undefined) return removed;
  }
}

function take(list: LuaTable, at: number): Value {
  const value = list.at(at);
  list.put(at, undefined, true);
  return value;
}

function removeZero(list: LuaTable): Value {
  const value = list.get(0);
  list.set(0, undefined);
  return value;
}

function sort(state: State, args: Value[]): Answer {
  const list = args[0];
  if (!(list instanceof LuaTable)) throw badArgument('sort', args);
  if (list.top === 0) return NONE;
  if (list.top > 10_000_000) throw new LuaLimit('memory', 'A table is too long to be sorted.');
  now.journal.allocate(32 * Number(list.top));
  return running(sortSteps(state, list, args));
}

function* sortSteps(state: State, list: LuaTable, args: Value[]): Steps {
  const items: Value[] = [];
  for (let at = 1; at <= list.top; at++) items.push(list.at(at));
  const custom = args.length > 1;
  const compare = (a: Value, b: Value): boolean | Call => {
    if (custom) return new Call(args[1], [a, b]);
    if (isNumber(a) && isNumber(b)) return lessEqualNumbers(a, b);
    if (typeof a === 'string' && typeof b === 'string') return a <= b;
    const handler = state.eventOf(a, b, '__lt');
    if (handler === undefined) throw luaError('illegal_comp', new TermAtom('sort'));
    return new Call(handler, [a, b]);
  };
  const sorted = yield* mergeSort(items, compare);
  list.replaceArray(sorted);
  return NONE;
}
