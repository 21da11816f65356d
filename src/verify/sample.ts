/**
 * Sampling (attestation.md §4.6): of the stretches between checkpoints, some are chosen at random and computed. A
 * checkpoint that does not follow from the one before is caught if its stretch is among them.
 */
import { AoError } from '../base/errors.ts';
import { Processes } from '../device/processes.ts';
import type { Message } from '../message/message.ts';
import type { TrustList } from '../protocol/api.ts';
import type { Context } from '../resolver/context.ts';
import { memoryText, standAt, type Checkpoint } from './checkpoint.ts';
import { comparable, stateDifference, type Difference } from './compare.ts';
import { computeTo } from './replay.ts';
import type { Facts } from './report.ts';
import { startAfresh, startAt } from './start.ts';

/** From one checkpoint, or from genesis, to the next one. */
export interface Stretch {
  readonly from: Checkpoint | undefined;
  readonly to: Checkpoint;
}

/** @param checkpoints ascending, one a slot */
export function stretchesOf(checkpoints: readonly Checkpoint[]): Stretch[] {
  return checkpoints.map((to, index) => ({ from: checkpoints[index - 1], to }));
}

/** So many of `items`, each set of them equally likely. `random`: an integer from 0 up to its argument, which is left out. */
export function choose<T>(items: readonly T[], count: number, random: (below: number) => number): T[] {
  const left = [...items];
  const out: T[] = [];
  while (out.length < count && left.length > 0) out.push(...left.splice(random(left.length), 1));
  return out;
}

/** An integer that nobody can foretell: whoever can, lies where it is not looked. */
export function secretly(below: number): number {
  const limit = Math.floor(2 ** 32 / below) * below;
  for (;;) {
    const [drawn] = crypto.getRandomValues(new Uint32Array(1));
    if (drawn! < limit) return drawn! % below;
  }
}

/**
 * How likely it is that a lie in `bad` of `all` stretches is missed when `computed` of them, chosen at random, are
 * looked at: none of those chosen is among the bad ones.
 */
export function missedWith(all: number, computed: number, bad: number): number {
  let probability = 1;
  for (let i = 0; i < Math.min(computed, all); i++) probability *= Math.max(0, all - bad - i) / (all - i);
  return probability;
}

/** The same for lies of several sizes: one stretch, a tenth, a quarter, a half of them. */
export function missedTable(
  all: number,
  computed: number,
): { readonly stretches: number; readonly probability: number }[] {
  const sizes = [1, Math.ceil(all / 10), Math.ceil(all / 4), Math.ceil(all / 2)];
  return [...new Set(sizes)].map((stretches) => ({
    stretches,
    probability: missedWith(all, computed, stretches),
  }));
}

export interface Sampled {
  readonly fact: NonNullable<Facts['sampled']>;
  /** The first stretch whose end does not follow from its beginning. */
  readonly wrong: { readonly at: Checkpoint; readonly difference: Difference } | undefined;
}

/**
 * Computes `count` stretches and compares state and memory at the end of each.
 * @throws AoError `cancelled` (499) and what computing throws
 */
export async function sample(
  definition: Message,
  checkpoints: readonly Checkpoint[],
  count: number,
  trust: TrustList,
  context: Context,
  options: {
    readonly onSlot?: (done: number, total: number) => void;
    readonly signal?: AbortSignal | undefined;
    readonly random?: (below: number) => number;
  } = {},
): Promise<Sampled> {
  const all = stretchesOf(checkpoints);
  const chosen = choose(all, count, options.random ?? secretly);
  const total = chosen.reduce((sum, one) => sum + lengthOf(one), 0);
  const computed: { from: number; to: number; start: string }[] = [];
  let done = 0;
  let wrong: Sampled['wrong'];
  for (const stretch of chosen) {
    const begun = done;
    const { start, difference } = await compute(stretch, definition, trust, context, {
      signal: options.signal,
      onSlot: (slot) => options.onSlot?.(begun + slot - firstOf(stretch) + 1, total),
    });
    done += lengthOf(stretch);
    computed.push({ from: firstOf(stretch), to: stretch.to.slot, start });
    if (difference && (!wrong || stretch.to.slot < wrong.at.slot)) wrong = { at: stretch.to, difference };
  }
  const slots = (checkpoints.at(-1)?.slot ?? -1) + 1;
  return {
    fact: {
      stretches: all.length,
      computed: computed.sort((a, b) => a.from - b.from),
      slots: total,
      of: slots,
      missed: missedTable(all.length, chosen.length),
      compared: ['state', 'results', 'memory'],
    },
    wrong,
  };
}

const firstOf = ({ from }: Stretch) => (from?.slot ?? -1) + 1;
const lengthOf = (stretch: Stretch) => stretch.to.slot - firstOf(stretch) + 1;

async function compute(
  { from, to }: Stretch,
  definition: Message,
  trust: TrustList,
  context: Context,
  options: { readonly onSlot: (slot: number) => void; readonly signal?: AbortSignal | undefined },
): Promise<{ start: string; difference: Difference | undefined }> {
  const start = from ? await startAt(from, trust, context) : await startAfresh(to.process, context);
  try {
    const ours = await computeTo(definition, from?.slot ?? -1, to.slot, start.context, options);
    if (!ours.state) {
      const right = `a failure at slot ${ours.failure?.slot}: ${ours.failure?.text}`;
      return { start: start.label, difference: { path: '', said: 'a state', right } };
    }
    const load = async (state: Message) => (await context.cache.loadAll(state.without('process'))) as Message;
    const said = comparable(await load(to.state), definition);
    const found = stateDifference(said, comparable(await load(ours.state), definition));
    return { start: start.label, difference: found ?? (await memoryDifference(to, start.context)) };
  } finally {
    await start.end();
  }
}

/** What the next slot goes on from has to be the same, too. */
async function memoryDifference(to: Checkpoint, beside: Context): Promise<Difference | undefined> {
  if (!to.machine) return undefined;
  await (await Processes.of(beside).find(to.process, beside))?.hibernate(beside);
  const ours = await standAt(to.process, to.slot, beside);
  if (ours?.slot !== to.slot || !ours.memory)
    throw new AoError('no-snapshot', 'The memory at the end of a stretch could not be kept.', {
      status: 500,
    });
  const same =
    ours.machine === to.machine && memoryText(ours.memory.snapshot) === memoryText(to.memory!.snapshot);
  return same ? undefined : { path: 'memory', said: 'another memory', right: 'the memory computed here' };
}
