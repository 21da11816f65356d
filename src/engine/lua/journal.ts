/**
 * Undo and metering for one call into a machine.
 *
 * A call that fails must leave no trace (lua.md §12.6), so the first change to anything older than the call is
 * written down with its old value. What the call itself made carries the call's stamp and is not written down.
 * A table that is changed more often than it is large is copied whole instead, so the journal stays bounded.
 */
import { LuaLimit } from './errors.ts';
import type { LuaTable, TableImage } from './table.ts';
import type { Env, Value } from './value.ts';

const HEAD = 0;
const KEY = 1;
const COPY = 2;
const ENV = 3;

let stamps = 0;

export class Journal {
  /** Unique to this call. */
  readonly stamp = ++stamps;
  /** Bytes made so far, roughly. */
  allocated = 0;
  /** At how many allocated bytes live memory is measured (and the call perhaps stopped). */
  ceiling = Infinity;
  /** Measures; throws `LuaLimit` or sets a new `ceiling`. */
  measure: () => void = () => {
    throw new LuaLimit('memory', 'Lua ran out of memory.');
  };
  readonly #log: unknown[] = [];

  allocate(bytes: number): void {
    this.allocated += bytes;
    if (this.allocated > this.ceiling) this.measure();
  }

  /** Before `key` of an older table changes from `old`. */
  noteKey(table: LuaTable, key: Value, old: Value): void {
    if (table.seen !== this.stamp) this.#head(table);
    if (++table.logged > 64 + table.count()) {
      this.#log.push(COPY, table, table.image(), undefined);
      table.stamp = this.stamp;
    } else this.#log.push(KEY, table, key, old);
  }

  /** Before an older table changes as a whole (its metatable, a sort). */
  noteTable(table: LuaTable): void {
    if (table.seen !== this.stamp) this.#head(table);
    this.#log.push(COPY, table, table.image(), undefined);
    table.stamp = this.stamp;
  }

  noteMeta(table: LuaTable): void {
    if (table.seen !== this.stamp) this.#head(table);
  }

  #head(table: LuaTable): void {
    table.seen = this.stamp;
    table.logged = 0;
    this.#log.push(HEAD, table, table.meta, table.top);
  }

  noteEnv(env: Env): void {
    this.#log.push(ENV, env, env.slice(), undefined);
    env[1] = this.stamp;
  }

  rollback(): void {
    const log = this.#log;
    // Nothing may be written down while undoing.
    for (let at = log.length - 4; at >= 0; at -= 4) {
      const kind = log[at];
      if (kind === ENV) {
        const env = log[at + 1] as unknown[];
        const old = log[at + 2] as unknown[];
        for (let i = 3; i < old.length; i++) env[i] = old[i];
        continue;
      }
      const table = log[at + 1] as LuaTable;
      table.stamp = this.stamp;
      if (kind === KEY) table.set(log[at + 2] as Value, log[at + 3] as Value);
      else if (kind === COPY) table.reset(log[at + 2] as TableImage);
      else {
        table.meta = log[at + 2] as LuaTable | undefined;
        table.top = log[at + 3] as number | bigint;
      }
    }
    log.length = 0;
  }
}

/** The call that is running now. Machines take turns; each puts its own journal here while it runs. */
export const now: { journal: Journal } = { journal: new Journal() };
