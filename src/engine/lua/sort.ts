/**
 * The merge sort of Erlang's `lists:sort/2` (lua.md §10.6): the same comparisons in the same order, because a
 * comparator may be inconsistent or have effects. `before(a, b)` means "a may come before b".
 */
import { truthy } from './operators.ts';
import type { Call, HostCall, Value } from './value.ts';

type Asking<T> = Generator<Call | HostCall, T, Value[]>;
/** The answer, or what has to be called for it. */
export type Compare = (a: Value, b: Value) => boolean | Call;

/** A run, read from its end: the last element is the first of the list it stands for. */
type Run = Value[];

export function* mergeSort(items: readonly Value[], before: Compare): Asking<Value[]> {
  if (items.length < 2) return items.slice();
  const first = before(items[0], items[1]);
  const ascending = typeof first === 'boolean' ? first : truthy((yield first)[0]);
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
    let answer = before(y, z);
    if (typeof answer !== 'boolean') answer = truthy((yield answer)[0]);
    if (answer === ascending) {
      older.push(x);
      x = y;
      y = z;
      continue;
    }
    answer = before(x, z);
    if (typeof answer !== 'boolean') answer = truthy((yield answer)[0]);
    if (answer === ascending) {
      older.push(x);
      x = z;
    } else if (extra) {
      older.push(x, y);
      runs.push(older);
      older = [];
      answer = before(extra[0], z);
      if (typeof answer !== 'boolean') answer = truthy((yield answer)[0]);
      if (answer === ascending) {
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
  while (runs.length > 1) {
    const next: Run[] = [];
    let at = 0;
    for (; at + 1 < runs.length; at += 2) {
      const straight = reversed ? !ascending : ascending;
      const left = runs[straight ? at : at + 1]!;
      const right = runs[straight ? at + 1 : at]!;
      const out: Run = [];
      let l = left.length - 1;
      let r = right.length - 1;
      while (l >= 0 && r >= 0) {
        let answer = before(left[l], right[r]);
        if (typeof answer !== 'boolean') answer = truthy((yield answer)[0]);
        out.push(answer !== reversed ? left[l--] : right[r--]);
      }
      while (l >= 0) out.push(left[l--]);
      while (r >= 0) out.push(right[r--]);
      next.push(out);
    }
    if (at < runs.length) next.push(runs[at]!.slice().reverse());
    runs = next.reverse();
    reversed = !reversed;
  }
  // A run is stored with its head last: read it from there.
  return reversed ? runs[0]! : runs[0]!.reverse();
}
