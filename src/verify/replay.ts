/** Level `replayed` (attestation.md §4.6): compute here what a node claims, and find where it lied. */
import { AoError } from '../base/errors.ts';
import { isPassing } from '../device/process-run.ts';
import { Message } from '../message/message.ts';
import { isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { comparable, stateDifference, type Difference } from './compare.ts';
import type { Answer, Peer } from './peer.ts';
import { signedBy } from './signed.ts';

/** An ID as text. */
const ID = /^[A-Za-z0-9_-]{43}$/;
/** Keys of a definition under which what runs is named. */
const CODE_KEYS = ['module', 'image'];
/** Slots between two looks at progress and cancellation. */
const STRIDE = 32;

/**
 * Fetches what the definition runs and is not here yet: modules by ID, each checked against its ID.
 * @throws AoError `no-module` (404) when nobody has it
 */
export async function ensureModules(
  definition: Message,
  peers: readonly Peer[],
  context: Context,
): Promise<void> {
  for (const id of moduleIds(definition)) {
    if ((await context.cache.read(id)) !== undefined) continue;
    const value = await firstThatHas(id, peers);
    await context.cache.write(value);
    if ((await context.cache.read(id)) === undefined)
      throw new AoError('no-module', `What was found for ${id} cannot be kept under it.`, { status: 502 });
  }
}

export function moduleIds(definition: Message): string[] {
  const out = new Set<string>();
  const visit = (value: Value): void => {
    if (value instanceof Link) out.add(value.id);
    else if (isBinary(value)) {
      if (typeof value === 'string' && ID.test(value)) out.add(value);
    } else if (value instanceof Message) {
      for (const [key, item] of value) if (key !== 'commitments') visit(item);
    } else if (Array.isArray(value)) value.forEach((item: Value) => visit(item));
  };
  for (const key of CODE_KEYS) {
    const value = definition.get(key);
    if (value !== undefined) visit(value);
  }
  return [...out];
}

async function firstThatHas(id: string, peers: readonly Peer[]): Promise<Value> {
  const reasons: string[] = [];
  for (const peer of peers)
    try {
      return await peer.byId(id);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (error.code === 'cancelled') throw error;
      reasons.push(error.message);
    }
  throw new AoError('no-module', `The program ${id} could not be had: ${reasons.join(' ')}`, {
    status: 404,
    detail: { id },
  });
}

/** What this node computes for a slot: the state, or the failure that the slot ends in. */
export type Computed =
  | { readonly state: Message; readonly failure?: undefined }
  | { readonly state?: undefined; readonly failure: { readonly slot: number; readonly text: string } };

/** Computes up to `slot`, telling how far it is. @throws AoError `cancelled` (499), `runaway` (503) and the like */
export async function computeTo(
  process: Message,
  from: number,
  slot: number,
  context: Context,
  options: { onSlot?: (slot: number) => void; signal?: AbortSignal | undefined } = {},
): Promise<Computed> {
  let last: Computed | undefined;
  for (let at = Math.min(slot, Math.max(0, from)); ; at = Math.min(slot, at + STRIDE)) {
    if (options.signal?.aborted)
      throw new AoError('cancelled', 'The verification was stopped; what is done is kept.', { status: 499 });
    last = await stateAt(process, at, context);
    if (last.failure) return last;
    options.onSlot?.(at);
    if (at >= slot) return last;
  }
}

/**
 * @throws AoError what is no failure of the program: `cancelled`, `storage-full`, `worker-died` and the like, after
 *   which the slot may still succeed
 */
export async function stateAt(process: Message, slot: number, context: Context): Promise<Computed> {
  let result: Result;
  try {
    result = await context.resolve(process, Message.of({ path: 'compute', slot: BigInt(slot) }));
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    const failed = error.detail['attempted-slot'];
    if (typeof failed !== 'number' || isPassing(error)) throw error;
    return { failure: { slot: failed, text: error.message } };
  }
  if (result.status === 'ok' && result.value instanceof Message) return { state: result.value };
  const { value } = result;
  const message = value instanceof Message ? value : Message.empty;
  const text =
    message.text('error') ?? message.text('body') ?? (typeof value === 'string' ? value : result.status);
  const failed = message.get('attempted-slot');
  return { failure: { slot: typeof failed === 'bigint' ? Number(failed) : slot, text } };
}

export interface Comparison {
  readonly slot: number;
  readonly difference: Difference;
  /** The node's answer at that slot. */
  readonly answer: Answer;
  /** Slots at which the node was asked. */
  readonly reads: number;
}

/** The node's answer is right, in the form that carries every text if not in the first one. */
export interface Same {
  readonly same: true;
  readonly answer: Answer | undefined;
  /** Where the form that was asked for first could not carry what the node says. */
  readonly lost?: string;
}

/** What comparing one slot showed. `withheld`: the node gave no answer to compare. */
type Compared =
  | { readonly kind: 'same'; readonly answer: Answer | undefined; readonly lost?: string }
  | { readonly kind: 'withheld'; readonly text: string }
  | { readonly kind: 'differs'; readonly answer: Answer; readonly difference: Difference };

/**
 * Compares a node's state at `slot` with what was computed here; where they differ, finds the first slot at which
 * they do, by halving: as many reads as the number of slots has bits. A slot that the node does not answer for any
 * more counts as one before the lie, so the slot that is found is one at which it did lie.
 *
 * A process that ended in a failure: the node must answer none of the slots from there on, and the one before as it
 * is computed here.
 * @throws AoError `answer-withheld` (502) where the node gives no answer, though there is one
 */
export async function compareStates(
  process: string,
  definition: Message,
  slot: number,
  peer: Peer,
  context: Context,
  /** A slot whose state is known not to rest on the node: nothing before it is looked at. */
  after = -1,
): Promise<Same | ({ same: false } & Comparison)> {
  const compareAt = async (at: number): Promise<Compared> => {
    const ours = await stateAt(definition, at, context);
    const answer = await peer.compute(process, at).catch((thrown: unknown) => {
      const error = AoError.wrap(thrown);
      if (error.code === 'peer-refused') return error;
      throw error;
    });
    if (ours.failure) {
      if (answer instanceof AoError) return { kind: 'same', answer: undefined };
      const right = `a failure: ${ours.failure.text}`;
      return { kind: 'differs', answer, difference: { path: 'results', said: 'a result', right } };
    }
    if (answer instanceof AoError) return { kind: 'withheld', text: answer.message };
    const state = await loadedState(ours.state, context);
    const right = comparable(state, definition);
    const differs = (said: Answer) => stateDifference(comparable(said.message, definition), right);
    const found = differs(answer);
    if (!found) return { kind: 'same', answer };
    const whole = await inFull(answer, () => peer.computeJson(process, at));
    if (whole && !differs(whole)) return { kind: 'same', answer, lost: found.path };
    return { kind: 'differs', answer, difference: found };
  };
  const ours = await stateAt(definition, slot, context);
  const before = ours.failure ? Math.min(slot, ours.failure.slot) - 1 : slot;
  let last = await compareAt(slot);
  let high = slot;
  if (last.kind === 'same' && ours.failure && before >= 0) {
    last = await compareAt(before);
    high = before;
  }
  if (last.kind === 'withheld')
    throw new AoError(
      'answer-withheld',
      `Slot ${high}: the node gives no answer, though one follows from the schedule. ${last.text}`,
      { status: 502, detail: { slot: high } },
    );
  if (last.kind === 'same')
    return { same: true, answer: last.answer, ...(last.lost === undefined ? {} : { lost: last.lost }) };
  let low = Math.min(after, high - 1);
  let first = last;
  let reads = 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const here = await compareAt(middle);
    reads++;
    if (here.kind === 'differs') {
      high = middle;
      first = here;
    } else low = middle;
  }
  return { same: false, slot: high, difference: first.difference, answer: first.answer, reads };
}

/**
 * The answer in a form that carries every text, where the one at hand may have lost some: fields of HTTP can hold
 * neither line breaks nor keys in upper case. What a key has signed came whole.
 */
export async function inFull(answer: Answer, ask: () => Promise<Answer>): Promise<Answer | undefined> {
  if ((await signedBy(answer)).by.length > 0) return undefined;
  return ask().catch(() => undefined);
}

/** A state with what it links to, without what the definition proves. */
export async function loadedState(state: Message, context: Context): Promise<Message> {
  const all = await context.cache.loadAll(state.without('process', 'module', 'image'));
  return all instanceof Message ? all : state;
}
