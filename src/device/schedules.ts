/**
 * The schedules that this node keeps: its own, to which it assigns, and those of others, which it imports.
 * One queue for each process: two messages never get one slot. What is acknowledged is on disk.
 */
import { fromBase64, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { sha256 } from '../crypto/hash.ts';
import { concatBytes } from '../base/bytes.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Write } from '../store/store.ts';
import { messageId } from '../commitment/id.ts';
import { signedId } from './message-id.ts';
import { Once } from './once.ts';
import {
  assignmentWrite,
  headWrite,
  readAssignments,
  readHead,
  type ScheduleHead,
  type StoredAssignment,
} from './schedule-records.ts';
import { integerOf, textOf } from './values.ts';

const NO_BLOCK = 'A'.repeat(43);

/** What the scheduler knows of the chain. */
export interface Block {
  readonly height: bigint;
  readonly hash: string;
  /** Seconds. */
  readonly timestamp: bigint;
}

/** Newest block by the node's options; without them the one of a node that is offline. */
export function currentBlock(context: Context): Block {
  return {
    height: BigInt(integerOf(context.option('block-height')) ?? 0),
    hash: textOf(context.option('block-hash')) ?? NO_BLOCK,
    timestamp: BigInt(integerOf(context.option('block-timestamp')) ?? 0),
  };
}

/** `hash-chain` of a slot (process.md §2.4): over the hash before, as raw octets, and the ID as text. */
export function nextHash(previous: string, id: string): string {
  const before = previous ? fromBase64(previous) : new Uint8Array(0);
  return toBase64Url(sha256(concatBytes(before, toBytes(id))));
}

/** The key of the request from outside that schedules this; undefined if none does, or not for the first time. */
function keyOf(process: string, { call }: Context): string | undefined {
  if (!call || call.closed || call.taken.has(process)) return undefined;
  call.taken.add(process);
  return call.key;
}

/** What the same request has scheduled before: the same message, who signed it aside. */
async function assignedBefore(
  process: string,
  key: string,
  body: Message,
  context: Context,
): Promise<Message | undefined> {
  const slot = await Once.of(context).slotOf(process, key);
  const [found] = slot === undefined ? [] : await readAssignments(context.store, process, slot, slot);
  const kept = found?.assignment.message('body');
  return kept && messageId(kept, 'unsigned') === messageId(body, 'unsigned') ? found?.assignment : undefined;
}

/** What is to be on disk exactly if the slot is: written in the same transaction. */
export type AlsoWrite = (slot: number, process: string) => readonly Write[];

/** What else is to be on disk exactly if imported assignments are. */
export interface AlsoImported {
  /** Further keys of the head. */
  readonly head?: Readonly<Record<string, unknown>>;
  readonly writes?: readonly Write[];
}

interface Schedule {
  head: ScheduleHead | undefined;
  loaded: boolean;
  /** Its process was taken off this node; only the process itself may begin it again. */
  removed: boolean;
  turn: Promise<unknown>;
  /** Called when a slot was added. */
  readonly waiting: Set<() => void>;
}

export class Schedules {
  readonly #schedules = new Map<string, Schedule>();

  /** The schedules of a node. */
  static of(context: Context): Schedules {
    return context.memory('scheduler@1.0', () => new Schedules());
  }

  #schedule(process: string): Schedule {
    let schedule = this.#schedules.get(process);
    if (!schedule) {
      schedule = {
        head: undefined,
        loaded: false,
        removed: false,
        turn: Promise.resolve(),
        waiting: new Set(),
      };
      this.#schedules.set(process, schedule);
    }
    return schedule;
  }

  /** Head of a schedule; undefined if this node has none of the process. */
  async head(process: string, context: Context): Promise<ScheduleHead | undefined> {
    const schedule = this.#schedules.get(process);
    if (schedule?.loaded) return schedule.head;
    const head = await readHead(context.store, process);
    if (head) {
      const known = this.#schedule(process);
      if (!known.loaded) {
        known.head = head;
        known.loaded = true;
      }
      return known.head;
    }
    return undefined;
  }

  /** Slots that this node has of all processes, for `status`. */
  async read(process: string, from: number, to: number, context: Context): Promise<StoredAssignment[]> {
    return readAssignments(context.store, process, from, to);
  }

  /** Runs alone among all changes to one schedule. */
  async #alone<T>(process: string, context: Context, action: (schedule: Schedule) => Promise<T>): Promise<T> {
    const schedule = this.#schedule(process);
    const result = schedule.turn.then(async () => {
      if (!schedule.loaded) {
        schedule.head = await readHead(context.store, process);
        schedule.loaded = true;
      }
      return action(schedule);
    });
    schedule.turn = result.catch(() => undefined);
    return result;
  }

  /**
   * Gives `body` the next slot of `process`. Signed, on disk, then answered. What a request that is made again
   * (`Context.call`) has scheduled before keeps its slot.
   * @throws AoError `not-scheduler` (409) for the schedule of another node, `storage-full` (507)
   */
  assign(process: string, body: Message, context: Context, also: AlsoWrite = () => []): Promise<Message> {
    const key = keyOf(process, context);
    return this.#alone(process, context, async (schedule) => {
      const { head } = schedule;
      const before = key === undefined ? undefined : await assignedBefore(process, key, body, context);
      if (before) {
        context.call!.repeated = true;
        return before;
      }
      if (head && !head.own)
        throw new AoError(
          'not-scheduler',
          'Another node schedules this process; its schedule is only kept here.',
          {
            status: 409,
            detail: { process },
          },
        );
      if (schedule.removed && !head && textOf(body.get('type')) !== 'Process')
        throw new AoError('no-process', 'This process was removed.', { status: 404, detail: { process } });
      const slot = (head?.slot ?? -1) + 1;
      const now = context.clock.now();
      // The clock may go backwards; a schedule may not.
      const timestamp = Math.max(now, head?.timestamp ?? 0);
      const hashChain = nextHash(head?.hashChain ?? '', await signedId(body, context));
      const block = currentBlock(context);
      const bare = Message.of({
        path: pathOf(body),
        'data-protocol': 'ao',
        variant: 'ao.N.1',
        type: 'assignment',
        process,
        epoch: '0',
        slot: BigInt(slot),
        'block-height': block.height,
        'block-hash': block.hash,
        'block-timestamp': block.timestamp,
        timestamp: BigInt(timestamp),
        'hash-chain': hashChain,
        body,
      });
      const assignment = await commitmentDevice('httpsig@1.0')!.commit(
        bare,
        { type: 'signed' },
        { signer: context.identity, load: (link) => context.cache.load(link) },
      );
      const id = await signedId(assignment, context);
      const next: ScheduleHead = {
        ...(head ?? { created: now }),
        slot,
        hashChain,
        timestamp,
        own: true,
      } as ScheduleHead;
      const writes = [
        assignmentWrite(process, slot, id, assignment),
        headWrite(process, next),
        ...(key === undefined ? [] : Once.of(context).sent(process, key, slot)),
        ...also(slot, process),
      ];
      await context.store.write(writes, { durable: true });
      schedule.head = next;
      if (key !== undefined) await Once.of(context).remember(process, key, slot);
      for (const wake of schedule.waiting) wake();
      context.report({ type: 'assigned', process, slot });
      return assignment;
    });
  }

  /**
   * Takes assignments of another node into the store, in the order of their slots and in one transaction. Those
   * that are here already are passed over; a slot that is missing in between is refused.
   * Answers the newest slot. What they claim is not checked here: see `verify`.
   * @throws AoError `bad-schedule` (422), `own-schedule` (409)
   */
  import(
    process: string,
    assignments: readonly Message[],
    context: Context,
    source?: string,
    also: AlsoImported = {},
  ): Promise<number> {
    return this.#alone(process, context, async (schedule) => {
      const { head } = schedule;
      if (head?.own)
        throw new AoError('own-schedule', 'This node schedules the process itself.', {
          status: 409,
          detail: { process },
        });
      let slot = head?.slot ?? -1;
      let hashChain = head?.hashChain ?? '';
      let timestamp = head?.timestamp ?? 0;
      const writes: Write[] = [];
      for (const assignment of assignments) {
        const at = integerOf(assignment.get('slot'));
        const belongs = textOf(assignment.get('process')) === process;
        if (at === undefined || !belongs)
          throw new AoError(
            'bad-schedule',
            'A schedule holds an assignment of another process, or without a slot.',
            {
              status: 422,
              detail: { process, slot: at ?? null },
            },
          );
        if (at <= slot) continue;
        if (at !== slot + 1)
          throw new AoError('bad-schedule', `The schedule lacks slot ${slot + 1}.`, {
            status: 422,
            detail: { process, expected: slot + 1, got: at },
          });
        slot = at;
        hashChain = textOf(assignment.get('hash-chain')) ?? '';
        timestamp = Math.max(timestamp, integerOf(assignment.get('timestamp')) ?? 0);
        writes.push(assignmentWrite(process, slot, await signedId(assignment, context), assignment));
      }
      const next: ScheduleHead = {
        ...(head ?? { created: context.clock.now() }),
        slot,
        hashChain,
        timestamp,
        own: false,
        ...(source === undefined ? {} : { source }),
        ...also.head,
      } as ScheduleHead;
      await context.store.write([...writes, headWrite(process, next), ...(also.writes ?? [])], {
        durable: true,
      });
      schedule.head = next;
      if (writes.length) for (const wake of schedule.waiting) wake();
      return slot;
    });
  }

  /** Changes other keys of the head record (name, kind …), never the schedule's own. */
  annotate(process: string, changes: Readonly<Record<string, unknown>>, context: Context): Promise<void> {
    return this.#alone(process, context, async (schedule) => {
      if (!schedule.head) return;
      const { slot, hashChain, timestamp, own, created } = schedule.head;
      const next: ScheduleHead = { ...schedule.head, ...changes, slot, hashChain, timestamp, own, created };
      await context.store.write([headWrite(process, next)], { durable: true });
      schedule.head = next;
    });
  }

  /**
   * Removes a schedule, with `writes` in the same transaction. Messages that are on their way get no slot any more:
   * they would begin a schedule without its process.
   */
  remove(process: string, writes: readonly Write[], context: Context): Promise<void> {
    return this.#alone(process, context, async (schedule) => {
      const all: Write[] = [
        { table: 'processes', key: process },
        { table: 'assignments', key: [process, 0], to: [process, Infinity] },
        ...writes,
      ];
      await context.store.write(all, { durable: true });
      schedule.head = undefined;
      schedule.removed = true;
    });
  }
}

/** The path that a body asks to be run with; `compute` for one that does not. */
function pathOf(body: Message): Value {
  return body.get('path') ?? 'compute';
}
