/** The initial state of a machine: every library, allocated in the reference's order. */
import { debug, io, os } from './lib-os.ts';
import { basic } from './lib-basic.ts';
import { bit32 } from './lib-bit32.ts';
import { math } from './lib-math.ts';
import { packages } from './lib-package.ts';
import { string } from './lib-string.ts';
import { table } from './lib-table.ts';
import { utf8 } from './lib-utf8.ts';
import type { Builtins, Library } from './library.ts';
import type { State } from './state.ts';
import type { LuaTable } from './table.ts';

/** Fills the globals of a new state; answers its built-ins by name. */
export function install(state: State): Builtins {
  const builtins: Builtins = new Map();
  for (const [name, value] of basic(state, builtins).entries) state.globals.set(name, value);
  const all = packages(state, builtins);
  const loaded = all.field('loaded') as LuaTable;
  const define = (name: string, made: LuaTable): void => {
    state.globals.set(name, made);
    loaded.set(name, made);
  };
  define('package', all);
  const libraries: [string, (state: State, builtins: Builtins) => Library][] = [
    ['bit32', bit32],
    ['io', io],
    ['math', math],
    ['os', os],
    ['string', string],
    ['utf8', utf8],
    ['table', table],
    ['debug', debug],
  ];
  for (const [name, make] of libraries) {
    const made = make(state, builtins).table();
    if (name === 'string') {
      const meta = state.table();
      meta.set('__index', made);
      state.metas = { ...state.metas, string: meta };
    }
    define(name, made);
  }
  define('_G', state.globals);
  return builtins;
}
