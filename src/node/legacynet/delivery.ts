/**
 * Pushing the results of a legacynet process (process.md §5.3): messages, spawns and assignments become data items
 * of this node, get their slots, and their own results are pushed in turn. What is delivered is marked in the same
 * transaction that schedules it, so nothing is delivered twice.
 */
import { AoError } from '../../base/errors.ts';
import { callDevice } from '../../device/direct.ts';
import { Processes } from '../../device/processes.ts';
import { roleDevice } from '../../device/process-roles.ts';
import { Schedules } from '../../device/schedules.ts';
import { finishPush, pushWrite, readDelivered, type Delivered } from '../../device/push-queue.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
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

/**
 * Pushes a slot and all that follows from it, one after the other. Failures are reported, not thrown. `messenger`: URL of
 * the messenger unit that takes what is not for a process of this node; without one it stays here.
 */
export async function deliver(first: Step, context: Context, messenger?: string): Promise<void> {
  const waiting = [first];
  for (let hops = 0; waiting.length && hops < MAX_HOPS; hops++) {
    const step = waiting.shift()!;
    try {
      waiting.push(...(await deliverSlot(step, context, messenger)));
    } catch (thrown) {
      context.report({
        type: 'push-failed',
        process: step.process,
        slot: step.slot,
        reason: AoError.wrap(thrown).message,
      });
    }
  }
}

async function deliverSlot(
  { process, slot, pushedFor }: Step,
  context: Context,
  messenger: string | undefined,
): Promise<Step[]> {
  const definition = await Processes.of(context).definition(process, context);
  if (!definition) return [];
  if (roleDevice('execution', definition) !== 'genesis-wasm@1.0') {
    // A process of the other world pushes its results in its own form.
    const request = Message.of({ path: 'push', method: 'POST', slot: BigInt(slot) });
    await callDevice('process@1.0', 'push', definition.with({ device: 'process@1.0' }), request, context);
    return [];
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
  if (!result.Error) {
    await each('', result.Messages, source, context, next, sendMessage);
    await each('spawn-', result.Spawns, source, context, next, sendSpawn);
    await each('assign-', result.Assignments, source, context, next, sendAssignment);
  }
  await finishPush(process, slot, context);
  return next;
}

async function each<T>(
  prefix: string,
  entries: readonly T[] | undefined,
  source: Source,
  context: Context,
  next: Step[],
  send: (entry: T, key: string, source: Source, context: Context) => Promise<Step[]>,
): Promise<void> {
  if (!Array.isArray(entries)) return;
  for (const [index, entry] of (entries as readonly T[]).slice(0, MAX_ENTRIES).entries()) {
    const key = `${prefix}${index + 1}`;
    if (source.delivered.has(key)) continue;
    try {
      next.push(...(await send(entry, key, source, context)));
    } catch (thrown) {
      const { message: reason } = AoError.wrap(thrown);
      context.report({ type: 'push-failed', process: source.process, slot: source.slot, entry: key, reason });
    }
  }
}

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
  const taken = await makeItem({ ...content(entry), tags: own, target }, context);
  if (await isElsewhere(target, source, context)) return handOver(taken.item.toBytes(), key, source, context);
  // What is for a wallet is stored, to be found by its ID; there is nobody to evaluate it.
  if (!(await Processes.of(context).definition(target, context))) return [];
  const placed = await accept(taken, context, marking(key, source));
  return [follow(placed, taken, source)];
}

/** True for a process that another scheduler orders, or nobody here knows, where there is a messenger to tell. */
async function isElsewhere(target: string, { messenger }: Source, context: Context): Promise<boolean> {
  return messenger !== undefined && !(await Schedules.of(context).head(target, context))?.own;
}

/** Gives an item to the messenger unit, which has it scheduled and follows what comes of it. */
async function handOver(item: Uint8Array, key: string, source: Source, context: Context): Promise<Step[]> {
  await tellMessenger('/', item, source, context);
  source.delivered.set(key, -1);
  await context.store.write([pushWrite(source.process, source.slot, source.delivered)]);
  return [];
}

/** @throws AoError `messenger-refused` (502), those of the transport */
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
  if (response.status >= 400)
    throw new AoError('messenger-refused', `The messenger answered ${response.status}.`, {
      status: 502,
      detail: { messenger, status: response.status },
    });
}

function follow(placed: Placed, taken: Taken, source: Source): Step {
  return { process: placed.process, slot: placed.slot, pushedFor: source.pushedFor ?? taken.id };
}

async function sendSpawn(entry: UnitMessage, key: string, source: Source, context: Context): Promise<Step[]> {
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
  const taken = await makeItem({ ...content(entry), tags: [...own, ...protocol, ...origin] }, context);
  const steps: Step[] = [];
  const scheduler = own.find(({ name }) => name.toLowerCase() === 'scheduler')?.value;
  const elsewhere = source.messenger !== undefined && scheduler !== context.identity.address;
  if (elsewhere) await handOver(taken.item.toBytes(), key, source, context);
  else steps.push(follow(await accept(taken, context, marking(key, source)), taken, source));
  if (source.delivered.has(`${key}-told`)) return steps;
  const dropped = /^(?:data-protocol|variant|type)$/i;
  const told = await makeItem(
    {
      target: source.process,
      tags: [
        ...tagsOf(taken.item).filter(({ name }) => !dropped.test(name)),
        ...pairs({
          'Data-Protocol': 'ao',
          Type: 'Message',
          Process: taken.id,
          Action: 'Spawned',
          Variant: source.variant,
        }),
      ],
    },
    context,
  );
  if (await isElsewhere(source.process, source, context))
    await handOver(told.item.toBytes(), `${key}-told`, source, context);
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
  for (const target of targets as readonly string[]) {
    if (await isElsewhere(target, source, context)) {
      const query = new URLSearchParams({ 'process-id': target, assign: message });
      await tellMessenger(`/?${query}`, new Uint8Array(0), source, context);
      continue;
    }
    const { process, slot } = await assignForeign(target, message, context, marking(key, source));
    steps.push({ process, slot, ...(source.pushedFor === undefined ? {} : { pushedFor: source.pushedFor }) });
  }
  return steps;
}
