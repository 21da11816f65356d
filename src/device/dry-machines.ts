/**
 * Machines for dry runs: copies of legacynet processes' machines, each in a worker of its own, that are kept for a
 * while. A dry run leaves nothing behind in one, so the next finds it as the process is; what the process did
 * meanwhile is made up for by evaluating it here too. The process and its queue are disturbed only to take the copy.
 */
import { AoError } from '../base/errors.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { evaluateLegacy } from './legacy-evaluation.ts';
import type { LiveProcess } from './process-live.ts';
import { asRole } from './process-roles.ts';
import { Schedules } from './schedules.ts';
import { integerOf, textOf } from './values.ts';
import { instanceOf, withInstance, type WasmInstance } from './wasm-instance.ts';
import { startInstance } from './wasm-start.ts';

/** Milliseconds without a dry run before a copy ends. */
const IDLE = 30_000;
/** Copies at once; each is a worker with two memories. */
const MOST = 4;
/** Slots that a copy makes up for; past that a new copy is cheaper. */
const CATCH_UP = 16;
/** Dry runs that may wait for one process. */
const MOST_WAITING = 1_000;

export class DryMachines {
  readonly #machines = new Map<LiveProcess, DryMachine>();

  static of(context: Context): DryMachines {
    return context.memory('dry-machines', () => new DryMachines());
  }

  /**
   * Runs `action` on the newest state of a process with a machine in it that has done all that the process did. What it
   * evaluates there it has to discard.
   * @throws AoError `not-found` (404) before the first slot, `busy` (503), and those of starting a machine
   */
  async run<T>(live: LiveProcess, context: Context, action: (state: Message) => Promise<T>): Promise<T> {
    let machine = this.#machines.get(live);
    if (!machine) {
      if (this.#machines.size >= MOST) await this.release();
      machine = this.#machines.get(live) ?? new DryMachine(live, () => this.#machines.delete(live));
    }
    // The one used last is the last.
    this.#machines.delete(live);
    this.#machines.set(live, machine);
    return machine.run(context, action);
  }

  /** Ends the copy that was used longest ago. False if there is none that waits. */
  async release(): Promise<boolean> {
    const idle = [...this.#machines.values()].find(({ busy }) => !busy);
    await idle?.end();
    return idle !== undefined;
  }
}

interface Copy {
  readonly instance: WasmInstance;
  /** The newest slot that it has evaluated. */
  readonly slot: number;
}

class DryMachine {
  readonly #live: LiveProcess;
  readonly #onEnd: () => void;
  #copy: Copy | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor(live: LiveProcess, onEnd: () => void) {
    this.#live = live;
    this.#onEnd = onEnd;
  }

  get busy(): boolean {
    return this.#waiting > 0;
  }

  run<T>(context: Context, action: (state: Message) => Promise<T>): Promise<T> {
    if (this.#waiting >= MOST_WAITING)
      throw new AoError('busy', 'Too many dry runs wait for this process.', { status: 503 });
    this.#waiting++;
    clearTimeout(this.#idle);
    const result = this.#turn.then(() => this.#run(context, action)).finally(() => this.#rest());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #run<T>(context: Context, action: (state: Message) => Promise<T>): Promise<T> {
    const { slot, instance } = await this.#upToDate(context);
    const state = await this.#live.stateAt(slot, context);
    if (!state) throw new AoError('not-computed', `Slot ${slot} is not here any more.`, { status: 503 });
    try {
      return await action(withInstance(asRole('execution', state), instance));
    } catch (thrown) {
      // It may be in the middle of something, or its worker is gone (a program that did not come back).
      await this.#drop();
      throw thrown;
    }
  }

  async #upToDate(context: Context): Promise<Copy> {
    const newest = await this.#live.newest(context);
    if (!newest) throw new AoError('not-found', 'Nothing of this process is computed yet.', { status: 404 });
    const { slot, state } = newest;
    const copy = this.#copy;
    if (copy?.slot === slot) return copy;
    if (copy && slot > copy.slot && slot - copy.slot <= CATCH_UP) {
      try {
        if (await this.#catchUp(copy, slot, state, context)) return (this.#copy = { ...copy, slot });
      } catch {
        // A copy that cannot follow is taken anew.
      }
    }
    await this.#drop();
    return (this.#copy = await this.#fork(state, context));
  }

  /** Evaluates what the process did since. False if some of it was no message for the program. */
  async #catchUp({ instance, slot }: Copy, to: number, state: Message, context: Context): Promise<boolean> {
    const missed = await Schedules.of(context).read(this.#live.id, slot + 1, to, context);
    if (missed.length !== to - slot) return false;
    const plain = missed.every(
      ({ assignment }) => (textOf(assignment.get('path')) ?? 'compute') === 'compute',
    );
    if (!plain) return false;
    const base = withInstance(asRole('execution', state), instance);
    for (const { assignment } of missed) await evaluateLegacy(base, assignment, context);
    return true;
  }

  async #fork(state: Message, context: Context): Promise<Copy> {
    const { image, slot } = await this.#live.withLiveState(context, async (running) => ({
      image: await instanceOf(running)?.engine.image(),
      slot: integerOf(running.get('at-slot')) ?? -1,
    }));
    if (!image) throw new AoError('engine-closed', 'There is no machine to run this on.', { status: 503 });
    return { instance: await startInstance(asRole('execution', state), context, image), slot };
  }

  #rest(): void {
    this.#waiting--;
    if (this.#waiting > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => void this.end(), IDLE);
    (this.#idle as { unref?: () => void }).unref?.();
  }

  async #drop(): Promise<void> {
    const copy = this.#copy;
    this.#copy = undefined;
    await copy?.instance.engine.close();
  }

  async end(): Promise<void> {
    clearTimeout(this.#idle);
    this.#onEnd();
    await this.#drop();
  }
}
