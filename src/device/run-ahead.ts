/**
 * Running a machine ahead of the state: the calls of the slots that follow are handed to it together, and while
 * their results are taken up slot by slot, the next ones are on their way. One crossing of the port serves many
 * slots, and node and machine work at the same time.
 *
 * A result is only taken up for the very texts that it was computed from. Until all are taken up, the machine's
 * memory is that of a later slot than the state's.
 */
import { AoError } from '../base/errors.ts';
import type { EvaluateOptions, Evaluation, WasmEngine } from '../engine/engine.ts';
import type { Message } from '../message/message.ts';
import type { AssignmentFeed, Fed } from './assignment-feed.ts';

/** Calls that are handed over together at most, and characters of their texts. */
const MOST = 64;
const MOST_CHARACTERS = 1 << 20;
/**
 * Milliseconds for a message that may be the one that did not end: one of them was given its whole time already,
 * and all others before it came back within the fraction of a second between two signs of progress.
 */
const SUSPECT_TIME = 500;
const OUT_OF_STEP = 'ran-ahead-wrong';

export interface NextCall {
  readonly slot: number;
  readonly message: string;
  readonly environment: string;
}

/** The call that a later assignment leads to, as far as can be told before its turn. */
export type CallOf = (fed: Fed) => Promise<NextCall | undefined>;

interface Batch {
  readonly calls: readonly NextCall[];
  readonly results: Promise<Evaluation[]>;
  taken: number;
}

export class RunAhead {
  readonly #feed: AssignmentFeed;
  #batches: Batch[] = [];
  #held = false;
  /** Newest slot that the machine may run ahead to: a snapshot is due after it. */
  limit = Infinity;
  /** Slots up to this one are run one by one: among them is one that went wrong before. */
  #singleTo = -1;
  /** Of those, the first that may be the one that did not end. */
  #suspectFrom = Infinity;

  constructor(feed: AssignmentFeed) {
    this.#feed = feed;
  }

  /** Nothing was run that the state has not taken up. */
  get settled(): boolean {
    return this.#batches.length === 0;
  }

  /** The machine was told to run `slot`, and nobody took the result up. */
  passed(slot: number): boolean {
    const batch = this.#batches[0];
    return batch !== undefined && batch.calls[batch.taken]!.slot <= slot;
  }

  /** Forgets what was run: the machine is a new one. What it was is run one by one from now on. */
  giveUp(): void {
    for (const { calls } of this.#batches) this.#singleTo = Math.max(this.#singleTo, calls.at(-1)!.slot);
    this.#batches = [];
  }

  /** Begins no further batch until those under way are taken up: then memory is that of the state. */
  hold(): void {
    this.#held = true;
  }

  /**
   * The evaluation of `call`: from what was run ahead, else by running it with those that follow.
   * @throws AoError `ran-ahead-wrong` if something else was run in its place, `runaway-in-batch` (503) if one of
   *   several did not end, and those of the engine
   */
  async evaluate(
    engine: WasmEngine,
    call: NextCall,
    callOf: CallOf,
    options: EvaluateOptions,
  ): Promise<Evaluation> {
    if (this.settled) {
      this.#held = false;
      const { slot, message, environment } = call;
      if (slot <= this.#singleTo) {
        const limited = slot < this.#suspectFrom ? options : { ...options, time: SUSPECT_TIME };
        return engine.evaluate(message, environment, limited);
      }
      const calls = [call, ...(await this.#following(slot, message.length, callOf))];
      if (calls.length === 1) return engine.evaluate(message, environment, options);
      this.#begin(engine, calls, options);
    }
    const batch = this.#batches[0]!;
    const expected = batch.calls[batch.taken]!;
    if (
      expected.slot !== call.slot ||
      expected.message !== call.message ||
      expected.environment !== call.environment
    )
      throw outOfStep();
    const results = await batch.results;
    const result = results[batch.taken++];
    // Behind a failure that ended the batch there is nothing.
    if (!result) throw outOfStep();
    if (batch.taken === 1) await this.#next(engine, batch, results, callOf, options);
    if (batch.taken === batch.calls.length) this.#batches.shift();
    return result;
  }

  /** The machine is idle now: what comes after goes to it while these results are taken up. */
  async #next(
    engine: WasmEngine,
    { calls }: Batch,
    results: readonly Evaluation[],
    callOf: CallOf,
    options: EvaluateOptions,
  ): Promise<void> {
    if (this.#held || results.length < calls.length || results.some(({ ok }) => !ok)) return;
    const following = await this.#following(calls.at(-1)!.slot, 0, callOf);
    if (following.length) this.#begin(engine, following, options);
  }

  #begin(engine: WasmEngine, calls: readonly NextCall[], options: EvaluateOptions): void {
    const messages = calls.map(({ message, environment }) => ({ message, environment }));
    const stop = options.onError !== 'restore';
    const results = engine.evaluateAll(messages, { ...options, stopAtFailure: stop }).catch((thrown) => {
      const error = AoError.wrap(thrown);
      if (error.code !== 'runaway') throw thrown;
      // Which of them did not end can be told only about: they are to be run again one by one.
      const { done } = error.detail;
      this.#suspectFrom = calls[typeof done === 'number' ? done : 0]?.slot ?? Infinity;
      throw new AoError('runaway-in-batch', error.message, { status: error.status, cause: thrown });
    });
    // Met by whoever takes its results up; it must not count as unhandled until then.
    results.catch(() => undefined);
    this.#batches.push({ calls, results, taken: 0 });
  }

  /** Calls after `slot`, without a gap, up to the first that cannot be told. */
  async #following(slot: number, characters: number, callOf: CallOf): Promise<NextCall[]> {
    const out: NextCall[] = [];
    let sum = characters;
    for (const fed of await this.#feed.after(slot, MOST - 1)) {
      if (fed.slot !== slot + 1 + out.length || fed.slot > this.limit) break;
      const call = await callOf(fed);
      if (!call) break;
      sum += call.message.length;
      if (sum > MOST_CHARACTERS) break;
      out.push(call);
    }
    return out;
  }
}

/** Errors after which the machine is to be brought back to the state, and the slot run by itself. */
export function isOutOfStep({ code }: AoError): boolean {
  return code === OUT_OF_STEP || code === 'runaway-in-batch';
}

const AHEAD = 'run-ahead';

/** What a state is computed with, if the machine may run ahead of it. */
export function aheadOf(state: Message): RunAhead | undefined {
  return state.private[AHEAD] as RunAhead | undefined;
}

export function withAhead(state: Message, ahead: RunAhead | undefined): Message {
  return state.withPrivate({ [AHEAD]: ahead });
}

function outOfStep(): AoError {
  return new AoError(OUT_OF_STEP, 'Another call was run ahead than the one that is due.', { status: 500 });
}
