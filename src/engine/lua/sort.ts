/**
 * The merge sort of Erlang's `lists:sort/2` (lua.md §10.6): the same comparisons in the same order, because a
 * comparator may be inconsistent or have effects. `before(a, b)` means "a may come before b".
 */
import type { Call, HostCall, Value } from './value.ts';

type Asking<T> = Generator<Call | HostCall, T, Value[]>;
export type Compare = (a: Value, b: Value) => Asking<boolean>;

/** A run, read from its end: the last element is the first of the list it stands for. */
type Run = Value[];

export function* mergeSort(items: readonly Value[], before: Compare): Asking<Value[]> {
  if (items.length < 2) return items.slice();
  const [x, y] = items as [Value, Value];
  const ascending = yield* before(x, y);
  const runs = yield* split(items, ascending, before);
  return yield* merge(runs, ascending, before);
}

/** Cuts the items into runs, the latest first; each is a list of which the newest end comes first. */
function* split(items: readonly Value[], ascending: boolean, before: Compare): Asking<Run[]> {
  const runs: Run[] = [];
  let x = items[0];
  let y = items[1];
  let older: Value[] = [];
  let extra: [Value] | undefined;
  for (let i = 2; i < items.length; i++) {
    const z = items[i];
    if ((yield* before(y, z)) === ascending) {
      older.push(x);
      x = y;
      y = z;
    } else if ((yield* before(x, z)) === ascending) {
      older.push(x);
      x = z;
    } else if (extra) {
      older.push(x, y);
      runs.push(older);
      older = [];
      if ((yield* before(extra[0], z)) === ascending) {
        x = extra[0];
        y = z;
      } else {
        x = z;
        y = extra[0];
      }
      extra = undefined;
    } else if (older.length === 0) older = [z];
    else extra = [z];
  }
  older.push(x, y);
  runs.push(older);
  if (extra) runs.push(extra);
  return runs.reverse();
}

/** Merges neighbours in rounds of two kinds that alternate; every merge turns the direction. */
function* merge(first: Run[], ascending: boolean, before: Compare): Asking<Value[]> {
  let runs = first;
  let reversed = ascending;
  for (;;) {
    if (runs.length === 1) {
      const run = runs[0]!;
      // A run is stored with its head last: read it from there.
      return reversed ? run.slice() : run.slice().reverse();
    }
    const next: Run[] = [];
    let at = 0;
    for (; at + 1 < runs.length; at += 2) {
      const pair = [runs[at]!, runs[at + 1]!] as const;
      const straight = reversed ? !ascending : ascending;
      const [left, right] = straight ? pair : [pair[1], pair[0]];
      next.push(yield* mergeTwo(left, right, reversed, before));
    }
    if (at < runs.length) next.push(runs[at]!.slice().reverse());
    runs = next.reverse();
    reversed = !reversed;
  }
}

function* mergeTwo(left: Run, right: Run, reversed: boolean, before: Compare): Asking<Run> {
  const out: Run = [];
  let l = left.length - 1;
  let r = right.length - 1;
  while (l >= 0 && r >= 0) {
    const first = yield* before(left[l], right[r]);
    if (first !== reversed) out.push(left[l--]);
    else out.push(right[r--]);
  }
  while (l >= 0) out.push(left[l--]);
  while (r >= 0) out.push(right[r--]);
  return out;
}
