/** Results of slots in the JSON of a compute unit (process.md §5.2). */
import { AoError } from '../../base/errors.ts';
import { writeJson } from '../../codec/json-text.ts';
import { Processes } from '../../device/processes.ts';
import type { LiveProcess } from '../../device/process-live.ts';
import { itemsOf, readKey, readPath, textOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import { binaryBytes, isBinary, type Value } from '../../message/value.ts';
import type { Context } from '../../resolver/context.ts';
import type { NamedTag } from './items.ts';
import { notFound } from './unit-http.ts';

export interface UnitMessage {
  readonly Target?: string;
  readonly Anchor?: string;
  readonly Data?: string;
  readonly Tags?: readonly NamedTag[];
}

export interface UnitAssignment {
  readonly Processes?: readonly string[];
  readonly Message?: string;
}

/** What a compute unit answers for a message. */
export interface UnitResult {
  readonly Output?: unknown;
  readonly Messages?: readonly UnitMessage[];
  readonly Spawns?: readonly UnitMessage[];
  readonly Assignments?: readonly UnitAssignment[];
  readonly Error?: unknown;
  readonly GasUsed?: number;
}

/** @throws AoError `not-found` (404) */
export async function liveProcess(process: string, context: Context): Promise<LiveProcess> {
  const live = await Processes.of(context).find(process, context);
  if (!live) throw notFound(`The process ${process} is not here.`);
  return live;
}

/** The result of a slot, computing up to it. @throws AoError `not-found` (404) and those of computing */
export async function resultOf(process: string, slot: number, context: Context): Promise<UnitResult> {
  const live = await liveProcess(process, context);
  const { status, value } = await live.compute(slot, context);
  if (status !== 'ok' || !(value instanceof Message)) throw computeFailed(slot, value);
  return unitResult(await readKey(value, 'results', context), context);
}

function computeFailed(slot: number, value: Value): AoError {
  const message = value instanceof Message ? value : Message.empty;
  const said = message.text('body') ?? message.text('error') ?? message.text('reason') ?? textOf(value);
  return new AoError('not-computed', `Slot ${slot} cannot be computed: ${said ?? 'no reason was given'}.`, {
    status: 500,
  });
}

/** Results of legacynet evaluations as they were answered; of a native process, put together from what it left. */
export async function unitResult(results: Value | undefined, context: Context): Promise<UnitResult> {
  const reply = await readPath(results, 'json/body', context);
  if (isBinary(reply)) {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(binaryBytes(reply)));
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  }
  const loaded = await context.cache.loadAll(results ?? Message.empty);
  const message = loaded instanceof Message ? loaded : Message.empty;
  const data = message.get('data') ?? message.get('output') ?? '';
  const outbox = message.get('outbox');
  const entries = outbox instanceof Message ? [...outbox].map(([, entry]) => entry) : (itemsOf(outbox) ?? []);
  return {
    Output: { data: isBinary(data) ? text(data) : (JSON.parse(writeJson(data)) as unknown) },
    Messages: entries.flatMap((entry) => (entry instanceof Message ? [unitMessage(entry)] : [])),
    Spawns: [],
    Assignments: [],
  };
}

function unitMessage(entry: Message): UnitMessage {
  const out: { Target?: string; Anchor?: string; Data?: string; Tags: NamedTag[] } = { Tags: [] };
  for (const [key, value] of entry) {
    const shown = isBinary(value) ? text(value) : textOf(value);
    const name = key.toLowerCase();
    if (shown === undefined || name === 'commitments') continue;
    if (name === 'target') out.Target = shown;
    else if (name === 'anchor') out.Anchor = shown;
    else if (name === 'data') out.Data = shown;
    else out.Tags.push({ name: key, value: shown });
  }
  return out;
}

function text(value: string | Uint8Array): string {
  return new TextDecoder().decode(binaryBytes(value));
}
