/** `require` and `package` without files: loaded and preloaded modules only (lua.md §10.1). */
import { convert } from './arguments.ts';
import { badArgument, LuaCrash, luaError, TermBytes } from './errors.ts';
import { Library, running, type Builtins } from './library.ts';
import { assign, index } from './operators.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Builtin, Call, isFunction, NONE, type HostCall, type Steps, type Value } from './value.ts';

const PATH = './?.lua;./?/init.lua';

type Asking<T> = Generator<Call | HostCall, T, Value[]>;

/** Makes `require` a global and answers the `package` table. */
export function packages(state: State, builtins: Builtins): LuaTable {
  const lib = new Library(state, 'package', builtins);
  const require = new Builtin('package', 'require', (args) => {
    const name = nameOf('require', args);
    return running(load(state, name));
  });
  state.globals.set('require', lib.register(require));
  const preload = new Builtin('package', 'preload_searcher', (args) =>
    running(searchPreload(state, nameOf('preload_searcher', args))),
  );
  const files = new Builtin('package', 'lua_searcher', (args) => {
    const name = nameOf('lua_searcher', args);
    return tried(name, PATH, '.', '/');
  });
  const searchers = state.table();
  searchers.set(1, lib.register(preload));
  searchers.set(2, lib.register(files));
  lib.value('config', '/\n;\n?\n!\n-\n');
  lib.value('loaded', state.table());
  lib.value('preload', state.table());
  lib.value('path', PATH);
  lib.value('searchers', searchers);
  lib.add('searchpath', (args) => {
    const given = args.length === 2 ? [...args, '.', '/'] : args.length === 3 ? [...args, '/'] : args;
    const converted = convert(given, 'ssss');
    if (converted?.length !== 4) throw badArgument('searchpath', args);
    const [name, path, separator, replacement] = converted as [string, string, string, string];
    if (separator === '') throw new LuaCrash('badarg: an empty separator');
    return [undefined, tried(name, path, separator, replacement)];
  });
  return lib.table();
}

function nameOf(fn: string, args: Value[]): string {
  const converted = convert(args, 's');
  if (!converted) throw badArgument(fn, args);
  if (converted.length === 0) throw new LuaCrash(`case_clause: ${fn} without arguments`);
  return converted[0] as string;
}

/** Where a file was looked for: there never is one. */
function tried(name: string, path: string, separator: string, replacement: string): string {
  const file = name.replaceAll(separator, () => replacement);
  return path
    .split(';')
    .map((template) => `'${template.replaceAll('?', () => file)}' `)
    .join('');
}

function* get(state: State, object: Value, key: Value): Asking<Value> {
  const value = index(state, object, key);
  return value instanceof Call ? (yield value)[0] : value;
}

function* searchPreload(state: State, name: string): Steps {
  const all = yield* get(state, yield* get(state, state.globals, 'package'), 'preload');
  const loader = yield* get(state, all, name);
  return loader === undefined ? NONE : loader;
}

function* load(state: State, name: string): Steps {
  const all = yield* get(state, state.globals, 'package');
  const loaded = yield* get(state, all, 'loaded');
  const known = yield* get(state, loaded, name);
  if (known !== undefined) return known;
  const searchers = yield* get(state, all, 'searchers');
  if (!(searchers instanceof LuaTable)) throw new LuaCrash('function_clause: package.searchers is no table');
  const [loader, ...extra] = yield* search(searchers, name);
  const results = yield new Call(loader, [name, ...extra]);
  const value = results[0] ?? true;
  const target = yield* get(state, yield* get(state, state.globals, 'package'), 'loaded');
  const call = assign(state, target, name, value);
  if (call) yield call;
  return value;
}

function* search(searchers: LuaTable, name: string): Asking<Value[]> {
  let report = '';
  for (let at = 1; at <= searchers.top; at++) {
    const searcher = searchers.at(at);
    if (searcher === undefined) continue;
    const found = yield new Call(searcher, [name]);
    if (isFunction(found[0])) return found;
    if (typeof found[0] === 'string') report += found[0];
  }
  throw luaError('no_module', new TermBytes(name), new TermBytes(report));
}
