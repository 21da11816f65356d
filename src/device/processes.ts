/**
 * The processes that a node computes, by ID. What other parts of the node ask about processes goes through here:
 * status, retry, hibernating idle machines, forgetting one that was removed.
 */
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { messageId } from '../commitment/id.ts';
import { Message as AnyMessage } from '../message/message.ts';
import { definitionOf, type Definition } from './process-definition.ts';
import { LiveProcess } from './process-live.ts';
import { Schedules } from './schedules.ts';

/** Live processes in memory before those that are idle longest are dropped (their machines hibernate). */
const KEPT = 256;

export class Processes {
  readonly #live = new Map<string, LiveProcess>();

  static of(context: Context): Processes {
    return context.memory('process@1.0', () => new Processes());
  }

  /** The process that a message is or holds. */
  async open(base: Message, context: Context): Promise<LiveProcess> {
    const definition = await definitionOf(base, context);
    return this.#live.get(definition.id) ?? this.#create(definition, context);
  }

  /** The process with this ID; undefined if its definition is not here. */
  async find(id: string, context: Context): Promise<LiveProcess | undefined> {
    const live = this.#live.get(id);
    if (live) return live;
    const process = await this.definition(id, context);
    return process && this.#create({ id, process }, context);
  }

  /** The definition with this ID: as it was scheduled, else as the store has it. */
  async definition(id: string, context: Context): Promise<Message | undefined> {
    const [first] = await Schedules.of(context).read(id, 0, 0, context);
    for (const candidate of [first?.assignment.get('body'), await context.cache.read(id)])
      if (candidate instanceof AnyMessage && messageId(candidate, 'signed') === id) return candidate;
    return undefined;
  }

  async #create(definition: Definition, context: Context): Promise<LiveProcess> {
    // The copy at hand may have other keys laid over it; the stored one is as it was signed.
    const process = (await this.definition(definition.id, context)) ?? definition.process;
    const known = this.#live.get(definition.id);
    if (known) return known;
    const live = new LiveProcess(definition.id, process);
    this.#live.set(definition.id, live);
    if (this.#live.size > KEPT) this.#thin(context);
    return live;
  }

  #thin(context: Context): void {
    const oldest = [...this.#live.values()].sort((a, b) => a.lastUsed - b.lastUsed).slice(0, KEPT >> 2);
    for (const live of oldest)
      void live
        .hibernate(context)
        .then(() => {
          // Somebody may have come meanwhile: two instances of one process would know nothing of each other.
          if (live.quiet && this.#live.get(live.id) === live) this.#live.delete(live.id);
        })
        .catch(() => undefined);
  }

  /** Those in memory, idle longest first. */
  all(): LiveProcess[] {
    return [...this.#live.values()].sort((a, b) => a.lastUsed - b.lastUsed);
  }

  get(id: string): LiveProcess | undefined {
    return this.#live.get(id);
  }

  /** Ends a process here, whatever it is doing. Its records stay. */
  async forget(id: string): Promise<void> {
    const live = this.#live.get(id);
    this.#live.delete(id);
    await live?.end();
  }
}

/**
 * Lets the machine go that was idle longest, through a snapshot. False if all that run are computing.
 * For hosts that may have only so many machines at once.
 */
export async function releaseIdle(context: Context): Promise<boolean> {
  const live = Processes.of(context)
    .all()
    .find(({ idle }) => idle);
  await live?.hibernate(context);
  return live !== undefined;
}
