/** Putting libraries together. */
import type { State } from './state.ts';
import type { LuaTable } from './table.ts';
import { Builtin, Running, type Answer, type Catches, type Steps, type Value } from './value.ts';

/** Every built-in of a machine by `library.name`: what a saved function refers to. */
export type Builtins = Map<string, Builtin>;

export class Library {
  readonly state: State;
  readonly #name: string;
  readonly #builtins: Builtins;
  readonly entries: [string, Value][] = [];

  constructor(state: State, name: string, builtins: Builtins) {
    this.state = state;
    this.#name = name;
    this.#builtins = builtins;
  }

  register(builtin: Builtin): Builtin {
    this.#builtins.set(`${builtin.library}.${builtin.name}`, builtin);
    return builtin;
  }

  /** Adds a function; `internal` is its name in error texts where that differs. */
  add(name: string, fn: (args: Value[]) => Answer, internal = name, catches: Catches = 'nothing'): void {
    this.entries.push([name, this.register(new Builtin(this.#name, internal, fn, catches))]);
  }

  value(name: string, value: Value): void {
    this.entries.push([name, value]);
  }

  /** The table; its number is the next. */
  table(): LuaTable {
    const table = this.state.table();
    for (const [name, value] of this.entries) table.set(name, value);
    return table;
  }
}

export function running(steps: Steps): Running {
  return new Running(steps);
}
