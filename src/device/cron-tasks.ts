/**
 * The tasks of `cron@1.0`: timers while the node runs, and records by which a node that starts again goes on with them.
 *
 * A task of which a run was cut short is run again, so a run can happen twice but is never lost. Runs that fell into the
 * time in which no node ran are made up for by one, where they are a minute apart or more; others come soon enough.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain, type Plain } from '../message/plain.ts';
import type { Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { SIGNERS, withSigners } from '../resolver/request-marks.ts';
import { markTransport, transportKeys } from '../resolver/transport-keys.ts';

/** Tasks that one node keeps. */
const MAX_TASKS = 1024;
/** Runs at least this far apart are noted, milliseconds: more often than that nothing is written. */
const NOTED = 60_000;
const PREFIX = 'cron';

export interface TaskOptions {
  /** The ID under which it can be stopped. */
  readonly id: string;
  /** What is asked, with the path that is due. */
  readonly request: Message;
  /** Milliseconds between runs; none: once, now. */
  readonly period?: number | undefined;
}

interface Kept {
  readonly request: Plain;
  readonly signers: readonly string[];
  /** Keys of the request that only the transport added. */
  readonly transport: readonly string[];
  readonly period: number | undefined;
  readonly first: number;
  readonly last: number;
}

type Run = (request: Message, options: { once: boolean }) => Promise<void>;

interface Task {
  stop(): void;
}

const tasksOf = (context: Context): Map<string, Task> =>
  context.memory('cron@1.0', () => new Map<string, Task>());
const keyOf = (id: string): [string, string] => [PREFIX, id];

/** Starts a task and keeps it. @throws AoError `too-many-tasks` (503), `bad-value` for what cannot be kept */
export async function addTask(options: TaskOptions, run: Run, context: Context): Promise<void> {
  const tasks = tasksOf(context);
  if (tasks.size >= MAX_TASKS && !tasks.has(options.id))
    throw new AoError('too-many-tasks', 'The node has as many tasks as it keeps.', { status: 503 });
  const now = context.clock.now();
  const kept: Kept = {
    request: toPlain(options.request.withoutPrivate()),
    signers: (options.request.private[SIGNERS] as readonly string[] | undefined) ?? [],
    transport: [...transportKeys(options.request)],
    period: options.period,
    first: now,
    last: now,
  };
  tasks.get(options.id)?.stop();
  // Its place is taken before anything is awaited.
  const place: Task = { stop: () => {} };
  tasks.set(options.id, place);
  await context.store.write([{ table: 'node', key: keyOf(options.id), value: kept }], { durable: true });
  if (tasks.get(options.id) === place) startTimer(options.id, kept, options.period ?? 0, run, context);
}

/** True if there was such a task. */
export async function stopTask(id: string, context: Context): Promise<boolean> {
  const tasks = tasksOf(context);
  const task = tasks.get(id);
  if (!task) return false;
  task.stop();
  tasks.delete(id);
  await context.store.write([{ table: 'node', key: keyOf(id) }]);
  return true;
}

/** Goes on with what an earlier run of the node was asked for; answers how many tasks that are. */
export async function resumeTasks(run: Run, context: Context): Promise<number> {
  const found = await context.store.range<Kept>('node', { from: [PREFIX], to: [PREFIX, '\uffff'] });
  const tasks = tasksOf(context);
  let resumed = 0;
  for (const { key, value } of found) {
    const id = (key as [string, string])[1];
    if (tasks.has(id)) continue;
    startTimer(id, value, delayOf(value, context.clock.now()), run, context);
    resumed++;
  }
  return resumed;
}

/** Milliseconds until the next run: at once if one was missed, else in the rhythm that it had. */
function delayOf({ period, first, last }: Kept, now: number): number {
  if (period === undefined || (period >= NOTED && last + period <= now)) return 0;
  return period - (Math.max(0, now - first) % period);
}

function startTimer(id: string, kept: Kept, delay: number, run: Run, context: Context): void {
  const tasks = tasksOf(context);
  const { period } = kept;
  const request = restored(kept);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  const once = async () => {
    await run(request, { once: true });
    if (tasks.get(id) !== task) return;
    tasks.delete(id);
    await context.store.write([{ table: 'node', key: keyOf(id) }]);
  };
  const again = async (every: number) => {
    if (busy) return;
    busy = true;
    try {
      if (every >= NOTED) {
        const noted: Kept = { ...kept, last: context.clock.now() };
        await context.store.write([{ table: 'node', key: keyOf(id), value: noted }]);
      }
      await run(request, { once: false });
    } finally {
      busy = false;
    }
  };
  const failed = (thrown: unknown) =>
    context.report({ type: 'cron-failed', task: id, error: AoError.wrap(thrown).message });
  const due = () => {
    if (period === undefined) return void once().catch(failed);
    timer = setTimeout(due, period);
    again(period).catch(failed);
  };
  const task: Task = { stop: () => clearTimeout(timer) };
  timer = setTimeout(due, delay);
  tasks.set(id, task);
}

/** The request with its marks: who asked for it, and what of it only the transport added. */
function restored({ request, signers, transport }: Kept): Message {
  const value: Value = fromPlain(request);
  const message = value instanceof Message ? value : Message.empty;
  const own = new Set([...message.keys()].filter((key) => !transport.includes(key)));
  return withSigners(markTransport(message, own), signers);
}
