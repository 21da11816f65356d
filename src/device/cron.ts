/**
 * `cron@1.0` (resolver.md §9.14): a request that is made again later, once or at intervals, with the rights of whoever
 * asked for it. Timers run while the node does.
 */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { error, type Device, type KeyFunction } from '../resolver/device.ts';
import { NodeContext } from '../resolver/node-context.ts';
import { serve } from '../resolver/serve.ts';
import { readFirst, textOf } from './values.ts';

/** Milliseconds in a unit, by how its name begins. */
const UNITS = { millisecond: 1, second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The longest time that a browser's timer holds, milliseconds. */
const LONGEST = 2_147_483_647;
/** Tasks that one node keeps. */
const MAX_TASKS = 1024;

interface Task {
  stop(): void;
}

const tasksOf = (context: Context): Map<string, Task> =>
  context.memory('cron@1.0', () => new Map<string, Task>());

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

async function cronPath(base: Message, request: Message, context: Context): Promise<string | undefined> {
  return textOf(
    await readFirst(
      [
        [request, 'cron-path'],
        [base, 'cron-path'],
      ],
      context,
    ),
  );
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

function add(id: string, task: Task, context: Context): void {
  const tasks = tasksOf(context);
  tasks.get(id)?.stop();
  if (tasks.size >= MAX_TASKS && !tasks.has(id))
    throw new AoError('too-many-tasks', 'The node has as many tasks as it keeps.', { status: 503 });
  tasks.set(id, task);
}

const once: KeyFunction = async (base, request, context) => {
  const path = await cronPath(base, request, context);
  if (path === undefined) return error('No cron path found in message.');
  const id = messageId(request, 'signed');
  const timer = setTimeout(
    () => void run(paid(due(request, path)), context).then(() => tasksOf(context).delete(id)),
    0,
  );
  add(id, { stop: () => clearTimeout(timer) }, context);
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

const every: KeyFunction = async (base, request, context) => {
  const path = await cronPath(base, request, context);
  if (path === undefined) return error('No cron path found in message.');
  const interval = textOf(
    await readFirst(
      [
        [request, 'interval'],
        [base, 'interval'],
      ],
      context,
    ),
  );
  if (interval === undefined) return error('No interval found in message.');
  const period = milliseconds(interval);
  // The reference answers with a reason that no codec can write, and so with none.
  if (period === undefined) return error(Message.of({ 'ao-result': 'body' }));
  const id = messageId(request, 'signed');
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void run(due(request, path), context).finally(() => (busy = false));
  }, period);
  add(id, { stop: () => clearInterval(timer) }, context);
  return id;
};

const stop: KeyFunction = async (base, request, context) => {
  const id = textOf(
    await readFirst(
      [
        [request, 'task'],
        [base, 'task'],
      ],
      context,
    ),
  );
  if (id === undefined) return error('No task ID found in message.');
  const tasks = tasksOf(context);
  const task = tasks.get(id);
  if (!task) return error('Task not found.');
  task.stop();
  tasks.delete(id);
  return Message.of({ status: 200n, body: { message: 'Task stopped successfully', task_id: id } });
};

export const cron: Device = {
  name: 'cron@1.0',
  keys: { info: () => Message.of({ status: 200n, body: INFO }), once, every, stop },
};
