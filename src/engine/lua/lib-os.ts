/** os, io and debug: what is left of them without a host (lua.md §10.8). Time is what the call was given. */
import { badArgument, LuaCrash, luaError } from './errors.ts';
import { formatDate } from './date.ts';
import { arithmetic } from './arithmetic.ts';
import { Library, type Builtins } from './library.ts';
import { isNumber, toText } from './number-text.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaFloat, Opaque, type Answer, type Value } from './value.ts';

export function os(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'os', builtins);
  lib.add('clock', () => new LuaFloat(0));
  lib.add('date', (args) => date(state, args));
  lib.add('difftime', (args) => {
    if (args.length < 2) throw badArgument('difftime', args);
    const [later, earlier] = args;
    const difference = isNumber(later) && isNumber(earlier) ? arithmetic('-', later, earlier) : undefined;
    if (difference === undefined) throw new LuaCrash('badarith: difftime of something that is no number');
    return difference;
  });
  lib.add('execute', (args) => {
    // The reference's answer to "is there a shell?" has the wrong form.
    if (args.length === 0) throw luaError('illegal_return_value');
    if (toText(args[0]) === undefined) throw badArgument('execute', [args[0]]);
    return [undefined, 'exit', 1];
  });
  lib.add(
    'exit',
    () => {
      throw new LuaCrash('os.exit: there is no host to leave');
    },
    'lua_exit',
  );
  lib.add('getenv', (args) => {
    if (toText(args[0]) === undefined) throw badArgument('getenv', args);
    return undefined;
  });
  lib.add('remove', (args) => {
    if (args.length === 0) throw badArgument('remove', args);
    const name = toText(args[0]);
    if (name === undefined) throw badArgument('remove', [args[0]]);
    return [undefined, `${name}: no such file or directory`, 2];
  });
  lib.add('rename', (args) => {
    if (args.length < 2) throw badArgument('rename', args);
    const bad = args.slice(0, 2).filter((name) => toText(name) === undefined);
    if (bad.length) throw badArgument('rename', bad);
    return [undefined, 'no such file or directory', 2];
  });
  lib.add('time', (args) => {
    if (args.length === 1 && args[0] instanceof LuaTable) throw new LuaCrash('undef: os.time of a table');
    return new LuaFloat(state.clock);
  });
  lib.add('tmpname', () => {
    throw new LuaCrash('os.tmpname: there are no files');
  });
  return lib;
}

function date(state: State, args: Value[]): Answer {
  const [format = '%c', seconds = new LuaFloat(state.clock)] = args;
  const given =
    args.length < 3 &&
    (args.length === 0 || args[0] !== undefined) &&
    (args.length < 2 || args[1] !== undefined);
  if (!given || typeof format !== 'string' || !isNumber(seconds)) throw badArgument('date', args);
  const time = new Date(Math.round(Number(seconds instanceof LuaFloat ? seconds.n : seconds)) * 1000);
  if (Number.isNaN(time.getTime())) throw new LuaCrash('badarg: a time out of range');
  if (format !== '*t') return formatDate(format, time);
  const table = state.table();
  table.set('year', time.getUTCFullYear());
  table.set('month', time.getUTCMonth() + 1);
  table.set('day', time.getUTCDate());
  table.set('hour', time.getUTCHours());
  table.set('min', time.getUTCMinutes());
  table.set('sec', time.getUTCSeconds());
  table.set('wday', time.getUTCDay() + 1);
  return table;
}

export function io(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'io', builtins);
  lib.add('flush', () => true);
  lib.add('write', (args) => {
    const texts = args.map(toText);
    if (texts.includes(undefined)) throw badArgument('write', args);
    state.print(texts.join(''));
    return new Opaque('standard_io');
  });
  return lib;
}

export function debug(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'debug', builtins);
  lib.add('getmetatable', (args) => {
    if (args.length === 0) throw badArgument('getmetatable', args);
    return state.metatable(args[0]);
  });
  lib.add('getuservalue', (args) => {
    if (args.length === 0) throw badArgument('getuservalue', args);
    return undefined;
  });
  lib.add('setmetatable', (args) => {
    if (args.length < 2) throw badArgument('setmetatable', args);
    setAny(state, args[0], args[1]);
    return args[0];
  });
  lib.add('setuservalue', (args) => {
    if (args.length < 2) throw badArgument('setuservalue', args);
    return args[0];
  });
  return lib;
}

/** The metatable of a table, or of a whole type. */
function setAny(state: State, value: Value, meta: Value): void {
  if (value instanceof LuaTable) value.setMeta(meta instanceof LuaTable ? meta : undefined);
  else if (typeof value === 'string') state.metas = { ...state.metas, string: meta };
  else if (typeof value === 'boolean') state.metas = { ...state.metas, boolean: meta };
  else if (value === undefined) state.metas = { ...state.metas, nil: meta };
  else if (isNumber(value)) state.metas = { ...state.metas, number: meta };
}
