/**
 * A process while this node computes it: its newest state with the machine that made it, one queue, and the way
 * to disk.
 *
 * Requests for one process run one after the other, those for different processes side by side. The machine
 * stays hot between slots and never goes back: an earlier slot that is not on disk is computed by a machine of
 * its own. Several slots may be written together; a group is atomic, and nothing is answered before it is on
 * disk.
 */
import { AoError } from '../base/errors.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { makeRoom } from '../store/room.ts';
import { SnapshotStore } from '../store/snapshots.ts';
import { AssignmentFeed } from './assignment-feed.ts';
import { RunAhead } from './run-ahead.ts';
import { withLinksLoaded } from './process-definition.ts';
import { ProcessRun, publicState, type Failure, type Stepped } from './process-run.ts';
import { newestSlot, readState, recordOf, writesOf } from './slot-records.ts';
import { SlotWriter } from './slot-writer.ts';
import { integerOf, itemsOf, textOf } from './values.ts';

/** Option of the contexts that devices run in: the processes that wait for them. */
const COMPUTING = 'computing-processes';
/** States kept in memory for reading. */
const KEPT_STATES = 64;
/** Milliseconds without work before a snapshot is taken of what changed. */
const IDLE = 2_000;
const DEFAULT_SNAPSHOT_TIME = 60_000;
const DEFAULT_SNAPSHOT_SLOTS = 5_000;

export interface LiveStatus {
  /** Newest slot on disk or in memory; -1 before the first. */
  readonly computed: number;
  /** A machine is running for it. */
  readonly live: boolean;
  readonly busy: boolean;
  readonly failure?: Failure;
}

export class LiveProcess {
  readonly id: string;
  readonly #definition: Message;
  #loaded: Promise<Message> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #run: ProcessRun | undefined;
  #failure: Failure | undefined;
  /** Newest states, oldest first. */
  readonly #states = new Map<number, Message>();
  #computed: number | undefined;
  /** What the next record builds on. */
  #before: { readonly state: Message; readonly base: number } | undefined;
  #writer: SlotWriter | undefined;
  #snapshotAt = 0;
  #snapshotSlot = -1;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** The process was removed from this node. */
  #ended = false;
  /** How often somebody asked to stop: work that was under way then is not begun again. */
  #stops = 0;
  /** Milliseconds since 1970 of the last request. */
  lastUsed = 0;

  constructor(id: string, definition: Message) {
    this.id = id;
    this.#definition = definition;
  }

  /** The definition with everything it links to that is here. */
  process(context: Context): Promise<Message> {
    this.#loaded ??= withLinksLoaded(this.#definition, context);
    this.#loaded.catch(() => (this.#loaded = undefined));
    return this.#loaded;
  }

  /** A machine runs for it and nobody waits for anything. */
  get idle(): boolean {
    return this.#run?.machine !== undefined && this.quiet;
  }

  /** Nobody waits for anything of it. */
  get quiet(): boolean {
    return this.#waiting === 0;
  }

  async status(context: Context): Promise<LiveStatus> {
    const computed = (this.#computed ??= await newestSlot(context.store, this.id));
    const status = { computed, live: this.#run?.machine !== undefined, busy: this.#waiting > 0 };
    return this.#failure ? { ...status, failure: this.#failure } : status;
  }

  /** The newest computed state; undefined before the first slot. */
  async newest(context: Context): Promise<{ slot: number; state: Message } | undefined> {
    const { computed } = await this.status(context);
    const state = computed < 0 ? undefined : await this.stateAt(computed, context);
    return state && { slot: computed, state };
  }

  /** The state after a slot, if it is computed. */
  async stateAt(slot: number, context: Context): Promise<Message | undefined> {
    const kept = this.#states.get(slot);
    if (kept) return kept;
    const stored = await readState(context.store, this.id, slot);
    return stored?.state;
  }

  /**
   * The state after `slot`, computing up to it. A slot that cannot be computed answers its error, and so does
   * every later one, until `retry`.
   */
  async compute(slot: number, context: Context): Promise<Result> {
    this.lastUsed = context.clock.now();
    const known = await this.stateAt(slot, context);
    if (known) {
      // It may still be on its way to disk.
      if (this.#writer?.has(slot) === false) await this.#writer.flush(context);
      return { status: 'ok', value: known };
    }
    const inside = this.#inside(context);
    return this.#alone(() => this.#compute(slot, inside));
  }

  /**
   * The context of what runs in this process's turn.
   * @throws AoError `recursion` (508) for a program that waits for a state which waits for the program
   */
  #inside(context: Context): Context {
    const outer = itemsOf(context.option(COMPUTING)) ?? [];
    if (outer.some((id) => textOf(id) === this.id))
      throw new AoError('recursion', 'Computing this process waits for a state that it has yet to compute.', {
        status: 508,
        detail: { process: this.id },
      });
    return context.withOptions({ [COMPUTING]: [...outer, this.id] });
  }

  /** Forgets that a slot failed, so that the next request tries it again. */
  retry(): void {
    this.#failure = undefined;
  }

  /** Runs alone among everything that changes this process. */
  #alone<T>(action: () => Promise<T>): Promise<T> {
    this.#waiting++;
    clearTimeout(this.#idle);
    const result = this.#turn
      .then(() => {
        if (this.#ended) throw new AoError('no-process', 'This process was removed.', { status: 404 });
        return action();
      })
      .finally(() => this.#waiting--);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #compute(slot: number, context: Context): Promise<Result> {
    const known = await this.stateAt(slot, context);
    if (known) return { status: 'ok', value: known };
    const failed = this.#answerFailure(slot);
    if (failed) return failed;
    const { computed } = await this.status(context);
    if (slot < computed) return this.#computeAside(slot, context);
    const stops = this.#stops;
    try {
      return await this.#advance(slot, context);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (stops !== this.#stops) throw error.code === 'stopped' ? error : stopped(thrown);
      if (!isMachineGone(error)) throw thrown;
      // The worker went away under us (evicted, crashed): once more from what is on disk.
      await this.#drop();
      return this.#advance(slot, context);
    } finally {
      this.#later(context);
    }
  }

  #answerFailure(slot: number): Result | undefined {
    const failure = this.#failure;
    if (!failure || slot < failure.slot) return undefined;
    if (failure.thrown) throw failure.thrown;
    return failure.result;
  }

  async #advance(target: number, context: Context): Promise<Result> {
    const stops = this.#stops;
    const run = (this.#run ??= await this.#load(context));
    const feed = new AssignmentFeed(this.id, run.slot + 1, target, context);
    const ahead = new RunAhead(feed);
    let state = publicState(run.state);
    try {
      while (run.slot < target) {
        const next = await feed.next(run.state);
        if ('refused' in next) return next.refused;
        ahead.limit = Math.max(next.slot, this.#snapshotSlot + this.#snapshotSlots(context));
        const stepped = await run.step(next, ahead, context);
        // What was computed while somebody asked to stop is not written any more: the process may be gone.
        if (stops !== this.#stops) throw stopped();
        if ('failure' in stepped) return await this.#failed(stepped.failure, context);
        state = stepped.state;
        await this.#keep(run, stepped, context);
      }
      await this.#writer?.flush(context);
      await this.#snapshotIfDue(run, context);
      return { status: 'ok', value: state };
    } catch (thrown) {
      if (this.#run === run) await this.#drop();
      throw thrown;
    }
  }

  async #failed(failure: Failure, context: Context): Promise<Result> {
    await this.#writer?.flush(context);
    // What the failed attempt left in the machine is not the state before it.
    await this.#drop();
    if (failure.lasting) this.#failure = failure;
    context.report({ type: 'slot-failed', process: this.id, slot: failure.slot, reason: failure.reason });
    if (failure.thrown) throw failure.thrown;
    return failure.result!;
  }

  async #keep(run: ProcessRun, stepped: Stepped, context: Context): Promise<void> {
    const { slot, state, notes } = stepped;
    const record = recordOf(slot, state, notes, this.#before);
    this.#before = { state, base: record.base };
    this.#states.set(slot, state);
    this.#computed = slot;
    if (this.#states.size > KEPT_STATES) this.#states.delete(this.#states.keys().next().value!);
    context.report({ type: 'slot-computed', process: this.id, slot, took: notes.took });
    await this.#writer?.add(slot, record, context);
    if (this.#snapshotDue(slot, context)) await this.#snapshot(run, context);
  }

  // ---- Loading

  /** The newest state with its machine: from the nearest snapshot and the slots after it, else from the start. */
  async #load(context: Context): Promise<ProcessRun> {
    const process = await this.process(context);
    const stops = this.#stops;
    const newest = await newestSlot(context.store, this.id);
    const stored = newest < 0 ? undefined : await readState(context.store, this.id, newest);
    this.#computed = newest;
    this.#before = stored && { state: stored.state, base: stored.record.base };
    const run = await ProcessRun.startBefore(this.id, process, newest, context);
    if (stops !== this.#stops) {
      await run.close();
      throw stopped();
    }
    // From here on `stop` finds it.
    this.#run = run;
    this.#writer = new SlotWriter(this.id, newest);
    this.#snapshotSlot = run.restoredFrom;
    this.#snapshotAt = run.restoredFrom < 0 ? 0 : context.clock.now();
    try {
      await run.replay(newest, context);
      if (newest >= 0 && !stored) await this.#rewrite(run, context);
    } catch (thrown) {
      await this.#drop();
      throw thrown;
    }
    return run;
  }

  /** The head's record cannot be read any more: a whole one takes its place. */
  async #rewrite(run: ProcessRun, context: Context): Promise<void> {
    const state = publicState(run.state);
    const notes = { took: 0, at: context.clock.now(), ...(run.machine ? { machine: run.machine } : {}) };
    const record = recordOf(run.slot, state, notes, undefined);
    await context.store.write(writesOf(this.id, [{ slot: run.slot, record }]));
    this.#before = { state, base: run.slot };
  }

  /** An earlier slot whose record is gone, by a machine of its own; records that lack on the way are written again. */
  async #computeAside(slot: number, context: Context): Promise<Result> {
    const process = await this.process(context);
    const run = await ProcessRun.startBefore(this.id, process, slot, context);
    const writer = new SlotWriter(this.id, run.slot);
    // Whole first: what the lost records built on may be gone as well.
    let before: { readonly state: Message; readonly base: number } | undefined;
    try {
      const feed = new AssignmentFeed(this.id, run.slot + 1, slot, context);
      const ahead = new RunAhead(feed);
      let state = publicState(run.state);
      while (run.slot < slot) {
        const next = await feed.next(run.state);
        if ('refused' in next) return next.refused;
        const stepped = await run.step(next, ahead, context);
        if ('failure' in stepped) {
          if (stepped.failure.thrown) throw stepped.failure.thrown;
          return stepped.failure.result!;
        }
        state = stepped.state;
        if (await readState(context.store, this.id, stepped.slot)) {
          before = undefined;
          continue;
        }
        const record = recordOf(stepped.slot, state, stepped.notes, before);
        before = { state, base: record.base };
        await writer.add(stepped.slot, record, context);
      }
      await writer.flush(context);
      return { status: 'ok', value: state };
    } finally {
      await run.close();
    }
  }

  // ---- Snapshots

  #snapshotSlots(context: Context): number {
    return integerOf(context.option('process-snapshot-slots')) ?? DEFAULT_SNAPSHOT_SLOTS;
  }

  #snapshotDue(slot: number, context: Context): boolean {
    const every = this.#snapshotSlots(context);
    const time = integerOf(context.option('process-snapshot-time'));
    const milliseconds = time === undefined ? DEFAULT_SNAPSHOT_TIME : time * 1000;
    if (slot - this.#snapshotSlot >= every) return true;
    return this.#snapshotAt > 0 && context.clock.now() - this.#snapshotAt >= milliseconds;
  }

  /** The first of a process is taken with its first answer, so that a reload need not begin at slot 0. */
  async #snapshotIfDue(run: ProcessRun, context: Context): Promise<void> {
    if (this.#snapshotAt === 0 || this.#snapshotDue(run.slot, context)) await this.#snapshot(run, context);
  }

  async #snapshot(run: ProcessRun, context: Context): Promise<void> {
    if (!run.settled) return run.settle();
    this.#snapshotAt = context.clock.now();
    if (!run.machine || run.slot <= this.#snapshotSlot) return;
    await this.#writer?.flush(context);
    try {
      await this.#storeSnapshot(run, context);
      await SnapshotStore.of(context.store).thin(this.id);
    } catch (thrown) {
      const { code, message: reason } = AoError.wrap(thrown);
      // The slots are safe; without the snapshot a reload only takes longer.
      context.report({ type: 'snapshot-failed', process: this.id, slot: run.slot, code, reason });
    }
  }

  async #storeSnapshot(run: ProcessRun, context: Context): Promise<void> {
    const { slot } = run;
    try {
      await run.snapshot(context);
    } catch (thrown) {
      if (AoError.wrap(thrown).code !== 'storage-full' || !(await makeRoom(context.store))) throw thrown;
      await run.snapshot(context);
    }
    this.#snapshotSlot = slot;
  }

  /** Takes a snapshot once nothing happened for a moment. */
  #later(context: Context): void {
    clearTimeout(this.#idle);
    if (!this.#run?.machine || this.#run.slot <= this.#snapshotSlot) return;
    this.#idle = setTimeout(() => {
      void this.#alone(async () => {
        if (this.#run) await this.#snapshot(this.#run, context);
      }).catch(() => undefined);
    }, IDLE);
    // A timer must not keep a process of the operating system alive (tests in Node).
    (this.#idle as { unref?: () => void }).unref?.();
  }

  // ---- Ending

  /** Takes a snapshot and ends the machine; the next request starts it again from there. */
  hibernate(context: Context): Promise<void> {
    return this.#alone(async () => {
      if (!this.#run) return;
      await this.#writer?.flush(context);
      await this.#snapshot(this.#run, context);
      await this.#drop();
    });
  }

  /** Ends the machine where it stands and forgets what is in memory. What is on disk stays. */
  async stop(): Promise<void> {
    clearTimeout(this.#idle);
    this.#stops++;
    const run = this.#run;
    this.#run = undefined;
    await run?.close();
    this.#forget();
  }

  /** Stops for good, and resolves when nothing of it is under way any more: its records may be removed then. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.stop();
    await this.#turn;
    await this.stop();
  }

  async #drop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#forget();
    await run?.close();
  }

  #forget(): void {
    this.#states.clear();
    this.#computed = undefined;
    this.#before = undefined;
    this.#writer = undefined;
    this.#snapshotSlot = -1;
  }

  /** The state that requests on the machine itself are to see (`as=execution`), with its machine in place. */
  async withLiveState<T>(context: Context, action: (state: Message) => Promise<T>): Promise<T> {
    const inside = this.#inside(context);
    return this.#alone(async () => {
      const run = (this.#run ??= await this.#load(inside));
      return action(run.state);
    });
  }
}

function stopped(cause?: unknown): AoError {
  return new AoError('stopped', 'Computing this process was stopped.', { status: 503, cause });
}

function isMachineGone(error: AoError): boolean {
  return error.code === 'engine-closed' || error.code === 'engine-failed';
}
