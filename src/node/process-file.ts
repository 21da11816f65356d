/**
 * A process as one file: its definition, its schedule, and the modules that it stands on. Nothing in a file is
 * believed: the definition, every assignment and every message are verified before anything is stored, and state
 * is computed here anew, so an import is a proof as well. Gzip over lines of JSON, each a record.
 */
import { fromBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Schedules } from '../device/schedules.ts';
import { readAssignments, readHead, headWrite } from '../device/schedule-records.ts';
import { Processes } from '../device/processes.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain } from '../message/plain.ts';
import { isBinary, Link, type Value } from '../message/value.ts';
import type { StorageReport } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { SnapshotStore } from '../store/snapshots.ts';
import type { Write } from '../store/store.ts';
import { auditAssignment, auditDefinition } from '../verify/native-audit.ts';
import { jsonToPlain, plainToJson } from './plain-json.ts';
import { requireHead, type ViewKeys } from './view.ts';

/** An ID as text. */
const LONG_ID = /^[A-Za-z0-9_-]{43}$/;
const FORMAT = 'beamlet-process';
const VERSION = 1;
/** Largest file that is read, unpacked, in bytes. */
const MAX_BYTES = 1024 * 1024 * 1024;
/** Assignments that are read or written at a time. */
const BATCH = 256;

interface Head {
  format: string;
  version: number;
  process: string;
  slots: number;
  name?: string;
  kind?: string;
}

/** @throws AoError `no-process` (404) */
export async function exportProcess(id: string, context: NodeContext): Promise<Uint8Array> {
  const head = await requireHead(id, context);
  const lines: string[] = [];
  const { name, kind } = head;
  const first: Head = { format: FORMAT, version: VERSION, process: id, slots: head.slot + 1 };
  lines.push(JSON.stringify({ ...first, ...(name ? { name } : {}), ...(kind ? { kind } : {}) }));
  for (let from = 0; from <= head.slot; from += BATCH) {
    const batch = await readAssignments(context.store, id, from, Math.min(head.slot, from + BATCH - 1));
    if (from === 0)
      for (const message of await needed(batch[0]?.assignment.message('body'), context))
        lines.push(JSON.stringify({ message: plainToJson(toPlain(message)) }));
    for (const { assignment } of batch)
      lines.push(JSON.stringify({ assignment: plainToJson(toPlain(assignment)) }));
  }
  return pack(lines);
}

/** What the definition names by ID or link and the store has: modules, images. */
async function needed(definition: Message | undefined, context: NodeContext): Promise<Value[]> {
  const out: Value[] = [];
  const visit = async (value: Value): Promise<void> => {
    if (value instanceof Link) return visitId(value.id);
    if (isBinary(value)) return typeof value === 'string' && LONG_ID.test(value) ? visitId(value) : undefined;
    if (value instanceof Message)
      for (const [key, item] of value) if (key !== 'commitments') await visit(item);
    if (Array.isArray(value)) for (const item of value) await visit(item as Value);
  };
  const visitId = async (id: string) => {
    const found = await context.cache.read(id);
    if (found !== undefined) out.push(await context.cache.loadAll(found));
  };
  if (definition) await visit(definition.without('scheduler', 'authority'));
  return out;
}

/**
 * Verifies a file and stores what is in it.
 * @returns ID of the process
 * @throws AoError `bad-file` (422), `process-exists` (409), `audit-…` (422)
 */
export async function importProcess(file: Uint8Array, context: NodeContext): Promise<string> {
  const lines = (await unpack(file)).split('\n').filter((line) => line !== '');
  const head = parse(lines[0]) as unknown as Head;
  if (head.format !== FORMAT) throw bad('is no exported process');
  if (head.version !== VERSION)
    throw bad(`has version ${String(head.version)}, which this node does not read`);
  if (await readHead(context.store, head.process))
    throw new AoError('process-exists', 'This process is here already.', {
      status: 409,
      detail: { process: head.process },
    });

  const assignments: Message[] = [];
  const messages: Value[] = [];
  for (const line of lines.slice(1)) {
    const record = parse(line);
    const value = fromPlain(jsonToPlain(record['assignment'] ?? record['message']));
    if (record['assignment'] === undefined) messages.push(value);
    else if (value instanceof Message) assignments.push(value);
    else throw bad('holds an assignment that is no message');
  }
  if (assignments.length !== head.slots) throw bad(`holds ${assignments.length} of ${head.slots} slots`);
  const definition = assignments[0]?.message('body');
  if (!definition) throw bad('holds no definition');
  let state = await auditDefinition(head.process, definition);
  for (const assignment of assignments) state = (await auditAssignment(state, assignment)).state;

  // Content is stored under the IDs that it has, whatever the file may call it.
  for (const message of messages) await context.cache.write(message);
  await context.cache.write(definition);
  const schedules = Schedules.of(context);
  for (let at = 0; at < assignments.length; at += BATCH)
    await schedules.import(head.process, assignments.slice(at, at + BATCH), context, 'file');
  const own = state.schedulers.includes(context.identity.address);
  const view: ViewKeys = {
    level: 'audited',
    name: String(head.name ?? ''),
    kind: String(head.kind ?? 'process'),
  };
  const stored = await readHead(context.store, head.process);
  if (stored)
    await context.store.write([headWrite(head.process, { ...stored, ...view, own })], { durable: true });
  schedules.forget(head.process);
  return head.process;
}

/** Removes a process with all that is its alone. @throws AoError `no-process` (404) */
export async function removeProcess(id: string, context: NodeContext): Promise<void> {
  await requireHead(id, context);
  await Processes.of(context).forget(id, context);
  const { store } = context;
  const range = { from: [id, -1] as const, to: [id, Infinity] as const };
  const writes: Write[] = [{ table: 'processes', key: id }];
  for (const table of ['assignments', 'slots', 'snapshots'] as const)
    for (const key of await store.keys(table, range)) writes.push({ table, key });
  await store.write(writes, { durable: true });
  await SnapshotStore.of(store).sweep();
}

export async function storageReport(context: NodeContext): Promise<StorageReport> {
  const { store } = context;
  const estimate = (await globalThis.navigator?.storage?.estimate?.()) ?? {};
  const snapshots = SnapshotStore.of(store);
  const processes = [];
  for (const key of await store.keys('processes')) {
    const id = String(key);
    const head = (await readHead(store, id)) as ({ slot: number } & ViewKeys) | undefined;
    const { own, named } = await snapshots.usage(id);
    processes.push({
      id,
      name: head?.name ?? '',
      bytes: own,
      pages: named / 65536,
      slots: (head?.slot ?? -1) + 1,
    });
  }
  return {
    usage: estimate.usage ?? 0,
    quota: estimate.quota ?? 0,
    persisted: (await globalThis.navigator?.storage?.persisted?.()) ?? false,
    processes,
  };
}

function parse(line: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line ?? '');
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw bad('is damaged');
}

function bad(what: string): AoError {
  return new AoError('bad-file', `The file ${what}.`, { status: 422 });
}

async function pack(lines: readonly string[]): Promise<Uint8Array> {
  const stream = new Blob(lines.map((line) => toBytes(`${line}\n`))).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

async function unpack(file: Uint8Array): Promise<string> {
  const stream = new Blob([file as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for await (const part of stream as unknown as AsyncIterable<Uint8Array<ArrayBuffer>>) {
      size += part.length;
      if (size > MAX_BYTES) throw bad('is larger than this node reads');
      parts.push(part);
    }
  } catch (thrown) {
    if (thrown instanceof AoError) throw thrown;
    throw bad('is damaged: it does not unpack');
  }
  return fromBytes(new Uint8Array(await new Blob(parts).arrayBuffer()));
}
