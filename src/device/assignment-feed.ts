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
  #next: number;
  #reading: Promise<Fed[]> | undefined;

  constructor(process: string, from: number, target: number, context: Context) {
    this.#process = process;
    this.#next = from;
    this.#target = target;
    this.#context = context;
  }

  /** The next assignment, or why there is none. `state` is what a scheduler that has to be asked is told. */
  async next(state: Message): Promise<Fed | { readonly refused: Result }> {
    await this.#fill();
    const ready = this.#ready.shift();
    if (ready) {
      this.#next = ready.slot + 1;
      // The next batch is on its way before this one is used up.
      if (this.#ready.length === AHEAD >> 1) this.#reading ??= this.#read(this.#ready.at(-1)!.slot + 1);
      return ready;
    }
    const found = await nextAssignment(this.#process, this.#next - 1, state, this.#context);
    if ('refused' in found) return { refused: notYet(found.refused, this.#next) };
    return { slot: this.#next++, assignment: found.assignment };
  }

  /** Assignments that are read already and come after the one that `next` gave last. */
  ahead(): readonly Fed[] {
    return this.#ready;
  }

  async #fill(): Promise<void> {
    if (this.#ready.length === 0 || this.#reading) {
      if (!this.#reading && this.#next > this.#target) return;
      const more = await (this.#reading ?? this.#read(this.#next));
      this.#reading = undefined;
      this.#ready.push(...more);
    }
  }

  async #read(from: number): Promise<Fed[]> {
    const to = Math.min(this.#target, from + AHEAD - 1);
    return to < from ? [] : Schedules.of(this.#context).read(this.#process, from, to, this.#context);
  }
}

function notYet(refused: Result, slot: number): Result {
  const said = refused.value;
  const more = { phase: 'get-schedule', 'attempted-slot': BigInt(slot) };
  return { status: 'error', value: (said as Message).with(more) };
}
