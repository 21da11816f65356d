/**
 * Running a process forward (process.md §1.4): a state, the machine in its private part, and the step from one
 * slot to the next. Knows nothing of queues and records.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { SnapshotStore, type SnapshotCost } from '../store/snapshots.ts';
import type { Fed } from './assignment-feed.ts';
import { divergenceOf } from './divergence.ts';
import { failedState, isLegacy } from './legacy-evaluation.ts';
import { firstState } from './process-definition.ts';
import { closeMachine, MachineKeeper, machineOf, withMachine, type MachineKind } from './process-machine.ts';
import { asRole, runAs } from './process-roles.ts';
import { isOutOfStep, withAhead, type RunAhead } from './run-ahead.ts';
import { readState, type SlotNotes } from './slot-records.ts';
import { Schedules } from './schedules.ts';

/** A slot that cannot be computed: the error result that it answers, or what was thrown. */
export interface Failure {
  readonly slot: number;
  readonly result?: Result;
  readonly thrown?: AoError;
  /** It would fail again the same way: not tried again by itself. */
  readonly lasting: boolean;
  readonly reason: string;
}

export interface Stepped {
  readonly slot: number;
  /** Without private data: for reading and storing. */
  readonly state: Message;
  readonly notes: SlotNotes;
}

/** Faults of this node and this moment, not of the process: tried again with the next request. */
const PASSING = new Set([
  'storage-full',
  'storage-closed',
  'storage-failed',
  'engine-closed',
  'engine-failed',
  'node-closed',
  'no-image',
  'no-module',
  'necessary-message-not-found',
  'out-of-memory',
  'drive-failed',
  'peer-timeout',
  'peer-unreachable',
]);

/** True for what goes by: the slot may still succeed, so it is no failure of the program. */
export function isPassing({ code }: AoError): boolean {
  return PASSING.has(code);
}

/** A state as readers see it: no machine, no hints. */
export function publicState(state: Message): Message {
  return state.without('snapshot').withoutPrivate();
}

export class ProcessRun {
  readonly #process: string;
  #keeper: MachineKeeper;
  #ahead: RunAhead | undefined;
  /** Slot of the snapshot that it started from; -1 for none. */
  readonly restoredFrom: number;
  state: Message;
  slot: number;

  private constructor(
    process: string,
    state: Message,
    slot: number,
    keeper: MachineKeeper,
    restoredFrom: number,
  ) {
    this.#process = process;
    this.state = state;
    this.slot = slot;
    this.#keeper = keeper;
    this.restoredFrom = restoredFrom;
  }

  get machine(): MachineKind | undefined {
    return machineOf(this.state);
  }

  /** A run that stands as near before `limit` (or on it) as what is stored allows. */
  static async startBefore(
    id: string,
    process: Message,
    limit: number,
    context: Context,
  ): Promise<ProcessRun> {
    const stored = limit < 0 ? undefined : await readState(context.store, id, limit);
    if (stored && !stored.record.machine)
      return new ProcessRun(id, stored.state, limit, new MachineKeeper(), limit);
    const snapshots = SnapshotStore.of(context.store);
    for (let below = limit; below >= 0;) {
      const found = await snapshots.latest(id, below);
      if (!found) break;
      const state = await readState(context.store, id, found.slot);
      const kind = state?.record.machine;
      if (state && kind)
        try {
          const ready = await withMachine(asRole('execution', state.state), kind, found.snapshot, context);
          const own = ready.with({ device: state.state.get('device') ?? 'process@1.0' });
          return new ProcessRun(id, own, found.slot, new MachineKeeper(found.snapshot), found.slot);
        } catch (thrown) {
          const error = AoError.wrap(thrown);
          if (error.code !== 'snapshot-damaged') throw thrown;
          context.report({ type: 'snapshot-damaged', process: id, slot: found.slot });
          await snapshots.remove(id, [found.slot]);
        }
      below = found.slot - 1;
    }
    return ProcessRun.fromStart(id, process, context);
  }

  static async fromStart(id: string, process: Message, context: Context): Promise<ProcessRun> {
    const base = firstState(process);
    const { status, value } = await runAs('execution', base, 'init', Message.of({ path: 'init' }), context);
    const unknown = status === 'error' && Atom.notFound.is(value);
    if (!unknown && (status !== 'ok' || !(value instanceof Message)))
      throw new AoError('init-failed', 'The process could not be initialised.', {
        status: 500,
        detail: { status, said: said(value) },
      });
    const ready = unknown ? base : (value as Message);
    const state = ready.with({ initialized: 'true', 'at-slot': -1n });
    return new ProcessRun(id, state, -1, new MachineKeeper(), -1);
  }

  /** Computes again up to a slot whose state is known, for the machine's sake. */
  async replay(to: number, context: Context): Promise<void> {
    while (this.slot < to) {
      const batch = await Schedules.of(context).read(
        this.#process,
        this.slot + 1,
        Math.min(to, this.slot + 64),
        context,
      );
      if (batch.length === 0)
        throw new AoError(
          'bad-schedule',
          `The schedule lacks slot ${this.slot + 1}, which was computed before.`,
          {
            status: 500,
            detail: { process: this.#process, slot: this.slot + 1 },
          },
        );
      for (const fed of batch) await this.#again(fed, context);
    }
  }

  async #again(fed: Fed, context: Context): Promise<void> {
    const stored = await readState(context.store, this.#process, fed.slot);
    // What failed before left the machine as it was: its result is known and not computed again.
    if (stored?.record.failed) {
      this.state = this.#withMachineOf(stored.state);
      this.slot = fed.slot;
      return;
    }
    const stepped = await this.step(fed, undefined, context);
    if ('failure' in stepped) {
      const { thrown } = stepped.failure;
      throw (
        thrown ??
        new AoError('replay-failed', `Slot ${fed.slot} was computed before and fails now.`, { status: 500 })
      );
    }
  }

  #withMachineOf(state: Message): Message {
    return state.withPrivate(this.state.private as Record<string, unknown>);
  }

  /** One slot. The state moves only if it succeeds. With `ahead` the machine may run later slots meanwhile. */
  async step(
    { slot, assignment }: Fed,
    ahead: RunAhead | undefined,
    context: Context,
  ): Promise<Stepped | { readonly failure: Failure }> {
    const began = performance.now();
    this.#ahead = ahead;
    const { key, request } = requestOf(assignment);
    const base = withAhead(this.state.without('results'), ahead);
    let result: Result;
    try {
      result = await runAs('execution', base, key, request, context);
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (ahead && isOutOfStep(error)) {
        await this.#recover(slot, context);
        return this.step({ slot, assignment }, ahead, context);
      }
      if (isLegacy(this.state) && error.code === 'runaway') return this.#overTime(slot, error, context);
      return { failure: thrownFailure(slot, error) };
    }
    if (result.status !== 'ok') return { failure: errorFailure(slot, result) };
    // A literal ends the stack; there is no state to go on from.
    if (!(result.value instanceof Message))
      return { failure: errorFailure(slot, { status: 'error', value: result.value }) };
    const state = result.value.with({ device: 'process@1.0', 'at-slot': BigInt(slot) });
    const stepped = this.#stepped(slot, state, performance.now() - began, context);
    if (ahead?.passed(slot)) await this.#recover(slot + 1, context);
    return stepped;
  }

  #stepped(slot: number, state: Message, took: number, context: Context): Stepped {
    const flags = divergenceOf(state);
    const { printed, failed } = state.private as { printed?: string; failed?: boolean };
    this.state = withAhead(state, undefined).withPrivate({
      divergence: undefined,
      printed: undefined,
      failed: undefined,
    });
    this.slot = slot;
    const notes: SlotNotes = {
      took: Math.round(took * 1000) / 1000,
      at: context.clock.now(),
      ...(flags.length ? { divergence: flags } : {}),
      ...(printed ? { printed } : {}),
      ...(failed ? { failed } : {}),
      ...(this.machine ? { machine: this.machine } : {}),
    };
    return { slot, state: publicState(state), notes };
  }

  /**
   * An evaluation that does not end, on legacynet: the slot gets an error for a result, memory is as before, and
   * the process goes on.
   */
  async #overTime(slot: number, error: AoError, context: Context): Promise<Stepped> {
    await this.#recover(slot, context);
    const state = await failedState(this.state.without('results'), error.message, context);
    context.report({ type: 'runaway', process: this.#process, slot });
    return this.#stepped(slot, state.with({ device: 'process@1.0', 'at-slot': BigInt(slot) }), 0, context);
  }

  /** A new machine as it was before `slot`, in place of one that had to be ended or has run something else. */
  async #recover(slot: number, context: Context): Promise<void> {
    this.#ahead?.giveUp();
    await closeMachine(this.state);
    const again = await ProcessRun.startBefore(
      this.#process,
      this.state.message('process')!,
      slot - 1,
      context,
    );
    await again.replay(slot - 1, context);
    this.#keeper = again.#keeper;
    this.state = this.state.withPrivate({ ...again.state.private });
  }

  /** The machine stands where the state does: its memory may be kept as this slot's. */
  get settled(): boolean {
    return this.#ahead?.settled ?? true;
  }

  /** Runs no further ahead, so that it settles soon. */
  settle(): void {
    this.#ahead?.hold();
  }

  snapshot(context: Context): Promise<SnapshotCost | undefined> {
    return this.#keeper.save(this.#process, this.slot, this.state, context);
  }

  close(): Promise<void> {
    return closeMachine(this.state);
  }
}

/** The request that an assignment is: its own path, `compute` if it has none. */
function requestOf(assignment: Message): { key: string; request: Message } {
  const path = assignment.get('path');
  const parts = (Array.isArray(path) ? path : [path ?? 'compute']).map((part) => said(part as Value));
  const key = parts.join('/').replace(/^\/+|\/+$/g, '') || 'compute';
  return { key, request: path === undefined ? assignment.with({ path: 'compute' }) : assignment };
}

function said(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Atom) return value.name;
  if (value instanceof Message)
    return value.text('body') ?? value.text('error') ?? value.text('reason') ?? 'error';
  return String(value);
}

function errorFailure(slot: number, { value }: Result): Failure {
  const error = value instanceof Message ? value.withoutPrivate() : Message.of({ error: value });
  const result: Result = {
    status: 'error',
    value: error.with({ phase: 'compute', 'attempted-slot': BigInt(slot) }),
  };
  return { slot, result, lasting: true, reason: said(value) };
}

function thrownFailure(slot: number, error: AoError): Failure {
  const thrown = new AoError(error.code, error.message, {
    status: error.status < 500 && !PASSING.has(error.code) ? 500 : error.status,
    detail: { ...error.detail, 'attempted-slot': slot, phase: 'compute' },
    cause: error,
  });
  return { slot, thrown, lasting: !PASSING.has(error.code), reason: error.message };
}
