/**
 * `cron@1.0` (resolver.md §9.14): a request that is made again later, once or at intervals, with the rights of whoever
 * asked for it. Timers run while the node does, and go on when it starts again (`cron-tasks.ts`).
 */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { NodeContext } from '../resolver/node-context.ts';
import { serve } from '../resolver/serve.ts';
import { addTask, resumeTasks, stopTask } from './cron-tasks.ts';
import { readKey, textOf } from './values.ts';

/** Milliseconds in a unit, by how its name begins. */
const UNITS = { millisecond: 1, second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The longest time that a browser's timer holds, milliseconds. */
const LONGEST = 2_147_483_647;
const INFO = {
  version: '1.0',
  description: 'Cron device for scheduling messages',
  paths: {
    info: 'Get device info',
    once: 'Schedule a one-time message',
    every: 'Schedule a recurring message',
    stop: 'Stop a scheduled task {task}',
  },
};

/** Text under a key of the request; what the base says is not asked for. */
async function asked(key: string, request: Message, context: Context): Promise<string | undefined> {
  return textOf(await readKey(request, key, context));
}

/** The request as it is made when its time has come. */
function due(request: Message, path: string): Message {
  return request.without('cron-path', 'interval').with({ path });
}

/** What runs once is paid for by the request that asks for it; what runs again and again pays each time. */
function paid(request: Message): Message {
  return request.withPrivate({ paid: true });
}

async function run(request: Message, context: Context): Promise<void> {
  if (!(context instanceof NodeContext))
    throw new AoError('bad-context', 'Only a node has a clock.', { status: 500 });
  try {
    await serve(request, context.atTop());
  } catch (thrown) {
    context.report({
      type: 'cron-failed',
      path: textOf(request.get('path')),
      error: AoError.wrap(thrown).message,
    });
  }
}

const runner =
  (context: Context) =>
  (request: Message, { once: alone }: { once: boolean }): Promise<void> =>
    run(alone ? paid(request) : request, context);

/** Goes on with the tasks of an earlier run of this node. */
export function resumeCron(context: Context): Promise<number> {
  return resumeTasks(runner(context), context);
}

const once: KeyFunction = async (_base, request, context) => {
  const path = await asked('cron-path', request, context);
  if (path === undefined) return error('No cron path found in message.');
  const id = messageId(request, 'signed');
  await addTask({ id, request: due(request, path) }, runner(context), context);
  return id;
};

/** Milliseconds of `N-unit`; undefined where the text has no such form. @throws AoError `bad-interval` (500) */
function milliseconds(text: string): number | undefined {
  const found = /^(\d+)-([a-z]+)$/i.exec(text);
  if (!found) return undefined;
  const unit = Object.entries(UNITS).find(([name]) => found[2]!.toLowerCase().startsWith(name))?.[1];
  const value = unit === undefined ? 0 : Number(found[1]) * unit;
  if (value < 1 || value > LONGEST)
    throw new AoError('bad-interval', `There is no interval ${JSON.stringify(text.slice(0, 40))}.`, {
      status: 500,
    });
  return value;
}

const every: KeyFunction = async (_base, request, context) => {
  const path = await asked('cron-path', request, context);
  if (path === undefined) return error('No cron path found in message.');
  const interval = await asked('interval', request, context);
  if (interval === undefined) return error('No interval found in message.');
  const period = milliseconds(interval);
  // The reference answers with a reason that no codec can write, and so with none.
  if (period === undefined) return error(Message.of({ 'ao-result': 'body' }));
  const id = messageId(request, 'signed');
  await addTask({ id, request: due(request, path), period }, runner(context), context);
  return id;
};

const stop: KeyFunction = async (_base, request, context) => {
  const id = await asked('task', request, context);
  if (id === undefined) return error('No task ID found in message.');
  if (!(await stopTask(id, context))) return error('Task not found.');
  return Message.of({ status: 200n, body: { message: 'Task stopped successfully', task_id: id } });
};

export const cron: Device = {
  name: 'cron@1.0',
  keys: { info: () => Message.of({ status: 200n, body: INFO }), once, every, stop },
};
