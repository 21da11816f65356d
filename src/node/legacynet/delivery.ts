/**
 * Pushing the results of a legacynet process (process.md §5.3): messages, spawns and assignments become data items
 * of this node, get their slots, and their own results are pushed in turn. What is delivered is marked in the same
 * transaction that schedules it, so nothing is delivered twice.
 */
import { AoError } from '../../base/errors.ts';
import { callDevice } from '../../device/direct.ts';
import { itemOf } from '../../device/message-item.ts';
import { Processes } from '../../device/processes.ts';
import { roleDevice } from '../../device/process-roles.ts';
import { Schedules } from '../../device/schedules.ts';
import { finishPush, pushWrite, readDelivered, type Delivered } from '../../device/push-queue.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import type { Write } from '../../store/store.ts';
import { accept, assignForeign, type Placed } from './accept.ts';
import { makeItem, tagsOf, type NamedTag, type Taken } from './items.ts';
import { resultOf, type UnitAssignment, type UnitMessage } from './results.ts';

/** Messages in a row before a chain is taken to be endless. */
const MAX_HOPS = 10_000;
const MAX_ENTRIES = 1_000;

interface Source {
  readonly process: string;
  readonly slot: number;
  readonly module: string;
  readonly scheduler: string;
  readonly variant: string;
  /** The message that began the chain. */
  readonly pushedFor: string | undefined;
  readonly delivered: Delivered;
  /** URL of the messenger unit that takes what is not for a process of this node. */
  readonly messenger: string | undefined;
}

interface Step {
  readonly process: string;
  readonly slot: number;
  readonly pushedFor?: string;
}

export interface Delivery {
  /** URL of the messenger unit that takes what is not for a process of this node; without one it stays here. */
  readonly messenger?: string | undefined;
  /** What is to be on disk exactly if the delivery of the first slot is. */
  readonly finished?: readonly Write[];
}

/** Failures of the moment: what they concern is delivered later. */
const PASSING = /^(?:messenger-refused|peer-.*|storage-full)$/;

/**
 * Pushes a slot and all that follows from it, one after the other. Failures are reported, not thrown. Answers why the
 * first slot could not be delivered to its end, where that may change: then it is to be begun again, and only what is
 * left is sent.
 */
export async function deliver(
  first: Step,
  context: Context,
  { messenger, finished = [] }: Delivery = {},
): Promise<AoError | undefined> {
  let left: AoError | undefined;
  const waiting = [first];
  for (let hops = 0; waiting.length && hops < MAX_HOPS; hops++) {
    const step = waiting.shift()!;
    try {
      const also = step === first ? finished : [];
      const { next, failed } = await deliverSlot(step, context, messenger, also);
      waiting.push(...next);
      if (step === first) left = failed;
    } catch (thrown) {
      const error = AoError.wrap(thrown);
      if (step === first) left = error;
      context.report({
        type: 'push-failed',
        process: step.process,
        slot: step.slot,
        reason: error.message,
      });
    }
  }
  return left;
}

interface DeliveredSlot {
  readonly next: Step[];
  /** Why some of it is left for later. */
  readonly failed?: AoError | undefined;
}

async function deliverSlot(
  { process, slot, pushedFor }: Step,
  context: Context,
  messenger: string | undefined,
  also: readonly Write[],
): Promise<DeliveredSlot> {
  const definition = await Processes.of(context).definition(process, context);
  if (!definition) return { next: [] };
  if (roleDevice('execution', definition) !== 'genesis-wasm@1.0') {
    // A process of the other world pushes its results in its own form.
    const request = Message.of({ path: 'push', method: 'POST', slot: BigInt(slot) });
    await callDevice('process@1.0', 'push', definition.with({ device: 'process@1.0' }), request, context);
    return { next: [] };
  }
  const result = await resultOf(process, slot, context);
  const source: Source = {
    process,
    slot,
    module: definition.text('module') ?? '',
    scheduler: definition.text('scheduler') ?? context.identity.address,
    variant: definition.text('variant') ?? 'ao.TN.1',
    pushedFor,
    delivered: await readDelivered(process, slot, context),
    messenger,
  };
  const next: Step[] = [];
  let failed: AoError | undefined;
  const each = async <T>(prefix: string, entries: readonly T[] | undefined, send: Send<T>) => {
    if (!Array.isArray(entries)) return;
    for (const [index, entry] of (entries as readonly T[]).slice(0, MAX_ENTRIES).entries()) {
      const key = `${prefix}${index + 1}`;
      try {
        next.push(...(await send(entry, key, source, context)));
      } catch (thrown) {
        const error = AoError.wrap(thrown);
        if (PASSING.test(error.code)) failed = error;
        context.report({ type: 'push-failed', process, slot, entry: key, reason: error.message });
      }
    }
  };
  if (!result.Error) {
    await each('', result.Messages, sendMessage);
    await each('spawn-', result.Spawns, sendSpawn);
    await each('assign-', result.Assignments, sendAssignment);
  }
  if (!failed) await finishPush(process, slot, context, also);
  return { next, failed };
}

type Send<T> = (entry: T, key: string, source: Source, context: Context) => Promise<Step[]>;

/** Marks the entry in the transaction that gives it a slot. */
function marking(key: string, { process, slot, delivered }: Source) {
  return (at: number, target: string) => {
    delivered.set(key, at);
    return [pushWrite(process, slot, new Map(delivered)), pushWrite(target, at)];
  };
}

const NOT_FROM_MESSAGES = /^(?:data-protocol|type|from-process|from-module|assignments|variant)$/i;
const NOT_FROM_SPAWNS = /^(?:data-protocol|type|variant|from-process|pushed-for)$/i;

function tags(entry: UnitMessage, dropped: RegExp): NamedTag[] {
  return (Array.isArray(entry.Tags) ? (entry.Tags as readonly NamedTag[]) : [])
    .filter(({ name }) => typeof name === 'string' && name !== '' && !dropped.test(name))
    .map(({ name, value }) => ({ name, value: typeof value === 'string' ? value : JSON.stringify(value) }));
}

function pairs(record: Record<string, string | undefined>): NamedTag[] {
  return Object.entries(record).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function content(entry: UnitMessage): { data: string; anchor?: string } {
  const { Data, Anchor } = entry;
  const data = typeof Data === 'string' ? Data : Data === undefined ? '' : JSON.stringify(Data);
  return typeof Anchor === 'string' ? { data, anchor: Anchor } : { data };
}

async function sendMessage(
  entry: UnitMessage,
  key: string,
  source: Source,
  context: Context,
): Promise<Step[]> {
  if (source.delivered.has(key)) return [];
  const target = entry.Target;
  if (typeof target !== 'string' || !/^[A-Za-z0-9_-]{43}$/.test(target))
    throw new AoError('bad-target', 'A message in the outbox has no target that is an ID.');
  const own = [
    ...tags(entry, NOT_FROM_MESSAGES),
    ...pairs({
      'Data-Protocol': 'ao',
      Variant: source.variant,
      Type: 'Message',
      'From-Process': source.process,
      'From-Module': source.module,
      'Pushed-For': source.pushedFor,
    }),
  ];
  const taken = await itemFor(key, source, context, () =>
    makeItem({ ...content(entry), tags: own, target }, context),
  );
  if (await isElsewhere(target, source, context)) return handOver(taken, key, source, context);
  // What is for a wallet is stored, to be found by its ID; there is nobody to evaluate it.
  if (!(await Processes.of(context).definition(target, context))) return [];
  const placed = await accept(taken, context, marking(key, source));
  return [follow(placed, taken, source)];
}

/** The item for an entry: the very same after an interruption, so that whoever got it before knows it again. */
async function itemFor(
  key: string,
  { delivered }: Source,
  context: Context,
  make: () => Promise<Taken>,
): Promise<Taken> {
  const prefix = `${key}-id `;
  const known = [...delivered.keys()].find((name) => name.startsWith(prefix))?.slice(prefix.length);
  const message = known === undefined ? undefined : await context.cache.read(known);
  const item = message instanceof Message ? await itemOf(message, context) : undefined;
  if (item) return { item, message: message as Message, id: item.idText };
  const taken = await make();
  delivered.set(`${prefix}${taken.id}`, 0);
  return taken;
}

/** True for a process that another scheduler orders, or nobody here knows, where there is a messenger to tell. */
async function isElsewhere(target: string, { messenger }: Source, context: Context): Promise<boolean> {
  return messenger !== undefined && !(await Schedules.of(context).head(target, context))?.own;
}

/** Gives an item to the messenger unit, which has it scheduled and follows what comes of it. */
async function handOver({ item }: Taken, key: string, source: Source, context: Context): Promise<Step[]> {
  const { process, slot, delivered } = source;
  await context.store.write([pushWrite(process, slot, new Map(delivered))], { durable: true });
  await tellMessenger('/', item.toBytes(), source, context);
  await markHandedOver(key, source, context);
  return [];
}

async function markHandedOver(
  key: string,
  { process, slot, delivered }: Source,
  context: Context,
): Promise<void> {
  delivered.set(key, -1);
  await context.store.write([pushWrite(process, slot, new Map(delivered))], { durable: true });
}

/** @throws AoError `messenger-refused` (502) for now, `messenger-rejected` (502) for good, those of the transport */
async function tellMessenger(
  path: string,
  body: Uint8Array,
  { messenger }: Source,
  context: Context,
): Promise<void> {
  const response = await context.http.request({
    method: 'POST',
    target: `${messenger}${path}`,
    headers: [
      ['content-type', 'application/octet-stream'],
      ['accept', 'application/json'],
    ],
    body,
  });
  const { status } = response;
  if (status < 400) return;
  const passing = status >= 500 || status === 408 || status === 429;
  throw new AoError(
    passing ? 'messenger-refused' : 'messenger-rejected',
    `The messenger answered ${status}.`,
    { status: 502, detail: { messenger, status } },
  );
}

function follow(placed: Placed, taken: Taken, source: Source): Step {
  return { process: placed.process, slot: placed.slot, pushedFor: source.pushedFor ?? taken.id };
}

async function sendSpawn(entry: UnitMessage, key: string, source: Source, context: Context): Promise<Step[]> {
  if (source.delivered.has(key) && source.delivered.has(`${key}-told`)) return [];
  let own = tags(entry, NOT_FROM_SPAWNS);
  const given = own.find(({ name }) => name.toLowerCase() === 'scheduler');
  if (!given) {
    own = own.filter(({ name }) => !/^(?:module|from-module)$/i.test(name));
    own.push(...pairs({ Scheduler: source.scheduler, Module: source.module, 'From-Module': source.module }));
  }
  const asked = (entry.Tags ?? []).find(({ name, value }) => name === 'Variant' && value === 'ao.N.1');
  const variant = asked ? 'ao.N.1' : 'ao.TN.1';
  const protocol = pairs({ Variant: variant, 'Data-Protocol': 'ao', Type: 'Process' });
  const origin = pairs({ 'From-Process': source.process, 'Pushed-For': source.pushedFor });
  const taken = await itemFor(key, source, context, () =>
    makeItem({ ...content(entry), tags: [...own, ...protocol, ...origin] }, context),
  );
  const steps: Step[] = [];
  const scheduler = own.find(({ name }) => name.toLowerCase() === 'scheduler')?.value;
  const elsewhere = source.messenger !== undefined && scheduler !== context.identity.address;
  if (source.delivered.has(key)) {
    // It was made before an interruption; its parent is yet to be told.
  } else if (elsewhere) await handOver(taken, key, source, context);
  else steps.push(follow(await accept(taken, context, marking(key, source)), taken, source));
  const dropped = /^(?:data-protocol|variant|type)$/i;
  const tellingTags = [
    ...tagsOf(taken.item).filter(({ name }) => !dropped.test(name)),
    ...pairs({
      'Data-Protocol': 'ao',
      Type: 'Message',
      Process: taken.id,
      Action: 'Spawned',
      Variant: source.variant,
    }),
  ];
  const told = await itemFor(`${key}-told`, source, context, () =>
    makeItem({ target: source.process, tags: tellingTags }, context),
  );
  if (await isElsewhere(source.process, source, context))
    await handOver(told, `${key}-told`, source, context);
  else steps.push(follow(await accept(told, context, marking(`${key}-told`, source)), told, source));
  return steps;
}

async function sendAssignment(
  { Processes: targets, Message: message }: UnitAssignment,
  key: string,
  source: Source,
  context: Context,
): Promise<Step[]> {
  const steps: Step[] = [];
  if (!Array.isArray(targets) || typeof message !== 'string') return steps;
  let failure: unknown;
  for (const [index, target] of (targets as readonly unknown[]).slice(0, MAX_ENTRIES).entries()) {
    const one = `${key}-${index + 1}`;
    if (typeof target !== 'string' || source.delivered.has(one)) continue;
    try {
      if (await isElsewhere(target, source, context)) {
        const query = new URLSearchParams({ 'process-id': target, assign: message });
        await tellMessenger(`/?${query}`, new Uint8Array(0), source, context);
        await markHandedOver(one, source, context);
        continue;
      }
      const { process, slot } = await assignForeign(target, message, context, marking(one, source));
      const chain = source.pushedFor === undefined ? {} : { pushedFor: source.pushedFor };
      steps.push({ process, slot, ...chain });
    } catch (thrown) {
      // One that cannot be had holds up no other.
      failure ??= thrown;
    }
  }
  if (failure !== undefined) throw failure;
  return steps;
}
