/**
 * A table (lua.md §5): an array part for whole keys ≥ 1, holes allowed, and a sorted part for everything else.
 *
 * The array part is dense near its beginning; far-away indexes are kept in a map so that `t[2^53] = 1` costs nothing.
 * The sorted part is a map; its order is made when somebody walks it, and kept up to date from then on.
 */
import { now } from './journal.ts';
import { canon } from './order.ts';
import { SortedPart } from './sorted-part.ts';
import { LuaFloat, type Value } from './value.ts';

/** What one key-value pair in the sorted part costs, for metering. */
const ENTRY_BYTES = 80;
const SLOT_BYTES = 16;
/** How far beyond the end of the dense part an index may lie and still extend it. */
const REACH = 32;

/** A shallow copy, for the journal. */
export interface TableImage {
  readonly meta: LuaTable | undefined;
  readonly array: readonly Value[];
  readonly far: readonly (readonly [number | bigint, Value])[];
  readonly top: number | bigint;
  readonly entries: readonly (readonly [Value, Value])[];
}

export class LuaTable {
  /** Allocation number: the `N` of `table: N`. */
  id: number;
  meta: LuaTable | undefined = undefined;
  /** Dense beginning of the array part; index 0 is not used. */
  array: Value[] = [undefined];
  /** Highest index ever set, what `sort` calls the end. */
  top: number | bigint = 0;
  #far: Map<number | bigint, Value> | undefined = undefined;
  #farOrder: (number | bigint)[] | undefined = undefined;
  #border = 1;
  #keyed: SortedPart | undefined = undefined;
  /** The call that made or copied this table: its changes need no journal. */
  stamp: number;
  /** The call that wrote its first change down, and how many it wrote. */
  seen = 0;
  logged = 0;

  constructor(id: number) {
    this.id = id;
    this.stamp = now.journal.stamp;
    now.journal.allocate(64);
  }

  get(key: Value): Value {
    if (typeof key === 'string') return this.#keyed?.map.get(key)?.value;
    if (typeof key === 'number') {
      if (key >= 1) return this.at(key);
      return this.#keyed?.map.get(key)?.value;
    }
    const index = wholeIndex(key);
    if (index !== undefined) return this.at(index);
    return this.#keyed?.map.get(canon(key))?.value;
  }

  /** The value under a constant string. */
  field(key: string): Value {
    return this.#keyed?.map.get(key)?.value;
  }

  /** The value at an index ≥ 1. */
  at(index: number | bigint): Value {
    if (index < this.array.length) return this.array[index as number];
    return this.#far?.get(index);
  }

  /** Raw assignment: nil removes. The key may not be nil here, except from a constructor. */
  set(key: Value, value: Value): void {
    if (typeof key === 'number' && key >= 1) this.put(key, value, false);
    else {
      const index = wholeIndex(key);
      if (index !== undefined) this.put(index, value, false);
      else this.#store(key, value);
    }
  }

  #store(key: Value, value: Value): void {
    const name = canon(key);
    const entry = this.#keyed?.map.get(name);
    if (entry) {
      if (this.stamp !== now.journal.stamp) now.journal.noteKey(this, entry.key, entry.value);
      if (value === undefined) this.#keyed!.remove(name, entry);
      else entry.value = value;
      return;
    }
    if (value === undefined) return;
    if (this.stamp !== now.journal.stamp) now.journal.noteKey(this, key, undefined);
    now.journal.allocate(ENTRY_BYTES);
    (this.#keyed ??= new SortedPart()).add(name, key, value);
  }

  /** Sets an index ≥ 1; `stretch`: nil beyond the end still moves the end (what the table library does). */
  put(index: number | bigint, value: Value, stretch: boolean): void {
    const array = this.array;
    if (index < array.length) {
      if (this.stamp !== now.journal.stamp) now.journal.noteKey(this, index, array[index as number]);
      array[index as number] = value;
      if (index > this.top && (stretch || value !== undefined)) this.top = index;
      if (value === undefined && index <= this.#border) this.#border = Math.max(1, (index as number) - 1);
      return;
    }
    if (value === undefined && !this.#far?.has(index)) {
      if (stretch && index > this.top) {
        if (this.stamp !== now.journal.stamp) now.journal.noteKey(this, index, undefined);
        this.top = index;
      }
      return;
    }
    if (this.stamp !== now.journal.stamp) now.journal.noteKey(this, index, this.#far?.get(index));
    if (index > this.top) this.top = index;
    if (index > array.length + REACH || value === undefined) {
      if (value === undefined) this.#far!.delete(index);
      else {
        if (!this.#far?.has(index)) this.#farOrder = undefined;
        (this.#far ??= new Map()).set(index, value);
      }
      now.journal.allocate(ENTRY_BYTES);
      return;
    }
    now.journal.allocate(SLOT_BYTES);
    while (array.length < index) this.#push(undefined);
    this.#push(value);
    const far = this.#far;
    if (far?.size) while (far.has(array.length)) this.#push(undefined);
  }

  /** Extends the dense part by one, taking over what was far away before. */
  #push(value: Value): void {
    const far = this.#far;
    if (far?.size && far.has(this.array.length)) {
      const index = this.array.length;
      this.array.push(value ?? far.get(index));
      far.delete(index);
    } else this.array.push(value);
  }

  setMeta(meta: LuaTable | undefined): void {
    if (this.stamp !== now.journal.stamp) now.journal.noteMeta(this);
    this.meta = meta;
  }

  /** Puts the sorted items in place of the whole array part. */
  replaceArray(items: readonly Value[]): void {
    if (this.stamp !== now.journal.stamp) now.journal.noteTable(this);
    this.array = [undefined, ...items];
    this.#far = undefined;
    this.#farOrder = undefined;
    this.#border = 1;
  }

  /** `#t` without metamethods (lua.md §5.3). */
  length(): number {
    const first = this.at(1);
    if (this.at(2) === undefined) return first === undefined ? 0 : 1;
    let border = Math.max(2, this.#border);
    const array = this.array;
    while (border + 1 < array.length && array[border + 1] !== undefined) border++;
    if (border + 1 === array.length && this.#far?.size) while (this.#far.has(border + 1)) border++;
    this.#border = Math.min(border, array.length - 1);
    return border;
  }

  /** The pair after `key` in the table's order, or undefined at the end; nil: the first. `key` need not be there. */
  next(key: Value): [Value, Value] | undefined {
    if (key === undefined) return this.#nextIndex(0);
    if (typeof key === 'number' && key >= 1) return this.#nextIndex(key);
    const index = wholeIndex(key);
    if (index !== undefined) return this.#nextIndex(index);
    return this.#keyed?.after(key);
  }

  #nextIndex(index: number | bigint): [Value, Value] | undefined {
    const array = this.array;
    if (index < array.length)
      for (let i = (index as number) + 1; i < array.length; i++) {
        const value = array[i];
        if (value !== undefined) return [i, value];
      }
    if (this.#far?.size) {
      const best = this.#nextFar(index);
      if (best !== undefined) return [best, this.#far.get(best)];
    }
    return this.#keyed?.first();
  }

  /** The smallest far index above `index` that is still there. */
  #nextFar(index: number | bigint): number | bigint | undefined {
    const order = (this.#farOrder ??= [...this.#far!.keys()].sort((a, b) => (a < b ? -1 : 1)));
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order[middle]! <= index) low = middle + 1;
      else high = middle;
    }
    while (low < order.length && !this.#far!.has(order[low]!)) low++;
    return order[low];
  }

  /** Number of pairs, roughly (holes of the array count). */
  count(): number {
    return this.array.length + (this.#keyed?.map.size ?? 0) + (this.#far?.size ?? 0);
  }

  /** All pairs in order. */
  *entries(): IterableIterator<[Value, Value]> {
    const array = this.array;
    for (let i = 1; i < array.length; i++) if (array[i] !== undefined) yield [i, array[i]];
    if (this.#far?.size) yield* [...this.#far].sort((a, b) => (a[0] < b[0] ? -1 : 1));
    if (this.#keyed) for (const entry of this.#keyed.sorted()) if (entry.live) yield [entry.key, entry.value];
  }

  /** The pairs of the sorted part in no order: cheaper than `entries` where order means nothing. */
  *unsorted(): IterableIterator<[Value, Value]> {
    for (let i = 1; i < this.array.length; i++) if (this.array[i] !== undefined) yield [i, this.array[i]];
    if (this.#far) yield* this.#far;
    if (this.#keyed) for (const entry of this.#keyed.map.values()) yield [entry.key, entry.value];
  }

  image(): TableImage {
    return {
      meta: this.meta,
      array: this.array.slice(),
      far: this.#far ? [...this.#far] : [],
      top: this.top,
      entries: this.#keyed?.pairs() ?? [],
    };
  }

  reset(image: TableImage): void {
    this.meta = image.meta;
    this.array = image.array.slice();
    this.#far = image.far.length ? new Map(image.far) : undefined;
    this.#farOrder = undefined;
    this.top = image.top;
    this.#border = 1;
    this.#keyed = undefined;
    for (const [key, value] of image.entries) this.#store(key, value);
  }
}

/** The index of the array part that a float or a large integer stands for. */
function wholeIndex(key: Value): number | bigint | undefined {
  if (typeof key === 'bigint') return key >= 1n ? key : undefined;
  if (!(key instanceof LuaFloat) || key.n < 1 || !Number.isInteger(key.n)) return undefined;
  return Number.isSafeInteger(key.n) ? key.n : BigInt(key.n);
}
