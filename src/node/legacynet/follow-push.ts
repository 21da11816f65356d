/**
 * Sending on what the results of a followed process ask for, each once: how far it came is written with the end of each
 * slot's delivery, so that an interruption neither repeats nor loses anything.
 */
import { AoError } from '../../base/errors.ts';
import type { FollowOptions } from '../../protocol/api.ts';
import type { Context } from '../../resolver/context.ts';
import type { Write } from '../../store/store.ts';
import { deliver } from './delivery.ts';
import { unitUrl } from './json-fetch.ts';

const PREFIX = 'followed-pushed';

/** To be written when the user asks for another way to push, or for none. */
export function forgetPushed(process: string): Write {
  return { table: 'node', key: [PREFIX, process] };
}

export class FollowPush {
  readonly #process: string;
  readonly #messenger: string | undefined;
  readonly #context: Context;
  /** Newest slot whose results were sent on, or that was there before the user asked. */
  #through: number | undefined;
  /** Why the last delivery could not be finished: it is gone on with later. */
  problem: AoError | undefined;

  constructor(process: string, push: NonNullable<FollowOptions['push']>, context: Context) {
    this.#process = process;
    this.#messenger = push === 'here' ? undefined : unitUrl(push);
    this.#context = context;
  }

  #write(slot: number): Write {
    return { table: 'node', key: [PREFIX, this.#process], value: slot };
  }

  /**
   * Nothing is sent on of what is there already.
   * @throws AoError `no-head` (502) where it is not known how far that is
   */
  async begin(latest: number | undefined): Promise<void> {
    this.#through = await this.#context.store.get<number>('node', [PREFIX, this.#process]);
    if (this.#through !== undefined) return;
    if (latest === undefined)
      throw new AoError(
        'no-head',
        'The scheduler does not say which slot is its newest, from which on to push.',
        { status: 502 },
      );
    await this.#context.store.write([this.#write(latest)], { durable: true });
    this.#through = latest;
  }

  /** Sends on the results of what is computed, up to the first that cannot be sent now. */
  async upTo(slot: number): Promise<void> {
    this.problem = undefined;
    while (this.#through !== undefined && this.#through < slot) {
      const next = this.#through + 1;
      const options = { messenger: this.#messenger, finished: [this.#write(next)] };
      this.problem = await deliver({ process: this.#process, slot: next }, this.#context, options);
      if (this.problem) return;
      this.#through = next;
    }
  }
}
