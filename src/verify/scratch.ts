/**
 * A node beside the node: the same engines, programs and schedules, but states of its own that are gone with it. What
 * starts from somebody's checkpoint is computed here, so that it never stands among what this node computed itself.
 */
import { keyText } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Entry, Key, Range, Store, Table, Write } from '../store/store.ts';
import type { Context } from '../resolver/context.ts';
import { createContext, type NodeContext } from '../resolver/node-context.ts';

/** Tables that are read through; all others begin empty. */
const SHARED = new Set<Table>(['messages', 'links', 'data', 'processes', 'assignments', 'node']);
/** The same where no schedule of this node may be seen: what is found by its ID alone. */
const CONTENT = new Set<Table>(['messages', 'links', 'data']);
/** Newest states that are kept of a long run, next to the first one. */
const KEPT_STATES = 256;

/** Reads what is below it, writes to memory alone. */
export class ScratchStore implements Store {
  readonly #own = new MemoryStore();
  readonly #below: Store;
  readonly #shared: ReadonlySet<Table>;

  constructor(below: Store, shared: ReadonlySet<Table> = SHARED) {
    this.#below = below;
    this.#shared = shared;
  }

  async get<T>(table: Table, key: Key): Promise<T | undefined> {
    return (
      (await this.#own.get<T>(table, key)) ??
      (this.#shared.has(table) ? this.#below.get<T>(table, key) : undefined)
    );
  }

  async getMany<T>(table: Table, keys: readonly Key[]): Promise<(T | undefined)[]> {
    const own = await this.#own.getMany<T>(table, keys);
    if (!this.#shared.has(table) || !own.includes(undefined)) return own;
    const below = await this.#below.getMany<T>(table, keys);
    return own.map((value, index) => value ?? below[index]);
  }

  async range<T>(table: Table, range?: Range): Promise<Entry<T>[]> {
    const own = await this.#own.range<T>(table, range);
    if (!this.#shared.has(table)) return own;
    const below = await this.#below.range<T>(table, range);
    if (own.length === 0) return below;
    const known = new Set(own.map(({ key }) => keyText(key)));
    return [...own, ...below.filter(({ key }) => !known.has(keyText(key)))];
  }

  async keys(table: Table, range?: Range): Promise<Key[]> {
    if (!this.#shared.has(table)) return this.#own.keys(table, range);
    return (await this.range(table, range)).map(({ key }) => key);
  }

  async write(writes: readonly Write[]): Promise<void> {
    await this.#own.write(writes);
    if (writes.some(({ table }) => table === 'slots')) await this.#thin();
  }

  /** A long run would fill memory: the first state, and the newest, are what is gone on from. */
  async #thin(): Promise<void> {
    const keys = await this.#own.keys('slots');
    if (keys.length <= 2 * KEPT_STATES) return;
    const gone = keys.slice(1, -KEPT_STATES);
    await this.#own.write(gone.map((key) => ({ table: 'slots', key })));
  }

  close(): Promise<void> {
    return this.#own.close();
  }
}

/** A context over a scratch store; nothing that happens in it is told. */
export function scratch(context: Context): Promise<NodeContext> {
  return over(new ScratchStore(context.store), context);
}

/** The same without any process or schedule of this node: for a file that has to prove something by itself. */
export function apart(context: Context): Promise<NodeContext> {
  return over(new ScratchStore(context.store, CONTENT), context);
}

function over(store: Store, context: Context): Promise<NodeContext> {
  const { engines, http, clock, identity, devices } = context;
  const all = devices.names().flatMap((name) => devices.find(name) ?? []);
  return createContext(
    { store, engines, http, clock, identity, report: () => undefined },
    context.options,
    new Set(all),
  );
}
