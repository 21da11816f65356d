/** Everything that can be reached from a machine's roots: for saving it, and for measuring it. */
import { Frame, type AnyFrame } from './frame.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { LuaFunction, type Env, type Value } from './value.ts';

export interface Visitor {
  table?(table: LuaTable): void;
  fn?(fn: LuaFunction): void;
  env?(env: Env): void;
  value?(value: Value): void;
}

/** Visits every table, function and environment once. */
export function reach(state: State, frame: AnyFrame | undefined, visitor: Visitor): void {
  const seen = new Set<object>();
  const todo: (LuaTable | LuaFunction | Env)[] = [];
  const value = (one: Value): void => {
    visitor.value?.(one);
    if ((one instanceof LuaTable || one instanceof LuaFunction) && !seen.has(one)) {
      seen.add(one);
      todo.push(one);
    }
  };
  const env = (one: Env | undefined): void => {
    if (!one || seen.has(one)) return;
    seen.add(one);
    todo.push(one);
  };
  value(state.globals);
  for (const meta of Object.values(state.metas)) value(meta);
  for (let at = frame; at; at = at.up)
    if (at instanceof Frame) {
      at.registers.forEach(value);
      at.varargs.forEach(value);
      env(at.env);
    } else at.args.forEach(value);
  for (let one = todo.pop(); one; one = todo.pop())
    if (one instanceof LuaTable) {
      visitor.table?.(one);
      value(one.meta);
      for (const [key, item] of one.unsorted()) {
        value(key);
        value(item);
      }
    } else if (one instanceof LuaFunction) {
      visitor.fn?.(one);
      env(one.env);
    } else {
      visitor.env?.(one);
      env(one[0]);
      if (one[0]) for (let i = 3; i < one.length; i++) value(one[i] as Value);
    }
}

/** Bytes that live, roughly. A long string counts once, however often it is held. */
export function measure(state: State, frame: AnyFrame | undefined): number {
  let bytes = 0;
  const long = new Set<string>();
  reach(state, frame, {
    table: (table) => (bytes += 64 + 16 * table.array.length + 80 * (table.count() - table.array.length)),
    env: (env) => (bytes += 32 + 8 * env.length),
    value: (one) => {
      if (typeof one !== 'string') return;
      if (one.length < 1024) bytes += one.length;
      else if (!long.has(one)) {
        long.add(one);
        bytes += one.length;
      }
    },
  });
  for (let at = frame; at; at = at.up) bytes += at instanceof Frame ? 120 + 8 * at.registers.length : 200;
  return bytes;
}
