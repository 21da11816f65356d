/**
 * Following a legacynet process of another scheduler: its schedule is fetched page by page, audited, kept and computed,
 * one page ahead of the machine, so that neither waits for the other and no more than two pages are in memory. What is
 * audited and computed is on disk: a run goes on where the one before stopped.
 */
import { AoError } from '../../base/errors.ts';
import type { DataItem } from '../../codec/ans104-item.ts';
import { Processes } from '../../device/processes.ts';
import { Schedules } from '../../device/schedules.ts';
import { integerOf, textOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import type { Value } from '../../message/value.ts';
import type { Followed } from '../../protocol/api.ts';
import type { Context } from '../../resolver/context.ts';
import {
  auditLegacyDefinition,
  auditLegacySlots,
  type LegacyAuditState,
  type LegacyLoad,
  type ShownSlot,
} from '../../verify/legacy-audit.ts';
import { itemFrom, messageOfItem } from '../../verify/legacy-item.ts';
import { keepTwoAssignments } from '../../verify/legacy-evidence.ts';
import { signedAssignment, type Birth } from '../../verify/legacy-kept.ts';
import { beginFromCheckpoint, compareMark, nextMark, planCheckpoints } from './checkpoints.ts';
import { CompareUnit, NOTHING_COMPARED, resultDiffers } from './compare-unit.ts';
import { ensureModule, loadDefinition } from './follow-items.ts';
import { FollowPush } from './follow-push.ts';
import { auditOf, keepSlots } from './follow-store.ts';
import { GatewayClient } from './gateway-client.ts';
import { hostOf } from './json-fetch.ts';
import { locateScheduler, nonceOf, SchedulerClient } from './scheduler-client.ts';

/** Slots that are asked for at once. */
const PAGE = 200;
/** Slots that are computed between two looks at whether to stop: as many as take about this many milliseconds. */
const STEP_TIME = 500;
const MAX_STEP = 256;
/** Milliseconds between two looks for new messages: from the first to the last while nothing comes. */
const POLL = 3_000;
const MAX_POLL = 60_000;
const RATE_WINDOW = 3_000;
const MAX_NOTES = 50;

/** Failures of the moment: once it is under way, the schedule is asked for again later. */
const PASSING = new Set(['peer-timeout', 'peer-unreachable', 'scheduler-refused', 'gateway-refused']);

/** `undefined` takes a member away. */
export type Changes = { [K in keyof Followed]?: Followed[K] | undefined };

export function changed(record: Followed, change: Changes): Followed {
  const entries = Object.entries({ ...record, ...change }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as Followed;
}

export interface FollowHooks {
  /** Told of every change, often. */
  tell(change: Changes): void;
  readonly signal: AbortSignal;
}

export class FollowRun {
  readonly #process: string;
  readonly #context: Context;
  readonly #hooks: FollowHooks;
  readonly #gateway: GatewayClient;
  #record: Followed;
  readonly #push: FollowPush | undefined;
  readonly #unit: CompareUnit | undefined;
  #scheduler: SchedulerClient | undefined;
  #birth: Birth | undefined;
  #name: string | undefined;
  /** Slot of the checkpoint to begin from. */
  #start: number | undefined;
  #page = PAGE;
  #step = 8;
  readonly #samples: { at: number; slot: number }[] = [];

  constructor(record: Followed, context: Context, hooks: FollowHooks) {
    this.#process = record.id;
    this.#record = record;
    this.#context = context;
    this.#hooks = hooks;
    const gateway = record.options.gateway ?? textOf(context.option('gateway')) ?? 'https://arweave.net';
    this.#gateway = new GatewayClient(gateway, context, hooks.signal);
    const { compare, push } = record.options;
    this.#push = push === undefined ? undefined : new FollowPush(record.id, push, context);
    this.#unit = compare && new CompareUnit(record.id, compare, context, hooks.signal);
  }

  /**
   * Runs until it is aborted.
   * @throws AoError with the reason why the process cannot be followed; `cancelled` (499) when it was aborted
   */
  async run(): Promise<never> {
    const audit = await this.#begin();
    await this.#catchUp(audit);
    for (let pause = this.#pollTime(); ;) {
      this.#tell({ state: 'waiting', rate: 0 });
      await this.#sleep(pause);
      const before = this.#record.audited;
      try {
        await this.#catchUp((await auditOf(this.#process, this.#context))!);
      } catch (thrown) {
        const error = AoError.wrap(thrown);
        if (!PASSING.has(error.code)) throw error;
        this.#tell({ error: { code: error.code, message: error.message } });
      }
      pause = this.#record.audited > before ? this.#pollTime() : Math.min(pause * 1.5, MAX_POLL);
    }
  }

  #pollTime(): number {
    return integerOf(this.#context.option('legacynet-poll')) ?? POLL;
  }

  #tell(change: Changes): void {
    this.#record = changed(this.#record, change);
    this.#hooks.tell(change);
  }

  #note(text: string): void {
    const { notes } = this.#record;
    if (!notes.includes(text) && notes.length < MAX_NOTES) this.#tell({ notes: [...notes, text] });
  }

  #checkAborted(): void {
    if (this.#hooks.signal.aborted)
      throw new AoError('cancelled', 'Following was paused; what is done is kept.', { status: 499 });
  }

  // ---- Beginning

  async #begin(): Promise<LegacyAuditState> {
    this.#tell({ state: 'running', phase: 'locating' });
    const head = await Schedules.of(this.#context).head(this.#process, this.#context);
    if (head?.own)
      throw new AoError(
        'own-schedule',
        'This node schedules the process itself: there is nothing to follow.',
        {
          status: 409,
        },
      );
    const given = this.#record.options.scheduler;
    if (given !== undefined) this.#scheduler = this.#client(given);
    let audit = await auditOf(this.#process, this.#context);
    if (head && !audit)
      throw new AoError('other-schedule', 'The schedule of this process is kept here in another form.', {
        status: 409,
      });
    let module: string | undefined;
    if (audit) module = (await this.#definition())?.text('module');
    if (!audit || module === undefined) {
      const { item, height } = await loadDefinition(this.#process, this.#gateway, this.#scheduler);
      audit ??= auditLegacyDefinition(this.#process, item, height);
      const message = messageOfItem(item);
      module = message.text('module');
      this.#name = message.text('name')?.slice(0, 200);
      await this.#context.cache.write(message);
    }
    if (!module) throw new AoError('no-module', 'The process names no module.', { status: 422 });
    const url = await this.#locate(audit.scheduler);
    this.#tell({ phase: 'loading', scheduler: url, address: audit.scheduler, audited: audit.slot });
    for (const note of await ensureModule(module, this.#gateway, this.#context)) this.#note(note);
    if (!audit.chained)
      this.#note(
        'The process is older than the hash chain of legacynet: the order rests on the nonces alone.',
      );
    if (audit.slot < 0) this.#birth = await this.#bornAt();
    const latest = await this.#scheduler!.head();
    this.#tell({ phase: 'auditing', head: Math.max(latest ?? -1, audit.slot) });
    const { trust } = this.#record.options;
    await this.#push?.begin(latest);
    if (trust?.length && !this.#record.checkpoint) await this.#plan(trust);
    return audit;
  }

  /** What to begin from, for a process of which nothing is computed yet. */
  async #plan(trust: readonly string[]): Promise<void> {
    const live = await Processes.of(this.#context).find(this.#process, this.#context);
    if (!live || (await live.status(this.#context)).computed >= 0) return;
    const start = await planCheckpoints(this.#process, trust, this.#gateway, this.#context);
    this.#start = start?.nonce;
    if (!start)
      this.#note('Nobody who is trusted has published a checkpoint: everything is computed from the start.');
  }

  async #definition(): Promise<Message | undefined> {
    return Processes.of(this.#context).definition(this.#process, this.#context);
  }

  #client(url: string): SchedulerClient {
    return new SchedulerClient(url, this.#process, this.#context, this.#hooks.signal);
  }

  async #locate(address: string): Promise<string> {
    this.#scheduler ??= this.#client(await locateScheduler(address, this.#gateway, this.#context));
    return this.#scheduler.url;
  }

  /** When the process was made, as its scheduler says: needed where it gave it no slot. */
  async #bornAt(): Promise<Birth | undefined> {
    try {
      const { shown, height } = await this.#scheduler!.definition();
      const timestamp = Number((shown as { timestamp?: unknown }).timestamp);
      return { timestamp: Number.isFinite(timestamp) ? timestamp : 0, height: height ?? 0 };
    } catch (thrown) {
      this.#checkAborted();
      if (AoError.wrap(thrown).code === 'internal') throw thrown;
      return undefined;
    }
  }

  // ---- Working

  /** Fetches, audits and computes all that there is. */
  async #catchUp(from: LegacyAuditState): Promise<void> {
    let bringing: Promise<Brought> | undefined = this.#bring(from, true);
    bringing.catch(() => undefined);
    while (bringing) {
      this.#checkAborted();
      const { state, more }: Brought = await bringing;
      bringing = more ? this.#bring(state, false) : undefined;
      bringing?.catch(() => undefined);
      await this.#compute(state);
    }
    const problem = this.#push?.problem;
    this.#tell({ error: problem && { code: problem.code, message: problem.message } });
  }

  /** The next page, audited and on disk. */
  async #bring(state: LegacyAuditState, first: boolean): Promise<Brought> {
    // One slot that is known comes along: a scheduler that shows another past is caught by it.
    const known = first && state.slot >= 0;
    const after = known ? state.slot - 1 : state.slot;
    const { slots: shown, more } = await this.#ask(after, state.timestamp);
    if (known) await this.#samePast(state, shown[0]);
    const fresh = known ? shown.slice(1) : shown;
    if (fresh.length === 0) return { state, more: known && more };
    const done = await auditLegacySlots(state, fresh, this.#load());
    const last = done.at(-1)!.state;
    const slots = done.map(({ audited }) => audited);
    const passed = await keepSlots(
      slots,
      last,
      this.#scheduler!.url,
      state.slot < 0 ? { birth: this.#birth, name: this.#name } : {},
      this.#context,
    );
    if (passed > 0)
      this.#note(
        'Messages that were pushed or assigned twice are passed over the second time, as compute units do.',
      );
    for (const { notes } of slots)
      for (const { code, text } of notes)
        if (code === 'not-bound' || code === 'clock-went-back' || code === 'process-not-assigned')
          this.#note(text);
    this.#tell({ audited: last.slot, head: Math.max(this.#record.head, last.slot) });
    return { state: last, more };
  }

  /** A page; a smaller one where it is too large to hold. */
  async #ask(after: number, timestamp: number) {
    for (;;)
      try {
        return await this.#scheduler!.after(after, timestamp, this.#page);
      } catch (thrown) {
        if (AoError.wrap(thrown).code !== 'peer-too-large' || this.#page <= 2) throw thrown;
        this.#page = Math.max(2, this.#page >> 2);
      }
  }

  #load(): LegacyLoad {
    return {
      data: (id, limit) => this.#gateway.data(id, limit),
      item: async (id) => (await this.#gateway.item(id, 'assigned message')).item,
    };
  }

  /**
   * @throws AoError `schedule-shrank` (502), `equivocation` (409) where the scheduler signed two assignments for one slot,
   *   `audit-past` (422) where it only shows another
   */
  async #samePast(state: LegacyAuditState, shown: ShownSlot | undefined): Promise<void> {
    const host = hostOf(this.#scheduler!.url);
    if (!shown)
      throw new AoError('schedule-shrank', `The scheduler at ${host} no longer shows slot ${state.slot}.`, {
        status: 502,
        detail: { slot: state.slot },
      });
    if (shown.assignment?.id === state.assignment) return;
    const item = await itemFrom(shown.assignment ?? {}, {
      what: 'assignment',
      data: new Uint8Array(0),
    }).catch(() => undefined);
    const detail = { slot: state.slot, before: state.assignment, now: String(shown.assignment?.id) };
    if (item?.signer !== state.scheduler || nonceOf(shown) !== state.slot)
      throw new AoError('audit-past', `Slot ${state.slot}: ${host} shows another assignment than before.`, {
        status: 422,
        detail,
      });
    const evidence = await this.#keepBoth(state.slot, item);
    throw new AoError(
      'equivocation',
      `Slot ${state.slot}: the scheduler has signed two different assignments.`,
      { status: 409, detail: { ...detail, ...(evidence === undefined ? {} : { evidence }) } },
    );
  }

  async #keepBoth(slot: number, now: DataItem): Promise<string | undefined> {
    const [kept] = await Schedules.of(this.#context).read(this.#process, slot, slot, this.#context);
    if (!kept) return undefined;
    const before = await signedAssignment(kept.assignment, this.#context);
    return keepTwoAssignments(this.#process, slot, [before, now], this.#scheduler!.url, this.#context);
  }

  async #compute({ slot: to }: LegacyAuditState): Promise<void> {
    const live = await Processes.of(this.#context).find(this.#process, this.#context);
    if (!live) throw new AoError('no-process', 'The process is not here any more.', { status: 404 });
    let { computed } = await live.status(this.#context);
    if (computed < 0 && this.#start !== undefined) {
      // Until the schedule is audited that far there is nothing to begin with.
      if (to < this.#start) return;
      const used = await beginFromCheckpoint(this.#process, this.#gateway, this.#context);
      this.#note('What was computed rests on a checkpoint: its signer is believed for the slots before it.');
      this.#tell({ checkpoint: used });
      computed = this.#start;
    }
    this.#tell({ phase: 'computing', computed });
    // What an earlier run computed and did not come to send on.
    await this.#push?.upTo(Math.min(computed, to));
    while (computed < to) {
      this.#checkAborted();
      const began = performance.now();
      const due = this.#record.checkpoint && (await nextMark(this.#process, computed, this.#context));
      const target = Math.min(to, computed + this.#step, due ?? Infinity);
      const { status, value } = await live.compute(target, this.#context);
      if (status !== 'ok') throw slotError(target, value);
      if (target === due) await this.#check(target);
      computed = target;
      this.#tell({ computed, rate: this.#rate(computed) });
      await this.#compare(computed);
      await this.#push?.upTo(computed);
      const took = performance.now() - began;
      if (took < STEP_TIME / 2) this.#step = Math.min(this.#step * 2, MAX_STEP);
      else if (took > STEP_TIME * 2) this.#step = Math.max(1, this.#step >> 1);
    }
    await this.#compare(computed);
    this.#tell({ phase: 'auditing' });
  }

  /** @throws AoError `result-differs` (422) */
  async #compare(slot: number): Promise<void> {
    if (!this.#unit) return;
    const comparison = await this.#unit.goOn(this.#record.comparison ?? NOTHING_COMPARED, slot);
    this.#tell({ comparison });
    if (comparison.difference) throw resultDiffers(comparison.difference, this.#record.options.compare!.url);
  }

  async #check(slot: number): Promise<void> {
    const used = this.#record.checkpoint!;
    const checkpoint = await compareMark(this.#process, used, this.#gateway, this.#context);
    this.#tell({ checkpoint });
    if (checkpoint.checked.some(({ same }) => !same))
      throw new AoError(
        'checkpoint-differs',
        `The memory after slot ${slot} is not that of the checkpoint that its signer published.`,
        { status: 422, detail: { slot, checkpoint: checkpoint.id } },
      );
  }

  #rate(slot: number): number {
    const at = performance.now();
    this.#samples.push({ at, slot });
    while (this.#samples.length > 2 && at - this.#samples[0]!.at > RATE_WINDOW) this.#samples.shift();
    const first = this.#samples[0]!;
    return at > first.at ? Math.round(((slot - first.slot) / (at - first.at)) * 10_000) / 10 : 0;
  }

  async #sleep(milliseconds: number): Promise<void> {
    const { signal } = this.#hooks;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, milliseconds);
      (timer as { unref?: () => void }).unref?.();
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
    this.#checkAborted();
  }
}

interface Brought {
  readonly state: LegacyAuditState;
  readonly more: boolean;
}

function slotError(slot: number, value: Value): AoError {
  const message = value instanceof Message ? value : Message.empty;
  const at = integerOf(message.get('attempted-slot')) ?? slot;
  const said = message.text('body') ?? message.text('error') ?? message.text('reason') ?? textOf(value);
  return new AoError('not-computed', `Slot ${at} cannot be computed: ${said ?? 'no reason was given'}.`, {
    status: 500,
    detail: { slot: at },
  });
}
