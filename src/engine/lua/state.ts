/** What a machine keeps between calls: the globals, the metatables of types, counters, and what the host gives it. */
import { LuaLimit } from './errors.ts';
import type { Random } from './random.ts';
import { LuaTable } from './table.ts';
import { LuaFloat, type Env, type Value } from './value.ts';
import type { Chunk } from './proto.ts';

export class State {
  nextTable = 0;
  nextFunction = 0;
  globals: LuaTable;
  /** Metatables by type; only strings have one until `debug.setmetatable` gives others. */
  metas: { nil: Value; boolean: Value; number: Value; string: Value } = {
    nil: undefined,
    boolean: undefined,
    number: undefined,
    string: undefined,
  };
  random: Random;
  /** Seconds since 1970 for `os.time`, never the real clock. */
  clock = 0;
  /** Where `print` and `io.write` go. */
  print: (text: string) => void = () => {};
  /** Compiles the text given to `load`, remembering compiled chunks. */
  compile: (source: string) => Chunk;
  /** Steps left in this call. */
  steps = Infinity;
  /** Longest string and other single values, in bytes. */
  largest = 1 << 28;

  constructor(random: Random, compile: (source: string) => Chunk) {
    this.random = random;
    this.compile = compile;
    this.globals = this.table();
  }

  /** Takes steps for work that one instruction does. @throws LuaLimit when there are not so many left */
  spend(cost: number): void {
    this.steps -= cost;
    if (this.steps < 0) throw new LuaLimit('steps', 'Lua ran more steps than allowed.');
  }

  table(): LuaTable {
    return new LuaTable(this.nextTable++);
  }

  /** The environment in which a chunk's functions are made: holds the number of the first of them. */
  root(chunk: Chunk): Env {
    const first = this.nextFunction;
    this.nextFunction += chunk.protos.length;
    return [undefined, 0, undefined, first];
  }

  /** The metatable of any value. */
  metatable(value: Value): Value {
    if (value instanceof LuaTable) return value.meta;
    switch (typeof value) {
      case 'string':
        return this.metas.string;
      case 'number':
      case 'bigint':
        return this.metas.number;
      case 'boolean':
        return this.metas.boolean;
      case 'undefined':
        return this.metas.nil;
      default:
        return value instanceof LuaFloat ? this.metas.number : undefined;
    }
  }

  /** The metamethod of a value for an event, undefined if it has none. */
  event(value: Value, event: string): Value {
    const meta = this.metatable(value);
    return meta instanceof LuaTable ? meta.field(event) : undefined;
  }

  /** The first of two values that has a metamethod decides. */
  eventOf(a: Value, b: Value, event: string): Value {
    return this.event(a, event) ?? this.event(b, event);
  }
}
