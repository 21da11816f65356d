/**
 * `process@1.0` (process.md §1): a process as a message. Its keys schedule, compute and read; everything else is
 * read as plain data.
 */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { Atom } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction, Result } from '../resolver/device.ts';
import { callDevice } from './direct.ts';
import { signaturesOf } from './message-id.ts';
import { definitionOf, firstState } from './process-definition.ts';
import type { LiveProcess } from './process-live.ts';
import { asRole, runAs, type Role } from './process-roles.ts';
import { Processes } from './processes.ts';
import { withFork } from './machine-fork.ts';
import { withRaw } from './raw-result.ts';
import { integerOf, readKey, textOf } from './values.ts';

function open(base: Message, context: Context): Promise<LiveProcess> {
  return Processes.of(context).open(base, context);
}

/** The message under which the scheduler and the pusher work: the definition, with itself under `process`. */
async function withProcess(base: Message, context: Context): Promise<Message> {
  if (base.has('process')) return base;
  const { process } = await definitionOf(base, context);
  // One that nobody has signed is not a process yet; it may be on its way to become one.
  if (signaturesOf(process).length === 0) return firstState(process);
  const live = await open(base, context);
  return firstState(await live.process(context));
}

const schedule: KeyFunction = async (base, request, context) => {
  const known = base.has('process') || base.get('type') !== undefined;
  const ready = known ? await withProcess(base, context) : base;
  return runAs('scheduler', ready, 'schedule', request, context);
};

const slot: KeyFunction = async (base, request, context) =>
  runAs('scheduler', await withProcess(base, context), 'slot', request, context);

const next: KeyFunction = async (base, request, context) =>
  runAs('scheduler', await withProcess(base, context), 'next', request, context);

const push: KeyFunction = async (base, request, context) =>
  runAs('push', await withProcess(base, context), 'push', request, context);

/** Slot that a request asks for: `compute=7`, `slot=7`. */
function slotOf(request: Message): number | undefined {
  return integerOf(request.get('compute')) ?? integerOf(request.get('slot'));
}

const compute: KeyFunction = async (base, request, context) => {
  const wanted = slotOf(request);
  if (wanted === undefined) {
    if (request.has('slot'))
      throw new AoError('bad-slot', 'The slot to compute is not an integer.', {
        detail: { slot: textOf(request.get('slot')) ?? '' },
      });
    return newest(base, true, context);
  }
  const live = await open(base, context);
  if (wanted < 0) throw new AoError('bad-slot', `There is no slot ${wanted}.`, { detail: { slot: wanted } });
  return live.compute(wanted, context);
};

const now: KeyFunction = (base, _request, context) => {
  const option = textOf(context.option('process-now-from-cache')) ?? 'false';
  return newest(base, option === 'always' ? 'always' : option === 'true', context);
};

/** The state after the newest slot: of the schedule, or of those that are computed already. */
async function newest(base: Message, fromCache: boolean | 'always', context: Context): Promise<Result> {
  const live = await open(base, context);
  if (fromCache) {
    const known = await live.newest(context);
    if (known) return { status: 'ok', value: known.state };
    if (fromCache === 'always') return { status: 'failure', value: 'No cached state available.' };
  }
  const process = firstState(await live.process(context));
  const current = await runAs('scheduler', process, 'slot', Message.of({ path: 'slot' }), context);
  if (current.status !== 'ok' || !(current.value instanceof Message)) return current;
  const wanted = integerOf(await readKey(current.value, 'current', context));
  return wanted === undefined ? current : live.compute(wanted, context);
}

/**
 * The state with another role's device at the helm, so that the next key is that device's own. The machine that
 * it sees is a copy: the live one only ever moves with the schedule.
 */
const as: KeyFunction = async (base, request, context) => {
  const named = textOf(request.get('as')) ?? textOf(request.get('as-device')) ?? 'execution';
  if (named !== 'execution' && named !== 'scheduler' && named !== 'push')
    throw new AoError('bad-role', `A process has no role ${JSON.stringify(named.slice(0, 40))}.`);
  const role: Role = named;
  const live = await open(base, context);
  if (role !== 'execution')
    return { status: 'ok', value: asRole(role, firstState(await live.process(context))) };
  const result = await newest(base, true, context);
  if (result.status !== 'ok' || !(result.value instanceof Message)) return result;
  return { status: 'ok', value: withFork(asRole('execution', result.value), live) };
};

/** What another node needs to go on from here: the machine's memory under the number of its device. */
const snapshot: KeyFunction = async (base, request, context) => {
  const live = await open(base, context);
  return live.withLiveState(context, async (state) => {
    const asked = request.with({ path: 'snapshot', mode: 'Map' });
    const { status, value } = await runAs('execution', state, 'snapshot', asked, context);
    if (status !== 'ok' || !(value instanceof Message)) return { status, value };
    return { status: 'ok', value: value.withoutPrivate().with({ 'cache-control': 'store' }) };
  });
};

/** As `execution`'s own `init`, for callers that run a process by hand. */
const init: KeyFunction = async (base, request, context) => {
  const { status, value } = await runAs(
    'execution',
    await withProcess(base, context),
    'init',
    request,
    context,
  );
  if (status !== 'ok' || !(value instanceof Message)) return { status, value };
  return { status: 'ok', value: value.with({ initialized: 'true', 'at-slot': -1n }) };
};

/**
 * `compute/results=N` is how aoconnect asks for slot N, always by POST; the reference answers with the newest
 * state there. Any other request reads the key.
 */
const results: KeyFunction = async (base, request, context) => {
  const wanted = integerOf(request.get('results'));
  const asked = textOf(request.get('method'))?.toUpperCase() === 'POST' && base.has('at-slot');
  if (wanted === undefined || wanted < 0 || !asked)
    return callDevice('message@1.0', 'results', base, request, context);
  const { status, value } = await (await open(base, context)).compute(wanted, context);
  if (status !== 'ok' || !(value instanceof Message)) return { status, value };
  const left = await readKey(value, 'results', context);
  if (left === undefined) return { status: 'error', value: Atom.notFound };
  return left instanceof Message ? withRaw(left, context) : left;
};

const info: KeyFunction = () => ({
  status: 'ok',
  value: Message.of({
    version: '1.0',
    description: 'A process: a schedule, and the state that computing it gives.',
    keys: ['schedule', 'slot', 'compute', 'now', 'snapshot', 'push', 'as'],
  }),
});

export const process: Device = {
  name: 'process@1.0',
  info: {
    exports: [
      'info',
      'as',
      'compute',
      'now',
      'schedule',
      'slot',
      'snapshot',
      'push',
      'init',
      'next',
      'results',
    ],
  },
  keys: { info, as, compute, now, schedule, slot, snapshot, push, init, next, results },
};
