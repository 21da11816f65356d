/** Results of a followed process held against those of a compute unit (process.md §5.2). */
import { AoError } from '../../base/errors.ts';
import { fromBytes } from '../../base/bytes.ts';
import { signedId } from '../../device/message-id.ts';
import { Schedules } from '../../device/schedules.ts';
import { textOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import type { UnitComparison } from '../../protocol/api.ts';
import type { Context, HttpResponse } from '../../resolver/context.ts';
import { keepWrongResult } from '../../verify/legacy-evidence.ts';
import { resultDifference } from '../../verify/legacy-result.ts';
import { ask, hostOf, parsedJson } from './json-fetch.ts';
import { resultOf } from './results.ts';

const TIMEOUT = 60_000;
/** Messages that are asked about side by side. */
const SIDE_BY_SIDE = 4;
/** Times that a unit is asked which is still evaluating, and milliseconds between. */
const TRIES = 5;
const PAUSE = 2_000;
/** Milliseconds before a unit is asked again that could not answer. */
const REST = 30_000;

export const NOTHING_COMPARED: UnitComparison = { through: -1, same: 0 };

interface Asked {
  readonly url: string;
  readonly response: HttpResponse;
}

export class CompareUnit {
  readonly #process: string;
  readonly #url: string;
  readonly #every: number;
  readonly #context: Context;
  readonly #signal: AbortSignal;
  #restUntil = 0;

  constructor(
    process: string,
    { url, every = 1 }: { readonly url: string; readonly every?: number },
    context: Context,
    signal: AbortSignal,
  ) {
    this.#process = process;
    this.#url = url;
    this.#every = every;
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * Goes on with a comparison up to `slot`, as far as the unit answers. A difference is in what comes back; the slot that
   * it is at is not done.
   * @throws AoError `cancelled` (499)
   */
  async goOn(done: UnitComparison, slot: number): Promise<UnitComparison> {
    if (this.#context.clock.now() < this.#restUntil) return done;
    const { difference: _difference, error: _error, ...rest } = done;
    let now: UnitComparison = rest;
    const due = [];
    for (let at = now.through + 1; at <= slot; at++) if (at % this.#every === 0) due.push(at);
    for (let from = 0; from < due.length; from += SIDE_BY_SIDE) {
      const some = due.slice(from, from + SIDE_BY_SIDE);
      const found = await Promise.all(
        some.map((at) => this.#one(at).catch((thrown: unknown) => AoError.wrap(thrown))),
      );
      for (const [index, one] of found.entries()) {
        if (one instanceof AoError) {
          if (one.code === 'cancelled' || one.code === 'internal') throw one;
          this.#restUntil = this.#context.clock.now() + REST;
          return { ...now, error: one.message };
        }
        if (typeof one === 'object') return { ...now, difference: one };
        now = { ...now, through: some[index]!, same: now.same + (one === 'same' ? 1 : 0) };
      }
    }
    return { ...now, through: Math.max(slot, now.through) };
  }

  async #one(slot: number): Promise<'same' | 'not-asked' | NonNullable<UnitComparison['difference']>> {
    const [found] = await Schedules.of(this.#context).read(this.#process, slot, slot, this.#context);
    const body = found?.assignment.get('body');
    // Of the process itself, and of what they pass over, units have no result of its own.
    if (!(body instanceof Message) || textOf(found!.assignment.get('skip')) === 'true') return 'not-asked';
    const id = await signedId(body, this.#context);
    if (id === this.#process) return 'not-asked';
    const asked = await this.#ask(id);
    const right = await resultOf(this.#process, slot, this.#context);
    const difference = resultDifference(parsedJson(asked.response, 'compute unit', this.#url), right);
    if (!difference) return 'same';
    const evidence = await keepWrongResult(this.#process, slot, asked, difference, this.#context);
    return { slot, ...difference, ...(evidence === undefined ? {} : { evidence }) };
  }

  /** @throws AoError `unit-busy` (503), and those of asking */
  async #ask(message: string): Promise<Asked> {
    const url = `${this.#url}/result/${message}?process-id=${this.#process}&no-busy=1`;
    for (let tries = 1; ; tries++) {
      const response = await ask(url, this.#context, {
        who: 'compute unit',
        timeout: TIMEOUT,
        signal: this.#signal,
      });
      if (response.status !== 202) return { url, response };
      if (tries === TRIES)
        throw new AoError(
          'unit-busy',
          `The compute unit at ${hostOf(url)} is still evaluating: ${fromBytes(response.body.subarray(0, 200))}`,
          {
            status: 503,
          },
        );
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/** The refusal that a difference is. */
export function resultDiffers(
  { slot, path, said, right, evidence }: NonNullable<UnitComparison['difference']>,
  url: string,
): AoError {
  return new AoError(
    'result-differs',
    `Slot ${slot}: the compute unit at ${hostOf(url)} says ${said} at ${path || 'the result'}; computed here, it is ${right}.`,
    { status: 422, detail: { slot, path, said, right, ...(evidence === undefined ? {} : { evidence }) } },
  );
}
