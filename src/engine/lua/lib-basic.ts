/** The basic library (lua.md §10.1). */
import { convert } from './arguments.ts';
import { errorText, typeName, valueText } from './describe.ts';
import { badArgument, LuaCrash, LuaError, luaError, LuaSyntaxError } from './errors.ts';
import { ipairsNext, next } from './lib-basic-next.ts';
import { parseInBase } from './lib-basic-number.ts';
import { Library, running, type Builtins } from './library.ts';
import { toInteger, toNumber } from './number-text.ts';
import { sameValue, truthy } from './operators.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import {
  Call,
  isFunction,
  LuaFloat,
  LuaFunction,
  NONE,
  type Answer,
  type Steps,
  type Value,
} from './value.ts';
import { unpack } from './lib-table-unpack.ts';

const NO_FILE = 'no such file or directory';

export function basic(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'basic', builtins);
  lib.register(next);
  lib.register(ipairsNext);
  lib.value('_VERSION', 'Lua 5.3');
  lib.add('assert', (args) => {
    if (truthy(args[0])) return args;
    throw luaError('assert_error', args.length > 1 ? args[1] : 'assertion failed');
  });
  lib.add('collectgarbage', () => NONE);
  lib.add('dofile', dofile);
  lib.add('eprint', (args) => {
    state.print(`${args.map(valueText).join(' ')} \n`);
    return NONE;
  });
  lib.add('error', (args) => raise(state, args), 'error_call');
  lib.add('getmetatable', (args) => {
    if (args.length === 0) throw badArgument('getmetatable', args);
    const meta = state.metatable(args[0]);
    return meta instanceof LuaTable ? (meta.field('__metatable') ?? meta) : meta;
  });
  lib.add('setmetatable', setmetatable);
  lib.add('ipairs', (args) => iterate(state, args, 'ipairs', '__ipairs', [ipairsNext, args[0], 0]));
  lib.add('pairs', (args) => iterate(state, args, 'pairs', '__pairs', [next, args[0], undefined]));
  lib.add('load', (args) => {
    const converted = convert(args, 'sssa');
    if (!converted) throw badArgument('load', args);
    if (converted.length === 0) throw new LuaCrash('case_clause: load without arguments');
    return load(state, converted[0] as string);
  });
  lib.add('loadfile', loadfile);
  lib.add('loadstring', (args) => {
    const converted = convert(args, 's');
    if (!converted) throw badArgument('loadstring', args);
    if (converted.length === 0) throw new LuaCrash('case_clause: loadstring without arguments');
    return load(state, converted[0] as string);
  });
  lib.value('next', next);
  lib.add('pcall', pcall, 'pcall', 'errors');
  lib.add('print', (args) => running(print(state, args)));
  lib.add('rawequal', (args) => {
    if (args.length < 2) throw badArgument('rawequal', args);
    return sameValue(args[0], args[1]);
  });
  lib.add('rawget', (args) => {
    const [table, key] = args;
    if (!(table instanceof LuaTable) || args.length < 2) throw badArgument('rawget', args);
    return table.get(key);
  });
  lib.add('rawlen', (args) => {
    const [value] = args;
    if (typeof value === 'string') return new LuaFloat(value.length);
    if (value instanceof LuaTable) return value.length();
    throw badArgument('rawlen', args);
  });
  lib.add('rawset', (args) => {
    const [table, key, value] = args;
    if (args.length > 2 && key === undefined) throw luaError('illegal_index', table, key);
    if (!(table instanceof LuaTable) || args.length < 3) throw badArgument('rawset', args);
    table.set(key, value);
    return table;
  });
  lib.add('select', select);
  lib.add('tonumber', tonumber);
  lib.add('tostring', (args) => {
    if (args.length === 0) throw badArgument('tostring', args);
    return tostring(state, args[0]);
  });
  lib.add('type', (args) => {
    if (args.length === 0) throw badArgument('type', args);
    return typeName(args[0]);
  });
  lib.add('unpack', (args) => unpack(state, args));
  return lib;
}

/** There are no files here: both find nothing. */
function dofile(args: Value[]): Answer {
  if (convert(args, 's')?.length !== 1) throw badArgument('dofile', args);
  throw luaError('error_message', NO_FILE);
}

function loadfile(args: Value[]): Answer {
  const converted = convert(args, 'ssa');
  if (!converted) throw badArgument('loadfile', args);
  if (converted.length === 0) throw new LuaCrash('case_clause: loadfile without arguments');
  return [undefined, NO_FILE];
}

/** `tostring`: a `__tostring` function's results as they are. */
export function tostring(state: State, value: Value): Value | Call {
  const handler = state.event(value, '__tostring');
  if (handler === undefined) return valueText(value);
  if (!isFunction(handler)) throw new LuaCrash('case_clause: __tostring is not a function');
  return new Call(handler, [value]);
}

function raise(state: State, args: Value[]): Answer {
  if (args[0] instanceof LuaTable) {
    const handler = state.event(args[0], '__tostring');
    if (handler !== undefined) return running(raiseText(handler, args[0]));
  }
  throw luaError('error_call', args);
}

function* raiseText(handler: Value, value: Value): Steps {
  throw luaError('error_call', yield new Call(handler, [value]));
}

function setmetatable(args: Value[]): Answer {
  const [table, meta] = args;
  if (!(table instanceof LuaTable) || args.length < 2 || !(meta === undefined || meta instanceof LuaTable))
    throw badArgument('setmetatable', args);
  if (table.meta?.field('__metatable') !== undefined) throw badArgument('setmetatable', [table]);
  table.setMeta(meta);
  return table;
}

function iterate(state: State, args: Value[], name: string, event: string, plain: Value[]): Answer {
  if (args.length === 0) throw badArgument(name, args);
  const handler = state.event(args[0], event);
  return handler === undefined ? plain : new Call(handler, [args[0]]);
}

function load(state: State, source: string): Answer {
  try {
    const chunk = state.compile(source);
    return new LuaFunction(chunk.protos.at(-1)!, state.root(chunk));
  } catch (error) {
    if (error instanceof LuaSyntaxError) return [undefined, error.message];
    throw error;
  }
}

function pcall(args: Value[]): Answer {
  if (args.length === 0) throw new LuaCrash('function_clause: pcall without arguments');
  return running(protectedCall(args));
}

function* protectedCall(args: Value[]): Steps {
  try {
    const results = yield new Call(args[0], args.slice(1));
    return [true, ...results];
  } catch (error) {
    if (error instanceof LuaError) return [false, errorText(error.term)];
    throw error;
  }
}

function* print(state: State, args: Value[]): Steps {
  let line = '';
  for (const arg of args) {
    const text = tostring(state, arg);
    const results = text instanceof Call ? yield text : [text];
    if (results.length !== 1) throw new LuaCrash('badmatch: __tostring did not give one value');
    line += `${valueText(results[0])} `;
  }
  state.print(`${line}\n`);
  return NONE;
}

function select(args: Value[]): Answer {
  if (args.length === 0) throw badArgument('select', args);
  const rest = args.slice(1);
  if (args[0] === '#') return new LuaFloat(rest.length);
  const n = toInteger(args[0]);
  if (n === undefined || n === 0) throw badArgument('select', args);
  if (n > 0) return n > rest.length ? NONE : rest.slice(Number(n) - 1);
  return -n > rest.length ? rest : rest.slice(Number(n));
}

function tonumber(args: Value[]): Answer {
  if (args.length === 0) throw badArgument('tonumber', args);
  if (args.length === 1) return toNumber(args[0]);
  const converted = convert(args, 'si');
  // The reference's case has no branch for arguments that do not fit.
  if (!converted) throw new LuaCrash('case_clause: tonumber with a base');
  return parseInBase(converted[0] as string, converted[1] as number | bigint);
}
