/** The assignments that a run needs, read ahead in batches. */
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { nextAssignment } from './scheduler.ts';
import { Schedules } from './schedules.ts';

/** Assignments that are read at once. */
const AHEAD = 64;

export interface Fed {
  readonly slot: number;
  readonly assignment: Message;
}

export class AssignmentFeed {
  readonly #process: string;
  readonly #target: number;
  readonly #context: Context;
  #ready: Fed[] = [];
  /** Slot that `next` gives. */
  #next: number;
  #reading: Promise<void> | undefined;

  constructor(process: string, from: number, target: number, context: Context) {
    this.#process = process;
    this.#next = from;
    this.#target = target;
    this.#context = context;
  }

  /** The next assignment, or why there is none. `state` is what a scheduler that has to be asked is told. */
  async next(state: Message): Promise<Fed | { readonly refused: Result }> {
    if (this.#ready.length === 0) await this.#more();
    const ready = this.#ready.shift();
    if (ready) {
      this.#next = ready.slot + 1;
      // The next batch is on its way before this one is used up.
      if (this.#ready.length === AHEAD >> 1) this.#more().catch(() => undefined);
      return ready;
    }
    const found = await nextAssignment(this.#process, this.#next - 1, state, this.#context);
    if ('refused' in found) return { refused: notYet(found.refused, this.#next) };
    return { slot: this.#next++, assignment: found.assignment };
  }

  /** Up to `count` assignments after `slot`, as far as they are here. `next` gives them all the same. */
  async after(slot: number, count: number): Promise<readonly Fed[]> {
    const skip = Math.max(0, slot + 1 - this.#next);
    while (this.#ready.length < skip + count) {
      const { length } = this.#ready;
      await this.#more();
      if (this.#ready.length === length) break;
    }
    return this.#ready.slice(skip, skip + count);
  }

  #more(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
  }

  async #read(): Promise<void> {
    const from = (this.#ready.at(-1)?.slot ?? this.#next - 1) + 1;
    const to = Math.min(this.#target, from + AHEAD - 1);
    if (to < from) return;
    this.#ready.push(...(await Schedules.of(this.#context).read(this.#process, from, to, this.#context)));
  }
}

function notYet(refused: Result, slot: number): Result {
  const said = refused.value;
  const more = { phase: 'get-schedule', 'attempted-slot': BigInt(slot) };
  return { status: 'error', value: (said as Message).with(more) };
}
