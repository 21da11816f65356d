/**
 * Calls that are made again when the node moved to another tab: each carries a key, and what it did is on disk under
 * that key in the same transaction. So it is done once, however often it is asked for.
 */
import type { Context } from '../resolver/context.ts';
import type { Store, Write } from '../store/store.ts';

const SENT = 'once';
const SPAWNED = 'once-spawn';
/** Keys that are kept of one process: more calls than that are never under way at a time. */
const KEPT = 4_096;
/** Milliseconds that the key of a new process is kept. */
const SPAWN_KEPT = 60 * 60_000;

export class Once {
  readonly #store: Store;
  /** Slots by key, of processes that were sent to since the node started. */
  readonly #slots = new Map<string, Promise<Map<string, number>>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The calls of a node. */
  static of(context: Context): Once {
    return context.memory('once', () => new Once(context.store));
  }

  /** The slot that a message with this key got. */
  async slotOf(process: string, key: string): Promise<number | undefined> {
    return (await this.#of(process)).get(key);
  }

  /** To be written with the assignment. */
  sent(process: string, key: string, slot: number): Write[] {
    const own: Write = { table: 'node', key: [SENT, process, slot], value: key };
    return slot < KEPT ? [own] : [own, { table: 'node', key: [SENT, process, slot - KEPT] }];
  }

  /** The assignment is on disk. */
  async remember(process: string, key: string, slot: number): Promise<void> {
    const known = await this.#of(process);
    known.set(key, slot);
    if (known.size > KEPT) known.delete(known.keys().next().value!);
  }

  forget(process: string): void {
    this.#slots.delete(process);
  }

  /** The process that was made with this key. */
  async processOf(key: string): Promise<string | undefined> {
    const all = await this.#store.range<string>('node', { from: [SPAWNED], to: [SPAWNED, '\uffff'] });
    return all.find((entry) => (entry.key as readonly unknown[])[2] === key)?.value;
  }

  spawned(process: string, key: string, now: number): Write[] {
    return [
      { table: 'node', key: [SPAWNED, 0], to: [SPAWNED, now - SPAWN_KEPT] },
      { table: 'node', key: [SPAWNED, now, key], value: process },
    ];
  }

  #of(process: string): Promise<Map<string, number>> {
    let known = this.#slots.get(process);
    if (!known) {
      const [from, to] = sentTo(process);
      known = this.#store
        .range<string>('node', { from, to })
        .then((rows) => new Map(rows.map(({ key, value }) => [value, (key as [string, string, number])[2]])));
      this.#slots.set(process, known);
      known.catch(() => this.#slots.delete(process));
    }
    return known;
  }
}

/** First and last key of what is kept of one process. */
export function sentTo(process: string): readonly [readonly string[], readonly string[]] {
  return [
    [SENT, process],
    [SENT, process, '\uffff'],
  ];
}
