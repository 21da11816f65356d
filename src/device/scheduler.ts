/**
 * `scheduler@1.0` (process.md §2): gives every message sent to a process a slot, by signing an assignment, and
 * answers schedules: its own and those that it keeps or fetches from others.
 */
import { AoError } from '../base/errors.ts';
import { withOnlyCommitted } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction, Result } from '../resolver/device.ts';
import { scheduleJson } from './aos-2-schedule.ts';
import { isIdText, signaturesOf, signedId } from './message-id.ts';
import { fetchSchedule, forwardMessage, redirectTo } from './remote-schedule.ts';
import { knownProcesses, type StoredAssignment } from './schedule-records.ts';
import { currentBlock, Schedules, type AlsoWrite } from './schedules.ts';
import { hintIn, locate, readLocation, schedulersOf, type Located } from './scheduler-location.ts';
import { registerLocation } from './scheduler-register.ts';
import { integerOf, readKey, textOf } from './values.ts';

/** In the private part of a POST: what goes to disk together with the assignment (`AlsoWrite`). */
export const ALSO_WRITE = 'also-write';

/** Assignments in one answer: `from` … `from + 1000`. */
const PAGE = 1001;

const INVALID: Result = {
  status: 'error',
  value: Message.of({ status: 400n, body: 'Message is not valid.', reason: 'Given message is invalid.' }),
};

function methodOf(request: Message): string {
  return (textOf(request.get('method')) ?? 'GET').toUpperCase();
}

const schedule: KeyFunction = (base, request, context) =>
  methodOf(request) === 'POST' ? post(base, request, context) : read(base, request, context);

// ---- Writing

async function subjectOf(request: Message, context: Context): Promise<Message> {
  const subject = textOf(request.get('subject'));
  let value: Value | undefined;
  if (subject === 'self') value = request;
  else if (subject !== undefined) value = await readKey(request, subject, context);
  else value = (await readKey(request, 'body', context)) ?? request;
  // A body of octets or text belongs to the message that is the request itself.
  return value instanceof Message ? value : request;
}

function isProcess(message: Value | undefined): boolean {
  return message instanceof Message && textOf(message.get('type')) === 'Process';
}

async function targetOf(
  message: Message,
  base: Message,
  request: Message,
  context: Context,
): Promise<string> {
  if (isProcess(message)) return signedId(message, context);
  const target = textOf(message.get('target')) ?? textOf(request.get('target'));
  if (target !== undefined) return target.split('?')[0]!;
  if (isProcess(request)) return signedId(request, context);
  const process = await readKey(base, 'process', context);
  if (process !== undefined) return signedId(process, context);
  return signedId(isProcess(base) ? base : request, context);
}

async function isValid(message: Message, context: Context): Promise<boolean> {
  const verify = context.option('verify-assignments');
  if (textOf(verify) === 'false') return true;
  const signed = signaturesOf(message).length > 0;
  const acceptUnsigned = context.option('accept-unsigned');
  const relaxed = textOf(verify) === 'accept-unsigned' || textOf(acceptUnsigned) === 'true';
  if (!signed) return relaxed;
  return verifyMessage(message, undefined, { load: (link) => context.cache.load(link) });
}

async function post(base: Message, request: Message, context: Context): Promise<Result> {
  if (textOf(context.option('scheduling-mode')) === 'disabled')
    return { status: 'error', value: Message.of({ status: 503n, body: 'This node does not schedule.' }) };
  const given = await subjectOf(request, context);
  const id = await targetOf(given, base, request, context);
  const message = withOnlyCommitted(given);
  if (
    signaturesOf(message).length === 0 ? !(await isValid(given, context)) : !(await isValid(message, context))
  )
    return INVALID;
  const process = isProcess(message) ? message : await processOf(id, base, context);
  const hint = hintIn(textOf(message.get('target')) ?? textOf(request.get('target')), context);
  if (!process && hint === undefined) return processMissing(id);
  const located = await find(process, id, request, context, hint);
  if (located.at === 'elsewhere')
    return followsRedirects(context)
      ? forwardMessage(located, id, message, context)
      : redirectTo(located, id);
  // The message is to be found by its ID; the assignment keeps it exactly as it came.
  await context.cache.write(message);
  if (message.has('path'))
    context.report({
      type: 'warning',
      process: id,
      text: 'A message with a path of its own was scheduled: it is run with that path instead of `compute`, which most processes cannot do.',
    });
  const also = request.private[ALSO_WRITE] as AlsoWrite | undefined;
  return { status: 'ok', value: await Schedules.of(context).assign(id, message, context, also) };
}

function followsRedirects(context: Context): boolean {
  return textOf(context.option('scheduler-follow-redirects')) !== 'false';
}

// ---- Finding

/** The definition of a process: what is at hand, else what the store has under its ID. */
async function processOf(id: string, base: Message, context: Context): Promise<Message | undefined> {
  for (const candidate of [await readKey(base, 'process', context), base])
    if (candidate instanceof Message && isProcess(candidate) && (await signedId(candidate, context)) === id)
      return candidate;
  const stored = isIdText(id) ? await context.cache.read(id) : undefined;
  return stored instanceof Message ? stored : undefined;
}

function processMissing(id: string): Result {
  return {
    status: 'error',
    value: Message.of({
      status: 404n,
      body: `The process ${id} is not available here.`,
      reason: 'process_not_available',
    }),
  };
}

/** `hint`: an address that came with the ID of the process. */
async function find(
  process: Message | undefined,
  id: string,
  request: Message,
  context: Context,
  hint: string | undefined,
): Promise<Located> {
  const head = await Schedules.of(context).head(id, context);
  if (head?.own) return { at: 'here' };
  if (hint === undefined) return locate(process ?? Message.empty, request, context);
  const [address = ''] = await schedulersOf(process ?? Message.empty, request, context);
  return { at: 'elsewhere', url: hint, variant: 'ao.N.1', address: address.split('?')[0]! };
}

/** ID of the process that a read is about. */
async function subjectId(base: Message, request: Message, context: Context): Promise<string> {
  const target = (textOf(request.get('target')) ?? textOf(request.get('process')))?.split('?')[0];
  if (isIdText(target)) return target;
  const process = await readKey(base, 'process', context);
  if (process instanceof Message) return signedId(process, context);
  if (isProcess(base)) return signedId(base, context);
  return signedId(request, context);
}

// ---- Reading

async function read(base: Message, request: Message, context: Context): Promise<Result> {
  const id = await subjectId(base, request, context);
  const from = Math.max(0, integerOf(request.get('from')) ?? 0);
  const schedules = Schedules.of(context);
  let head = await schedules.head(id, context);
  const asked = integerOf(request.get('to'));
  if (!head?.own) {
    const reach = asked ?? Infinity;
    if (!head || head.slot < reach) {
      const refused = await refresh(id, base, request, reach, context);
      if (refused && !head) return refused;
      head = await schedules.head(id, context);
    }
    if (!head) return processMissing(id);
  }
  const last = Math.min(asked ?? head.slot, head.slot);
  const to = Math.min(last, from + PAGE - 1);
  const found = await schedules.read(id, from, to, context);
  const continues = last > to;
  return answer(id, found, continues, request, context);
}

/** Brings a schedule of another node up to date. Answers why it cannot be had. */
async function refresh(
  id: string,
  base: Message,
  request: Message,
  reach: number,
  context: Context,
): Promise<Result | undefined> {
  const process = await processOf(id, base, context);
  if (!process) return processMissing(id);
  try {
    const hint = hintIn(textOf(request.get('target')), context);
    const located = await find(process, id, request, context, hint);
    if (located.at === 'here')
      return {
        status: 'error',
        value: Message.of({ status: 404n, body: 'Nothing is scheduled for this process yet.' }),
      };
    if (!followsRedirects(context)) return redirectTo(located, id);
    await fetchSchedule(located, id, reach, context);
    return undefined;
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    if (error.code === 'internal') throw thrown;
    return {
      status: 'error',
      value: Message.of({ status: BigInt(error.status), body: error.message, reason: error.code }),
    };
  }
}

async function answer(
  id: string,
  found: readonly StoredAssignment[],
  continues: boolean,
  request: Message,
  context: Context,
): Promise<Result> {
  const block = currentBlock(context);
  const about = { process: id, continues, block };
  if (textOf(request.get('accept')) === 'application/aos-2')
    return {
      status: 'ok',
      value: Message.of({
        'content-type': 'application/json',
        body: await scheduleJson(about, found, context),
      }),
    };
  const assignments = new Message(
    new Map(found.map(({ slot, assignment }) => [String(slot), assignment as Value])),
  );
  return {
    status: 'ok',
    value: Message.of({
      type: 'schedule',
      process: id,
      continues,
      timestamp: block.timestamp,
      'block-height': block.height,
      'block-hash': block.hash,
      assignments,
    }),
  };
}

/** `{process, current, …}`; `slot/current` is the number of the newest slot. */
const slot: KeyFunction = async (base, request, context) => {
  const id = await subjectId(base, request, context);
  const schedules = Schedules.of(context);
  let head = await schedules.head(id, context);
  if (!head?.own) {
    const refused = await refresh(id, base, request, Infinity, context);
    head = await schedules.head(id, context);
    if (!head) return refused ?? processMissing(id);
  }
  const block = currentBlock(context);
  return {
    status: 'ok',
    value: Message.of({
      process: id,
      current: BigInt(head.slot),
      timestamp: block.timestamp,
      'block-height': block.height,
      'block-hash': block.hash,
      'cache-control': 'no-store',
      addresses: [context.identity.address],
    }),
  };
};

/** The assignment after the state's `at-slot` (process.md §2.8). */
const next: KeyFunction = async (base, request, context) => {
  const at = integerOf(base.get('at-slot'));
  if (at === undefined)
    throw new AoError('bad-slot', 'Unprocessable slot value received in assignment.', { status: 500 });
  const id = await subjectId(base, request, context);
  const found = await nextAssignment(id, at, base, context);
  if ('refused' in found) return found.refused;
  return { status: 'ok', value: Message.of({ body: found.assignment, state: base }) };
};

const NOT_YET: Result = {
  status: 'error',
  value: Message.of({ status: 404n, reason: 'Requested slot not yet available in schedule.' }),
};

/** Slot `at + 1` of a process, fetched from its scheduler where it is another node's. */
export async function nextAssignment(
  id: string,
  at: number,
  base: Message,
  context: Context,
): Promise<{ assignment: Message } | { refused: Result }> {
  const schedules = Schedules.of(context);
  let head = await schedules.head(id, context);
  if (!head || (!head.own && head.slot <= at)) {
    const refused = await refresh(id, base, Message.empty, at + PAGE, context);
    head = await schedules.head(id, context);
    if (!head) return { refused: refused ?? NOT_YET };
  }
  const [found] = await schedules.read(id, at + 1, at + 1, context);
  return found ? { assignment: found.assignment } : { refused: NOT_YET };
}

// ---- The rest

const status: KeyFunction = async (_base, _request, context) => {
  const processes: string[] = [];
  for (const id of await knownProcesses(context.store))
    if ((await Schedules.of(context).head(id, context))?.own) processes.push(id);
  return {
    status: 'ok',
    value: Message.of({ address: context.identity.address, processes, 'cache-control': 'no-store' }),
  };
};

const location: KeyFunction = async (_base, request, context) => {
  if (methodOf(request) === 'POST') return registerLocation(request, context);
  const address = textOf(request.get('address')) ?? context.identity.address;
  const record = await readLocation(address, context);
  if (record) return { status: 'ok', value: Message.of({ body: record }) };
  return {
    status: 'ok',
    value: Message.of({ status: 404n, body: `No location found for address: ${address}` }),
  };
};

const same: KeyFunction = (base) => ({ status: 'ok', value: base });

export const scheduler: Device = {
  name: 'scheduler@1.0',
  info: {
    excludes: ['set', 'keys'],
    default: (key, base, request, context) =>
      key === 'id' ? { status: 'error', value: Atom.notFound } : schedule(base, request, context),
  },
  keys: {
    schedule,
    slot,
    next,
    status,
    location,
    register: location,
    record: location,
    init: same,
    checkpoint: same,
  },
};
