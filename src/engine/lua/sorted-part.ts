/**
 * The sorted part of a table (lua.md §5.1): pairs by key, and their order for whoever walks them. The order is made
 * when it is first asked for and kept up to date from then on; removed pairs stay in it until they are many.
 */
import { canon, compareKeys, type Canon } from './order.ts';
import type { Value } from './value.ts';

export class Entry {
  readonly key: Value;
  value: Value;
  live = true;
  /** Where it was last seen in the order: a hint. */
  at = -1;
  constructor(key: Value, value: Value) {
    this.key = key;
    this.value = value;
  }
}

export class SortedPart {
  readonly map = new Map<Canon, Entry>();
  #order: Entry[] = [];
  #fresh: Entry[] = [];
  /** All before this place are dead. */
  #head = 0;

  add(name: Canon, key: Value, value: Value): void {
    const made = new Entry(key, value);
    this.map.set(name, made);
    this.#fresh.push(made);
  }

  remove(name: Canon, entry: Entry): void {
    entry.live = false;
    entry.value = undefined;
    this.map.delete(name);
  }

  pairs(): [Value, Value][] {
    return [...this.map.values()].map((entry) => [entry.key, entry.value]);
  }

  first(): [Value, Value] | undefined {
    const order = this.sorted();
    return this.#live(this.#head, order, true);
  }

  /** The pair with the smallest key greater than `key`, whether that is there or not. */
  after(key: Value): [Value, Value] | undefined {
    const order = this.sorted();
    const entry = this.map.get(canon(key));
    let at = entry?.at ?? -1;
    if (at < 0 || order[at] !== entry) at = this.#search(order, key);
    if (entry) entry.at = at;
    return this.#live(entry ? at + 1 : at, order, false);
  }

  #live(from: number, order: Entry[], head: boolean): [Value, Value] | undefined {
    for (let i = from; i < order.length; i++) {
      const entry = order[i]!;
      if (!entry.live) continue;
      if (head) this.#head = i;
      entry.at = i;
      return [entry.key, entry.value];
    }
    if (head) this.#head = order.length;
    return undefined;
  }

  /** First place whose key is not smaller; a dead entry of the same key counts as smaller. */
  #search(order: Entry[], key: Value): number {
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = order[middle]!;
      const c = compareKeys(entry.key, key);
      if (c < 0 || (c === 0 && !entry.live)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The entries in order. Dead ones stay until they are many. */
  sorted(): Entry[] {
    const fresh = this.#fresh;
    if (fresh.length === 0) return this.#order;
    let order = this.#order;
    if (fresh.length <= 4 && order.length > 0) {
      for (const entry of fresh) {
        if (!entry.live) continue;
        const at = this.#search(order, entry.key);
        order.splice(at, 0, entry);
        if (at < this.#head) this.#head = at;
      }
      this.#fresh = [];
      if (order.length > 64 && order.length > 2 * this.map.size) this.#compact();
      return this.#order;
    }
    const added = fresh.filter((entry) => entry.live).sort((a, b) => compareKeys(a.key, b.key));
    if (order.length) order = merge(order, added);
    else order = added;
    this.#order = order;
    this.#fresh = [];
    this.#head = 0;
    return order;
  }

  #compact(): void {
    this.#order = this.#order.filter((entry) => entry.live);
    this.#head = 0;
  }
}

function merge(left: Entry[], right: Entry[]): Entry[] {
  const out: Entry[] = [];
  let r = 0;
  for (const entry of left) {
    if (!entry.live) continue;
    while (r < right.length && compareKeys(right[r]!.key, entry.key) < 0) out.push(right[r++]!);
    out.push(entry);
  }
  while (r < right.length) out.push(right[r++]!);
  return out;
}
