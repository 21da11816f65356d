/** Processes and slots as a page shows them, read from what the node has stored. */
import { AoError } from '../base/errors.ts';
import { fromBytes } from '../base/bytes.ts';
import { committers } from '../commitment/select.ts';
import { messageId } from '../commitment/id.ts';
import { readAssignments, readHead, type ScheduleHead } from '../device/schedule-records.ts';
import { newestSlot, readRecords, readState, type SlotRecord } from '../device/slot-records.ts';
import { Message } from '../message/message.ts';
import { iterationOrder } from '../message/order.ts';
import { isBinary, type Value } from '../message/value.ts';
import type {
  Level,
  OutboxEntry,
  ProcessSummary,
  SlotDetail,
  SlotResult,
  SlotSummary,
} from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { toTree } from './tree.ts';

/** Keys that this view keeps in a schedule's head, beside the scheduler's own. */
export interface ViewKeys {
  name?: string;
  kind?: string;
  level?: Level;
  trouble?: string;
}

const MAX_SLOTS = 500;

export async function requireHead(id: string, context: NodeContext): Promise<ScheduleHead & ViewKeys> {
  const head = await readHead(context.store, id);
  if (!head) throw new AoError('no-process', `There is no process ${id} on this node.`, { status: 404 });
  return head;
}

export async function summary(id: string, context: NodeContext): Promise<ProcessSummary> {
  const head = await requireHead(id, context);
  const computed = await newestSlot(context.store, id);
  const records = await readRecords(context.store, id, computed, computed);
  const record = records.get(computed);
  const defined = head.name && head.kind ? undefined : await context.cache.read(id);
  const definition = defined instanceof Message ? defined : Message.empty;
  return {
    id,
    name: head.name ?? textOf(definition.get('name')) ?? '',
    kind: head.kind ?? kindOf(definition),
    slot: head.slot,
    computed,
    own: head.own,
    level: head.level ?? (head.own ? 'replayed' : 'claimed'),
    lastActivity: Math.max(head.timestamp, record?.at ?? 0, head.created),
    ...(head.trouble ? { trouble: head.trouble } : {}),
  };
}

/** What runs a process, in a word, where nobody noted it when it was made. */
function kindOf(definition: Message): string {
  const device = textOf(definition.get('execution-device')) ?? '';
  if (device.startsWith('lua')) return 'lua';
  if (device.startsWith('stack')) return 'wasm64';
  if (device.startsWith('genesis-wasm') || textOf(definition.get('variant')) === 'ao.TN.1')
    return 'legacynet';
  return 'process';
}

function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (!isBinary(value)) return undefined;
  return typeof value === 'string' ? value : fromBytes(value);
}

/** Newest first, below `before`. */
export async function slotSummaries(
  id: string,
  range: { before?: number; limit?: number },
  context: NodeContext,
): Promise<SlotSummary[]> {
  const head = await requireHead(id, context);
  const to = Math.min(head.slot, (range.before ?? Infinity) - 1);
  const from = Math.max(0, to - Math.min(range.limit ?? 50, MAX_SLOTS) + 1);
  const assignments = await readAssignments(context.store, id, from, to);
  const records = await readRecords(context.store, id, from, to);
  return assignments
    .map(({ slot, assignment }) => slotSummary(slot, assignment, records.get(slot)))
    .reverse();
}

function slotSummary(slot: number, assignment: Message, record: SlotRecord | undefined): SlotSummary {
  const body = assignment.message('body') ?? Message.empty;
  return {
    slot,
    id: messageId(body, 'signed'),
    action: textOf(body.get('action')) ?? textOf(body.get('Action')) ?? textOf(body.get('type')) ?? '',
    from: textOf(body.get('from-process')) ?? committers(body)[0] ?? '',
    timestamp: Number(textOf(assignment.get('timestamp')) ?? 0),
    computed: record !== undefined,
    ...(record ? { ok: !record.failed, took: record.took } : {}),
  };
}

/** @throws AoError `no-slot` (404) */
export async function slotDetail(id: string, slot: number, context: NodeContext): Promise<SlotDetail> {
  const [found] = await readAssignments(context.store, id, slot, slot);
  if (!found)
    throw new AoError('no-slot', `Slot ${slot} is not scheduled yet.`, { status: 404, detail: { slot } });
  const stored = await readState(context.store, id, slot);
  const body = found.assignment.message('body') ?? Message.empty;
  const results = stored?.state.get('results');
  return {
    ...slotSummary(slot, found.assignment, stored?.record),
    message: toTree('message', body, 3),
    assignment: toTree('assignment', found.assignment.without('body'), 3),
    ...(stored ? { result: slotResult(slot, results, stored.record) } : {}),
    ...(results === undefined ? {} : { resultTree: toTree('results', results, 4) }),
  };
}

/** Results of any execution device in the one shape that a prompt shows. */
export function slotResult(
  slot: number,
  results: Value | undefined,
  record: SlotRecord | undefined,
): SlotResult {
  const message = results instanceof Message ? results : Message.empty;
  const raw = rawOutput(message);
  const output = message.message('output');
  const data =
    raw?.data ??
    textOf(output?.get('data')) ??
    dataText(message.get('data')) ??
    textOf(message.get('output'));
  const prompt =
    raw?.prompt ?? textOf(output?.get('prompt')) ?? textOf(message.message('data')?.get('prompt'));
  const error = raw?.error ?? textOf(message.get('error'));
  const printed = record?.printed;
  return {
    slot,
    ok: !(record?.failed ?? false) && error === undefined,
    output: data ?? '',
    ...(prompt === undefined ? {} : { prompt }),
    ...(error === undefined ? {} : { error }),
    logs: printed ? printed.split('\n').filter((line) => line !== '') : [],
    outbox: outboxEntries(message.get('outbox')),
    ...(record ? { took: record.took } : {}),
    ...(record?.divergence?.length ? { divergence: [...record.divergence] } : {}),
  };
}

function dataText(value: Value | undefined): string | undefined {
  if (value instanceof Message) return textOf(value.get('output')) ?? textOf(value.get('data'));
  return textOf(value);
}

/** What a legacynet evaluation answered, word for word: its prompt stands nowhere else. */
function rawOutput(results: Message): { data?: string; prompt?: string; error?: string } | undefined {
  const text = results.message('json')?.text('body');
  if (text === undefined) return undefined;
  let reply: Record<string, unknown>;
  try {
    reply = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const output = reply['Output'] as Record<string, unknown> | string | undefined;
  const show = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const parts: { data?: string; prompt?: string; error?: string } = {};
  if (typeof output === 'string') parts.data = output;
  else if (output && typeof output === 'object') {
    const inner = output['data'];
    const nested = inner && typeof inner === 'object' ? (inner as Record<string, unknown>) : undefined;
    if (inner !== undefined) parts.data = show(nested?.['output'] ?? inner);
    const prompt = output['prompt'] ?? nested?.['prompt'];
    if (typeof prompt === 'string') parts.prompt = prompt;
  }
  if (reply['Error']) parts.error = show(reply['Error']);
  return parts;
}

function outboxEntries(outbox: Value | undefined): OutboxEntry[] {
  if (!(outbox instanceof Message)) return [];
  return iterationOrder([...outbox.keys()]).map((key) => {
    const entry = outbox.get(key)!;
    const message = entry instanceof Message ? entry : Message.empty;
    const either = (name: string, title: string) => textOf(message.get(name)) ?? textOf(message.get(title));
    const target = either('target', 'Target');
    const action = either('action', 'Action');
    return {
      key,
      ...(target === undefined ? {} : { target }),
      ...(action === undefined ? {} : { action }),
      tree: toTree(key, entry, 3),
    };
  });
}
