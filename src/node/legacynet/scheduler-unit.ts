/** The routes of a scheduler unit (process.md §5.1), over the schedules that this node keeps. */
import { AoError } from '../../base/errors.ts';
import { signedId } from '../../device/message-id.ts';
import { Processes } from '../../device/processes.ts';
import { currentBlock, Schedules } from '../../device/schedules.ts';
import { integerOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import { accept, assignForeign } from './accept.ts';
import { blockHeight, legacySlots, type LegacySlot } from './assignments.ts';
import { itemJson, messageJson, takeItem, type ItemJson } from './items.ts';
import { slotOf } from './message-slots.ts';
import { idIn, isAssign, notFound, numberIn, type UnitAnswer, type UnitRequest } from './unit-http.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

interface Node {
  readonly message: ItemJson | null;
  readonly assignment: ItemJson;
}

export async function schedulerUnit(request: UnitRequest, context: Context): Promise<UnitAnswer> {
  const { method, path, query } = request;
  const [first, second] = path;
  if (method === 'POST') return post(request, context);
  if (method !== 'GET' && method !== 'HEAD')
    throw new AoError('bad-method', 'A scheduler unit takes GET and POST.', { status: 405 });
  if (first === undefined)
    return { body: { timestamp: context.clock.now(), address: context.identity.address } };
  if (first === 'timestamp')
    return {
      body: {
        timestamp: String(context.clock.now()),
        block_height: blockHeight(Number(currentBlock(context).height)),
      },
    };
  if (first === 'processes' && second !== undefined) return processRecord(second, context);
  const process = query.has('process-id') ? idIn(query, 'process-id') : first;
  const head = await Schedules.of(context).head(process, context);
  if (!head) throw notFound(`There is no schedule of ${process} here.`);
  if (second === 'latest') return { body: await nodeAt(process, head.slot, context) };
  if (first === process) return { body: await page(process, head.slot, query, context) };
  const slot = await slotOf(process, first, context);
  if (slot === undefined) throw notFound(`The message ${first} is not in the schedule of ${process}.`);
  return { body: await nodeAt(process, slot, context) };
}

async function post({ query, http }: UnitRequest, context: Context): Promise<UnitAnswer> {
  if (isAssign(query)) {
    const id = idIn(query, 'assign');
    const { timestamp } = await assignForeign(idIn(query, 'process-id'), id, context);
    return { body: { timestamp, id } };
  }
  const taken = await takeItem(http.body, context);
  const { timestamp } = await accept(taken, context);
  return { body: { timestamp, id: taken.id } };
}

async function nodeOf(process: string, { assignment, item }: LegacySlot, context: Context): Promise<Node> {
  let body = assignment.get('body');
  if (body !== undefined && !(body instanceof Message)) body = await context.cache.load(body);
  if (!(body instanceof Message)) return { message: null, assignment: itemJson(item, false) };
  const own = body.text('target') === process || (await signedId(body, context)) === process;
  // A message that was sent to another process is named, not shown: readers get it from a gateway.
  const foreign = !own && body.has('target');
  return {
    message: foreign ? null : await messageJson(body, context),
    assignment: itemJson(item, false),
  };
}

async function nodeAt(process: string, slot: number, context: Context): Promise<Node> {
  const [found] = await legacySlots(process, slot, slot, context);
  if (!found) throw notFound(`There is no slot ${slot}.`);
  return nodeOf(process, found, context);
}

/** `from` is exclusive, `to` inclusive: milliseconds, or nonces where one is named so. */
async function page(process: string, head: number, query: URLSearchParams, context: Context) {
  const byNonce = query.has('from-nonce') || query.has('to-nonce');
  const limit = Math.min(Math.max(numberIn(query, 'limit') ?? DEFAULT_LIMIT, 1), MAX_LIMIT);
  let start: number;
  let end: number;
  if (byNonce) {
    start = (numberIn(query, 'from-nonce') ?? -1) + 1;
    end = numberIn(query, 'to-nonce') ?? head;
  } else {
    const from = numberIn(query, 'from');
    const to = numberIn(query, 'to');
    start = from === undefined ? 0 : await firstAfter(process, from, head, context);
    // The process itself is shown on the first page alone.
    if (from !== undefined && start === 0 && (await hasOwnSlot(process, context))) start = 1;
    end = to === undefined ? head : (await firstAfter(process, to, head, context)) - 1;
  }
  const last = Math.min(end, head, start + limit - 1);
  const found = last < start ? [] : await legacySlots(process, Math.max(0, start), last, context);
  const edges = [];
  for (const one of found) {
    const cursor = byNonce ? one.slot : (integerOf(one.assignment.get('timestamp')) ?? 0);
    edges.push({ node: await nodeOf(process, one, context), cursor: String(cursor) });
  }
  return { page_info: { has_next_page: last < Math.min(end, head) }, edges };
}

/** False for a process that was made before its scheduler gave processes a slot. */
async function hasOwnSlot(process: string, context: Context): Promise<boolean> {
  const [first] = await Schedules.of(context).read(process, 0, 0, context);
  const body = first?.assignment.get('body');
  return body instanceof Message && (await signedId(body, context)) === process;
}

/** First slot whose timestamp is later; timestamps of a schedule never fall. */
async function firstAfter(
  process: string,
  timestamp: number,
  head: number,
  context: Context,
): Promise<number> {
  let low = 0;
  let high = head + 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const [found] = await Schedules.of(context).read(process, middle, middle, context);
    if ((integerOf(found?.assignment.get('timestamp')) ?? 0) > timestamp) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function processRecord(process: string, context: Context): Promise<UnitAnswer> {
  const definition = await Processes.of(context).definition(process, context);
  if (!definition) throw notFound(`The process ${process} is not here.`);
  const { owner, tags, data, anchor, signature, target } = await messageJson(definition, context);
  const [first] = await Schedules.of(context).read(process, 0, 0, context);
  const number = (key: string) => integerOf(first?.assignment.get(key)) ?? 0;
  const born = first?.assignment.has('process-timestamp') ? 'process-' : '';
  return {
    body: {
      process_id: process,
      block: blockHeight(number(born ? 'process-height' : 'block-height')),
      owner,
      tags,
      timestamp: number(`${born}timestamp`),
      data,
      anchor,
      signature,
      target,
    },
  };
}
