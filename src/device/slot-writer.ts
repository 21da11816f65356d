/**
 * The way of computed slots to disk: several are written together. A group is atomic, groups go one after the other,
 * and once one failed none behind it is written, so that what is on disk never has a gap.
 */
import type { Context } from '../resolver/context.ts';
import { writesOf, type NumberedRecord, type SlotRecord } from './slot-records.ts';

/** Slots that are written in one transaction at most, and milliseconds that one waits for others. */
const GROUP = 64;
const GROUP_TIME = 250;

export class SlotWriter {
  readonly #process: string;
  #group: NumberedRecord[] = [];
  #since = 0;
  /** Newest slot that was handed over. */
  #newest: number;
  #written: number;
  /** All groups so far. */
  #done: Promise<void> = Promise.resolve();

  /** `written`: newest slot that is on disk already. */
  constructor(process: string, written: number) {
    this.#process = process;
    this.#newest = written;
    this.#written = written;
  }

  /** True if this slot, and all before it, are on disk. */
  has(slot: number): boolean {
    return slot <= this.#written;
  }

  /** Takes a record; waits only while the group before the last is on its way. */
  async add(slot: number, record: SlotRecord, context: Context): Promise<void> {
    // A whole state begins a row of its own.
    if (record.base === slot) await this.#next(context);
    const now = performance.now();
    if (this.#group.length === 0) this.#since = now;
    this.#group.push({ slot, record });
    this.#newest = slot;
    if (this.#group.length >= GROUP || now - this.#since >= GROUP_TIME) await this.#next(context);
  }

  /** Begins a group; resolves when the one before it is on disk. */
  async #next(context: Context): Promise<void> {
    if (this.#group.length === 0) return;
    const before = this.#done;
    this.#begin(context);
    await before;
  }

  /** Resolves when all that was taken is on disk. @throws AoError `storage-full` (507) and others of `Store.write` */
  flush(context: Context): Promise<void> {
    this.#begin(context);
    return this.#done;
  }

  #begin(context: Context): void {
    if (this.#group.length === 0) return;
    const writes = writesOf(this.#process, this.#group);
    const newest = this.#newest;
    this.#group = [];
    this.#done = this.#done
      .then(() => context.store.write(writes, { durable: true }))
      .then(() => void (this.#written = newest));
    // Whoever comes next meets the failure; it must not count as unhandled until then.
    this.#done.catch(() => undefined);
  }
}
