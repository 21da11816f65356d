/**
 * `push@1.0` (process.md §3.4): schedules a message, computes its slot, and sends what that left in the outbox on
 * to the processes it is for, and so on.
 *
 * An entry that asks to be evaluated before it is sent (`resolve`) is not: it would let any process run paths
 * with this node's rights. It is answered as failed, as the reference's recordings have it.
 */
import { AoError } from '../base/errors.ts';
import { ANS104_DEVICE } from '../codec/ans104-fields.ts';
import { HTTPSIG_DEVICE } from '../commitment/commitment.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import { messageId } from '../commitment/id.ts';
import { listToMessage } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import { Atom, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction, Result } from '../resolver/device.ts';
import { aboutMessage } from '../resolver/request-marks.ts';
import { callDevice } from './direct.ts';
import { definitionOf } from './process-definition.ts';
import { Processes } from './processes.ts';
import { finishPush, isUnfinished, pushWrite, readDelivered, type Delivered } from './push-queue.ts';
import { withRaw } from './raw-result.ts';
import { ALSO_WRITE } from './scheduler.ts';
import { addressesOf } from './scheduler-location.ts';
import { isIdText } from './message-id.ts';
import { integerOf, readFirst, readKey, readPath, setKeys, textOf } from './values.ts';

/** Hops in a row before a chain of messages is taken to be endless. */
const MAX_HOPS = 10_000;
/** Levels of `resulted-in` that an answer shows: deeper ones are pushed all the same. */
const SHOWN_LEVELS = 50;
/** Entries of one outbox that are pushed. */
const MAX_ENTRIES = 1_000;

interface Job {
  readonly slot: number;
  /** The slot as the request wrote it. */
  readonly shown: Value;
  readonly depth: number;
  readonly hops: number;
}

const push: KeyFunction = async (base, request, context) => {
  const asked = request.get('slot');
  if (asked === undefined) return pushMessage(base, request, context);
  const slot = integerOf(asked);
  if (slot === undefined) throw new AoError('bad-slot', 'The slot to push is not an integer.');
  close(context);
  const depth = integerOf(request.get('result-depth')) ?? 1;
  return inMode(base, request, { slot, shown: asked, depth, hops: 0 }, context);
};

/** Schedules the message of a request, then pushes the slot it got; a new process is only scheduled. */
async function pushMessage(base: Message, request: Message, context: Context): Promise<Result> {
  const asked = request.with({ path: 'schedule', method: 'POST' }).withPrivate({
    [ALSO_WRITE]: (slot: number, process: string) => (slot === 0 ? [] : [pushWrite(process, slot)]),
  });
  const { status, value } = await callDevice('process@1.0', 'schedule', asProcess(base), asked, context);
  if (status !== 'ok' || !(value instanceof Message)) return { status, value };
  const answered = integerOf(value.get('status'));
  if (answered !== undefined && answered !== 200) return { status: answered < 400 ? 'ok' : 'error', value };
  const body = await readKey(value, 'body', context);
  if (body instanceof Message && textOf(body.get('type')) === 'Process') return { status: 'ok', value };
  const slot = integerOf(value.get('slot'));
  if (slot === undefined) return { status: 'ok', value };
  close(context);
  if (context.call?.repeated) {
    const { id } = await definitionOf(base, context);
    const about = Message.from([
      ['slot', BigInt(slot)],
      ['process', id],
    ]);
    // It was pushed to its end before the answer was lost.
    if (!(await isUnfinished(id, slot, context))) return { status: 'ok', value: about };
  }
  const depth = integerOf(request.get('result-depth')) ?? 1;
  const pushed = await inMode(base, request, { slot, shown: BigInt(slot), depth, hops: 0 }, context);
  if (!(pushed.value instanceof Message) || !(body instanceof Message)) return pushed;
  // aoconnect asks for JSON and reads the results in the words of a compute unit.
  const json = textOf(request.get('require-codec'))?.includes('json') && depth > 0;
  const shown = json && pushed.status === 'ok' ? await withRaw(pushed.value, context) : pushed.value;
  return { ...pushed, value: aboutMessage(shown, messageId(body, 'signed')) };
}

/** What a push schedules is remembered with the push. */
function close({ call }: Context): void {
  if (call) call.closed = true;
}

function asProcess(base: Message): Message {
  return base.with({ device: 'process@1.0' });
}

async function inMode(base: Message, request: Message, job: Job, context: Context): Promise<Result> {
  const mode = textOf(
    await readFirst(
      [
        [request, 'push-mode'],
        [base, 'push-mode'],
        [base, 'process/push-mode'],
      ],
      context,
    ),
  );
  const { id, process } = await definitionOf(base, context);
  if (mode !== 'async') return deliver(id, process, job, context);
  void deliver(id, process, job, context).catch((thrown: unknown) =>
    context.report({
      type: 'push-failed',
      process: id,
      slot: job.slot,
      reason: AoError.wrap(thrown).message,
    }),
  );
  return {
    status: 'ok',
    value: Message.from([
      ['slot', job.shown],
      ['process', id],
    ]),
  };
}

/**
 * Computes a slot and sends what it left in the outbox. A slot that is being pushed already, by a request or after a
 * restart, is not pushed beside that: whoever asks waits for the same.
 */
function deliver(id: string, process: Message, job: Job, context: Context): Promise<Result> {
  const running = context.memory('push@1.0', () => new Map<string, Promise<Result>>());
  const key = `${id}/${job.slot}`;
  const known = running.get(key);
  if (known) return known;
  const pushed = deliverOnce(id, process, job, context).finally(() => running.delete(key));
  running.set(key, pushed);
  return pushed;
}

async function deliverOnce(id: string, process: Message, job: Job, context: Context): Promise<Result> {
  const live = await Processes.of(context).open(process, context);
  const computed = await live.compute(job.slot, context);
  if (computed.status !== 'ok' || !(computed.value instanceof Message)) return computed;
  const results = await readKey(computed.value, 'results', context);
  const shown = job.depth > 0 && results instanceof Message ? results.withoutPrivate() : Message.empty;
  const entries = await entriesOf(results, context);
  const about: [string, Value][] = [
    ['slot', job.shown],
    ['process', id],
  ];
  if (entries.length === 0) {
    await finishPush(id, job.slot, context);
    return { status: 'ok', value: shown.with(about) };
  }
  const delivered = await readDelivered(id, job.slot, context);
  const origin = await originOf(id, process, context);
  const out: [string, Value][] = [];
  for (const [key, entry] of entries) {
    const answer = await send(key, entry, { id, job, delivered, origin }, context);
    out.push([key, answer]);
  }
  await finishPush(id, job.slot, context);
  return { status: 'ok', value: shown.with(out).with(about) };
}

/** Outbox entries by key, in byte order, with their own keys in lower case. */
async function entriesOf(results: Value | undefined, context: Context): Promise<[string, Message][]> {
  const outbox = await context.cache.loadAll((await readKey(results, 'outbox', context)) ?? Message.empty);
  const numbered = Array.isArray(outbox) ? listToMessage(outbox as readonly Value[]) : outbox;
  if (!(numbered instanceof Message)) return [];
  const keys = byteOrder(
    [...numbered.keys()].filter((key) => key !== 'commitments' && !key.startsWith('priv')),
  );
  if (keys.length > MAX_ENTRIES)
    throw new AoError(
      'outbox-too-large',
      `A slot left ${keys.length} messages; ${MAX_ENTRIES} can be pushed.`,
      {
        status: 413,
      },
    );
  return keys.flatMap((key): [string, Message][] => {
    const entry = numbered.get(key);
    return entry instanceof Message ? [[key.toLowerCase(), lowerCase(entry)]] : [];
  });
}

function lowerCase(message: Message): Message {
  return Message.from(
    [...message].map(([key, value]) => [
      key.toLowerCase(),
      value instanceof Message ? lowerCase(value) : value,
    ]),
  );
}

/** What every pushed message says about the process that it comes from. */
async function originOf(id: string, process: Message, context: Context): Promise<Message> {
  const known = async (key: string) => (await readKey(process, key, context)) ?? Atom.notFound;
  const base = process.without('authority', 'scheduler');
  return Message.from([
    ['data-protocol', 'ao'],
    ['variant', 'ao.N.1'],
    ['type', 'Message'],
    ['from-process', id],
    ['from-uncommitted', messageId(process, 'unsigned')],
    ['from-base', messageId(base, 'unsigned')],
    ['from-scheduler', await known('scheduler')],
    ['from-authority', await context.cache.loadAll(await known('authority'))],
  ]);
}

interface Sending {
  readonly id: string;
  readonly job: Job;
  readonly delivered: Delivered;
  readonly origin: Message;
}

function refusal(target: string, reason: Value, more: Record<string, Value> = {}): Message {
  return Message.from([
    ['response', 'error'],
    ['target', target],
    ['reason', reason],
    ...Object.entries(more),
  ]);
}

/** One entry on its way: signed, scheduled with its target, its own results pushed in turn. */
async function send(key: string, entry: Message, sending: Sending, context: Context): Promise<Message> {
  const { id, job } = sending;
  const named = textOf(entry.get('target'));
  if (named === undefined)
    return Message.from([
      ['response', 'error'],
      ['status', 404n],
      ['outbox-index', key],
      ['reason', 'Target process not available.'],
      ['message', entry],
    ]);
  const target = named.split(/[?&]/)[0]!;
  const readable = await targetProcess(target, context);
  if (!readable) return refusal(target, 'Could not access target process!', { status: 404n });
  const message = entry.has('resolve')
    ? Message.from([
        ['resolve', 'error'],
        ['target', id],
        ['status', 400n],
        ['outbox-index', key],
        ['source', entry],
      ])
    : entry;
  const recipient = textOf(message.get('target'))!.split(/[?&]/)[0]!;
  const process = recipient === target ? readable : await targetProcess(recipient, context);
  if (!process) return refusal(recipient, 'Could not access target process!', { status: 404n });
  const sent = await schedule(key, message, recipient, process, sending, context);
  if (sent instanceof Message) return sent;
  const known: [string, Value][] = [
    ...(sent.id === undefined ? [] : [['id', sent.id] as [string, Value]]),
    ['target', recipient],
    ['slot', BigInt(sent.slot)],
  ];
  // Elsewhere, its own node goes on with it; and what was delivered before an interruption may be at its end.
  if (sent.elsewhere || (sent.before && !(await isUnfinished(recipient, sent.slot, context))))
    return Message.from(known);
  if (job.hops >= (integerOf(context.option('push-max-hops')) ?? MAX_HOPS))
    return refusal(recipient, 'The chain of messages is too long; it ends here.', { status: 508n });
  const next: Job = { slot: sent.slot, shown: BigInt(sent.slot), depth: job.depth - 1, hops: job.hops + 1 };
  let result: Result;
  try {
    result = await deliver(recipient, process, next, context);
  } catch (thrown) {
    return refusal(recipient, AoError.wrap(thrown).message);
  }
  if (result.status !== 'ok') return refusal(recipient, result.value);
  // A chain deeper than any decoder follows is pushed, but not shown.
  if (job.hops >= SHOWN_LEVELS) return Message.from(known);
  return Message.from([...known, ['resulted-in', result.value]]);
}

async function targetProcess(target: string, context: Context): Promise<Message | undefined> {
  const known = await Processes.of(context).definition(target, context);
  if (known) return known;
  const stored = await context.cache.read(target);
  return stored instanceof Message ? stored : undefined;
}

interface Sent {
  readonly slot: number;
  readonly id?: string;
  readonly elsewhere: boolean;
  /** It got its slot before the push was interrupted. */
  readonly before: boolean;
}

/** Schedules an entry with its target, once: the answer of the first time if it was done before. */
async function schedule(
  key: string,
  message: Message,
  recipient: string,
  process: Message,
  { id, job, delivered, origin }: Sending,
  context: Context,
): Promise<Sent | Message> {
  const before = delivered.get(key);
  if (before !== undefined) return { slot: before, elsewhere: false, before: true };
  const augmented = (await setKeys(message, origin, context)).without('commitments');
  if (!(await mayServe(process, context)))
    return refusal(
      recipient,
      'Application of security policy failed: No identities matching authority were found.',
    );
  let signed = await sign(augmented, HTTPSIG_DEVICE, context);
  const here = { written: false };
  const post = (body: Message) => {
    const request = Message.of({ path: 'schedule', method: 'POST', body }).withPrivate({
      [ALSO_WRITE]: (slot: number) => {
        here.written = true;
        delivered.set(key, slot);
        return [pushWrite(id, job.slot, new Map(delivered)), pushWrite(recipient, slot)];
      },
    });
    return callDevice('process@1.0', 'schedule', asProcess(process), request, context);
  };
  let result: Result;
  try {
    result = await post(signed);
    // Its scheduler takes data items alone.
    if (result.value instanceof Message && integerOf(result.value.get('status')) === 422) {
      signed = await sign(augmented, ANS104_DEVICE, context);
      result = await post(signed);
    }
  } catch (thrown) {
    return refusal(recipient, AoError.wrap(thrown).message);
  }
  const { status, value } = result;
  const slot = value instanceof Message ? integerOf(value.get('slot')) : undefined;
  if (status !== 'ok' || slot === undefined) return refusal(recipient, value);
  if (!here.written) {
    delivered.set(key, slot);
    await context.store.write([pushWrite(id, job.slot, new Map(delivered))], { durable: true });
  }
  return { slot, id: messageId(signed, 'signed'), elsewhere: !here.written, before: false };
}

/** Whether this node may sign for a process: it is named by the policy or the authority, or always does. */
async function mayServe(target: Message, context: Context): Promise<boolean> {
  if (textOf(context.option('push-always-sign')) !== 'false') return true;
  return (await committersWanted(target, context)).includes(context.identity.address);
}

function sign(message: Message, device: string, context: Context): Promise<Message> {
  return commitmentDevice(device)!.commit(
    message,
    { type: 'signed' },
    { signer: context.identity, load: (link) => context.cache.load(link) },
  );
}

async function committersWanted(target: Message, context: Context): Promise<string[]> {
  const policy = await policyOf(target, context);
  if (policy !== undefined) {
    const accepted = await readKey(policy, 'accept-committers', context);
    if (accepted !== undefined) return addressesOf(accepted, context);
  }
  return addressesOf(target.get('authority'), context);
}

/** A policy is a message in the process, or where a text in its place leads: an ID, or a path from the process on. */
async function policyOf(target: Message, context: Context): Promise<Value | undefined> {
  const policy = await readKey(target, 'policy', context);
  const path = textOf(policy);
  if (path === undefined) return policy;
  const [id, ...rest] = path.split('/').filter((part) => part !== '');
  if (!isIdText(id)) return readPath(target, path, context);
  const found = await context.cache.read(id!);
  return found === undefined || rest.length === 0 ? found : readPath(found, rest.join('/'), context);
}

export const pushDevice: Device = { name: 'push@1.0', keys: { push } };

/** Goes on with a push that was under way when the node stopped, unless another has finished it since. */
export async function resumePush(id: string, slot: number, context: Context): Promise<void> {
  const process = await Processes.of(context).definition(id, context);
  if (!process || !(await isUnfinished(id, slot, context))) return;
  await deliver(id, process, { slot, shown: BigInt(slot), depth: 0, hops: 0 }, context);
}
