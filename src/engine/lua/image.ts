/**
 * A machine's state as plain data, and back.
 *
 * Functions are saved as their chunk's source and a number in it; tables, environments and functions by their place
 * in lists, so that what was one object is one object again. Between calls nothing runs, so this is everything.
 */
import { AoError } from '../../base/errors.ts';
import { compile } from './compiler.ts';
import type { LuaImage } from './contract.ts';
import type { Builtins } from './library.ts';
import type { Chunk, Proto } from './proto.ts';
import type { Random } from './random.ts';
import { reach } from './reach.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Builtin, LuaFloat, LuaFunction, Opaque, type Env, type Value } from './value.ts';

export const IMAGE_VERSION = 1;

/** Plain values stand for themselves; `[kind, what]`: float, table, function, built-in, opaque. */
type Saved =
  undefined | boolean | number | bigint | string | readonly ['f' | 't' | 'c' | 'b' | 'o', number | string];

interface SavedTable {
  readonly id: number;
  readonly top: number | bigint;
  readonly meta: Saved;
  readonly array: readonly Saved[];
  readonly entries: readonly (readonly [Saved, Saved])[];
}

interface SavedEnv {
  readonly parent: number;
  /** Number of the chunk's first function, in roots. */
  readonly first: number;
  readonly variables: readonly Saved[];
}

interface Image extends LuaImage {
  readonly chunks: readonly { readonly name: string; readonly source: string }[];
  readonly functions: readonly (readonly [chunk: number, proto: number, env: number])[];
  readonly envs: readonly SavedEnv[];
  readonly tables: readonly SavedTable[];
  readonly globals: Saved;
  readonly metas: Readonly<Record<'nil' | 'boolean' | 'number' | 'string', Saved>>;
  readonly random: Random;
  readonly nextTable: number;
  readonly nextFunction: number;
}

class Numbers<T> {
  readonly list: T[] = [];
  readonly #places = new Map<T, number>();

  of(one: T): number {
    let place = this.#places.get(one);
    if (place === undefined) this.#places.set(one, (place = this.list.push(one) - 1));
    return place;
  }
}

export function saveState(state: State): LuaImage {
  const chunks = new Numbers<Chunk>();
  const functions = new Numbers<LuaFunction>();
  const envs = new Numbers<Env>();
  const tables = new Numbers<LuaTable>();
  reach(state, undefined, {
    table: (table) => void tables.of(table),
    fn: (fn) => {
      functions.of(fn);
      chunks.of(fn.proto.chunk);
    },
    env: (env) => void envs.of(env),
  });
  const save = (value: Value): Saved => {
    if (typeof value !== 'object') return value;
    if (value instanceof LuaFloat) return ['f', value.n];
    if (value instanceof LuaTable) return ['t', tables.of(value)];
    if (value instanceof LuaFunction) return ['c', functions.of(value)];
    if (value instanceof Builtin) return ['b', `${value.library}.${value.name}`];
    return ['o', value.name];
  };
  const image: Image = {
    version: IMAGE_VERSION,
    chunks: chunks.list.map(({ name, source }) => ({ name, source })),
    functions: functions.list.map((fn) => [chunks.of(fn.proto.chunk), fn.proto.index, envs.of(fn.env)]),
    envs: envs.list.map((env) => ({
      parent: env[0] ? envs.of(env[0]) : -1,
      first: env[0] ? 0 : (env[3] as number),
      variables: env[0] ? env.slice(3).map((one) => save(one as Value)) : [],
    })),
    tables: tables.list.map((table) => {
      const { array, far, entries } = table.image();
      return {
        id: table.id,
        top: table.top,
        meta: save(table.meta),
        array: array.map(save),
        entries: [...far, ...entries].map(([key, value]) => [save(key), save(value)] as const),
      };
    }),
    globals: save(state.globals),
    metas: {
      nil: save(state.metas.nil),
      boolean: save(state.metas.boolean),
      number: save(state.metas.number),
      string: save(state.metas.string),
    },
    random: state.random,
    nextTable: state.nextTable,
    nextFunction: state.nextFunction,
  };
  return image;
}

/**
 * Fills a newly installed state with a saved one.
 * @throws AoError `snapshot-damaged` (500)
 */
export function restoreState(state: State, builtins: Builtins, image: LuaImage): void {
  try {
    restore(state, builtins, image as Image);
  } catch (error) {
    if (error instanceof AoError) throw error;
    throw new AoError('snapshot-damaged', 'The saved Lua state cannot be read.', {
      status: 500,
      cause: error,
    });
  }
}

function damaged(): never {
  throw new AoError('snapshot-damaged', 'The saved Lua state cannot be read.', { status: 500 });
}

function restore(state: State, builtins: Builtins, image: Image): void {
  if (image.version !== IMAGE_VERSION) damaged();
  const chunks = image.chunks.map(({ name, source }) => compile(name, source));
  const envs: Env[] = image.envs.map(() => [undefined, 0, undefined]);
  const functions = image.functions.map(([chunk, proto, env]) => {
    const made = new LuaFunction(chunks[chunk]?.protos[proto] ?? damaged(), envs[env] ?? damaged());
    intern(made);
    return made;
  });
  const tables = image.tables.map(({ id }) => new LuaTable(id));
  const load = (saved: Saved): Value => {
    if (!Array.isArray(saved)) return saved as Exclude<Saved, readonly unknown[]>;
    const [kind, what] = saved as readonly [string, number | string];
    if (kind === 'f') return new LuaFloat(what as number);
    if (kind === 't') return tables[what as number] ?? damaged();
    if (kind === 'c') return functions[what as number] ?? damaged();
    if (kind === 'b') return builtins.get(what as string) ?? damaged();
    return new Opaque(String(what));
  };
  image.envs.forEach((saved, i) => {
    const env = envs[i]!;
    if (saved.parent >= 0) env[0] = envs[saved.parent] ?? damaged();
    env.push(...(saved.parent >= 0 ? saved.variables.map(load) : [saved.first]));
  });
  image.tables.forEach((saved, i) => {
    const table = tables[i]!;
    table.meta = load(saved.meta) as LuaTable | undefined;
    table.array = saved.array.map(load);
    for (const [key, value] of saved.entries) table.set(load(key), load(value));
    table.top = saved.top;
  });
  state.globals = load(image.globals) as LuaTable;
  if (!(state.globals instanceof LuaTable)) damaged();
  const { nil, boolean, number, string } = image.metas;
  state.metas = { nil: load(nil), boolean: load(boolean), number: load(number), string: load(string) };
  state.random = image.random;
  state.nextTable = image.nextTable;
  state.nextFunction = image.nextFunction;
}

/** Makes the function the one that its expression gives in that environment from now on. */
function intern(fn: LuaFunction): void {
  const known = fn.env[2];
  if (known === undefined) fn.env[2] = fn;
  else if (known instanceof Map) known.set(fn.proto, fn);
  else
    fn.env[2] = new Map<Proto, LuaFunction>([
      [known.proto, known],
      [fn.proto, fn],
    ]);
}
