/**
 * Steps that a device groups run one at a time, and the same request of a group runs once for all who ask for it
 * while it is under way (resolver.md §2.5).
 */
import { Message } from '../message/message.ts';
import type { Result } from './device.ts';

export class SingleFlight {
  /** Results under way, by group and request. */
  readonly #running = new Map<string, Promise<Result>>();
  /** The end of the queue of each group. */
  readonly #tails = new Map<string, Promise<unknown>>();

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * Runs `execute` after the group's earlier members, or joins the same request under way.
   * `ancestors` are the steps that led here: their own group does not wait for itself.
   * @returns the result, and whether it was another's
   */
  async run(
    group: string,
    request: string,
    ancestors: readonly string[],
    execute: (name: string) => Promise<Result>,
  ): Promise<{ result: Result; shared: boolean }> {
    const name = flightName(group, request);
    if (ancestors.includes(name)) return { result: endlessRecursion(), shared: false };
    const running = this.#running.get(name);
    if (running) return { result: await running, shared: true };
    const inside = ancestors.some((ancestor) => ancestor.startsWith(flightName(group, '')));
    const before = inside ? undefined : this.#tails.get(group);
    const started = (async () => {
      // A failure of the one before is the concern of those who asked for it.
      if (before) await before.catch(() => undefined);
      return execute(name);
    })();
    this.#running.set(name, started);
    if (!inside) this.#tails.set(group, started);
    try {
      return { result: await started, shared: false };
    } finally {
      if (this.#running.get(name) === started) this.#running.delete(name);
      if (this.#tails.get(group) === started) this.#tails.delete(group);
    }
  }
}

function flightName(group: string, request: string): string {
  return `${group}\n${request}`;
}

/** An answer, not an exception: the reference's device sees it as a result too. */
function endlessRecursion(): Result {
  return {
    status: 'error',
    value: Message.of({ status: 508n, body: 'Request creates infinite recursion.' }),
  };
}
