/**
 * The store in memory: for tests, and where a browser offers no IndexedDB. Nothing outlives it.
 * Values are cloned on the way in and out, as IndexedDB does, so no caller can change what is stored.
 */
import { AoError } from '../base/errors.ts';
import { checkWrite, compareKeys, keyText } from './keys.ts';
import { TABLES, type Entry, type Key, type Range, type Store, type Table, type Write } from './store.ts';

interface Rows {
  readonly values: Map<string, { key: Key; value: unknown }>;
  /** All keys in order. */
  readonly order: Key[];
}

export class MemoryStore implements Store {
  readonly #tables = new Map<Table, Rows>();
  #open = true;

  constructor() {
    for (const table of TABLES) this.#tables.set(table, { values: new Map(), order: [] });
  }

  async get<T>(table: Table, key: Key): Promise<T | undefined> {
    return this.#value<T>(this.#rows(table), key);
  }

  async getMany<T>(table: Table, keys: readonly Key[]): Promise<(T | undefined)[]> {
    const rows = this.#rows(table);
    return keys.map((key) => this.#value<T>(rows, key));
  }

  async range<T>(table: Table, range: Range = {}): Promise<Entry<T>[]> {
    const rows = this.#rows(table);
    return inRange(rows.order, range).map((key) => ({ key, value: this.#value<T>(rows, key) as T }));
  }

  async keys(table: Table, range: Range = {}): Promise<Key[]> {
    return inRange(this.#rows(table).order, range);
  }

  async write(writes: readonly Write[]): Promise<void> {
    // Everything that can fail comes before the first change.
    const ready = writes.map((write) => {
      checkWrite(write);
      const { table, key, value, to } = write;
      const copy = typeof key === 'object' ? [...key] : key;
      return { rows: this.#rows(table), key: copy, value: clone(value), to };
    });
    for (const { rows, key, value, to } of ready) {
      if (to !== undefined) {
        for (const gone of inRange(rows.order, { from: key, to })) rows.values.delete(keyText(gone));
        const start = lowerBound(rows.order, key);
        rows.order.splice(start, inRange(rows.order, { from: key, to }).length);
        continue;
      }
      const text = keyText(key);
      const known = rows.values.has(text);
      if (value === undefined) {
        if (known) rows.order.splice(lowerBound(rows.order, key), 1);
        rows.values.delete(text);
      } else {
        if (!known) insert(rows.order, key);
        rows.values.set(text, { key, value });
      }
    }
  }

  async close(): Promise<void> {
    this.#open = false;
  }

  #rows(table: Table): Rows {
    if (!this.#open) throw new AoError('storage-closed', 'The store is closed.', { status: 503 });
    const rows = this.#tables.get(table);
    if (!rows) throw new AoError('bad-table', `The store has no table ${String(table)}.`, { status: 500 });
    return rows;
  }

  #value<T>(rows: Rows, key: Key): T | undefined {
    const row = rows.values.get(keyText(key));
    return row && (clone(row.value) as T);
  }
}

function clone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  try {
    return structuredClone(value);
  } catch (cause) {
    throw new AoError('bad-value', 'The store cannot hold this value.', { status: 500, cause });
  }
}

/** Index of the first key that is not before `key`. */
function lowerBound(order: readonly Key[], key: Key): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(order[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(order: Key[], key: Key): void {
  const last = order.at(-1);
  if (last === undefined || compareKeys(last, key) < 0) order.push(key);
  else order.splice(lowerBound(order, key), 0, key);
}

function inRange(order: readonly Key[], range: Range): Key[] {
  const start = range.from === undefined ? 0 : lowerBound(order, range.from);
  let end = order.length;
  if (range.to !== undefined) {
    end = lowerBound(order, range.to);
    if (end < order.length && compareKeys(order[end]!, range.to) === 0) end++;
  }
  const limit = range.limit ?? Infinity;
  if (!range.reverse) return order.slice(start, Math.max(start, Math.min(end, start + limit)));
  return order.slice(Math.max(start, end - limit), Math.max(start, end)).reverse();
}
