/**
 * A process as one file: its definition, its schedule, and the modules that it stands on. Nothing in a file is
 * believed: the definition, every assignment and every message are verified before anything is stored, what nobody
 * asked for is refused, and all of it is stored in one transaction or not at all. State is computed here anew, so an
 * import is a proof as well.
 */
import { AoError } from '../base/errors.ts';
import { Schedules } from '../device/schedules.ts';
import { readAssignments, readHead } from '../device/schedule-records.ts';
import { Message } from '../message/message.ts';
import { fromPlain, toPlain } from '../message/plain.ts';
import { isBinary, Link, type Value } from '../message/value.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import type { Write } from '../store/store.ts';
import { auditAssignment, auditDefinition, type AuditState } from '../verify/native-audit.ts';
import { jsonToPlain, plainToJson } from './plain-json.ts';
import { badFile, packLines, readLines, type FileRecord } from './process-lines.ts';
import { requireHead, type ViewKeys } from './view.ts';

/** An ID as text. */
const LONG_ID = /^[A-Za-z0-9_-]{43}$/;
const FORMAT = 'beamlet-process';
const VERSION = 1;
/** Assignments that are read at a time. */
const BATCH = 256;
/** Messages beside the schedule, and characters of what a person called the process. */
const MAX_MESSAGES = 1_000;
const MAX_NAME = 200;

interface Head {
  readonly format: string;
  readonly version: number;
  readonly process: string;
  readonly slots: number;
  /** Records of messages in the file; absent in older files. */
  readonly messages?: number;
  readonly name?: string;
  readonly kind?: string;
}

/** @throws AoError `no-process` (404) */
export async function exportProcess(id: string, context: NodeContext): Promise<Uint8Array> {
  const { name, kind, slot } = await requireHead(id, context);
  const lines: string[] = [];
  const [first] = await readAssignments(context.store, id, 0, 0);
  const definition = first?.assignment.message('body');
  for (const message of definition ? await needed(definition, context) : [])
    lines.push(JSON.stringify({ message: plainToJson(toPlain(message)) }));
  const head: Head = {
    format: FORMAT,
    version: VERSION,
    process: id,
    slots: slot + 1,
    messages: lines.length,
    ...(name ? { name } : {}),
    ...(kind ? { kind } : {}),
  };
  lines.unshift(JSON.stringify(head));
  for (let from = 0; from <= slot; from += BATCH) {
    const batch = await readAssignments(context.store, id, from, Math.min(slot, from + BATCH - 1));
    for (const { assignment } of batch)
      lines.push(JSON.stringify({ assignment: plainToJson(toPlain(assignment)) }));
  }
  return packLines(lines);
}

/** What a definition names by ID or link: modules, images. */
function namedBy(definition: Message): Set<string> {
  const out = new Set<string>();
  const visit = (value: Value): void => {
    if (value instanceof Link) out.add(value.id);
    else if (typeof value === 'string' && LONG_ID.test(value)) out.add(value);
    else if (value instanceof Message)
      for (const [key, item] of value) if (key !== 'commitments') visit(item);
    if (!isBinary(value) && Array.isArray(value)) for (const item of value) visit(item as Value);
  };
  visit(definition.without('scheduler', 'authority'));
  return out;
}

/** The same as far as the store has it, nested messages whole. */
async function needed(definition: Message, context: NodeContext): Promise<Value[]> {
  const out: Value[] = [];
  for (const id of namedBy(definition)) {
    const found = await context.cache.read(id);
    if (found === undefined) continue;
    const whole = await context.cache.loadAll(found);
    // A name that somebody gave it is not proven by its content, so nobody would take it from a file.
    if ((await context.cache.toWrite(whole)).names.includes(id)) out.push(whole);
  }
  return out;
}

/**
 * Verifies a file and stores what is in it, all or nothing.
 * @returns ID of the process
 * @throws AoError `bad-file` (422), `process-exists` (409), `audit-…` (422), `storage-full` (507)
 */
export async function importProcess(file: Uint8Array, context: NodeContext): Promise<string> {
  const { head, assignments, messages, audit } = await readFile(file, context);
  const definition = assignments[0]!.message('body')!;
  const schedules = Schedules.of(context);
  const view: ViewKeys = { level: 'audited', name: head.name ?? '', kind: head.kind ?? 'process' };
  const own = audit.schedulers.includes(context.identity.address);
  const writes = await contentWrites(definition, messages, context);
  await schedules.import(head.process, assignments, context, 'file', { head: { ...view, own }, writes });
  return head.process;
}

interface Contents {
  readonly head: Head;
  readonly assignments: readonly Message[];
  readonly messages: readonly Value[];
  readonly audit: AuditState;
}

async function readFile(file: Uint8Array, context: NodeContext): Promise<Contents> {
  let head: Head | undefined;
  let audit: AuditState | undefined;
  const assignments: Message[] = [];
  const messages: Value[] = [];
  for await (const record of readLines(file)) {
    if (!head) {
      head = checkHead(record);
      if (await readHead(context.store, head.process))
        throw new AoError('process-exists', 'This process is here already.', {
          status: 409,
          detail: { process: head.process },
        });
      continue;
    }
    const value = valueOf(record);
    if (record['assignment'] === undefined) {
      messages.push(value);
      if (messages.length > Math.min(head.messages ?? Infinity, MAX_MESSAGES))
        throw badFile('holds more messages than it should');
      continue;
    }
    if (!(value instanceof Message)) throw badFile('holds an assignment that is no message');
    const body = value.message('body');
    if (!audit) {
      if (!body) throw badFile('holds no definition');
      audit = await auditDefinition(head.process, body);
    }
    audit = (await auditAssignment(audit, value)).state;
    assignments.push(value);
    if (assignments.length > head.slots) throw badFile(`holds more than its ${head.slots} slots`);
  }
  if (!head || !audit) throw badFile('is no exported process');
  if (assignments.length !== head.slots) throw badFile(`holds ${assignments.length} of ${head.slots} slots`);
  if (head.messages !== undefined && messages.length !== head.messages)
    throw badFile(`holds ${messages.length} of ${head.messages} messages`);
  return { head, assignments, messages, audit };
}

function checkHead(record: FileRecord): Head {
  const { format, version, process, slots, messages, name, kind } = record;
  if (format !== FORMAT) throw badFile('is no exported process');
  if (version !== VERSION) throw badFile(`has version ${String(version)}, which this node does not read`);
  const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isName = (value: unknown) =>
    value === undefined || (typeof value === 'string' && value.length <= MAX_NAME);
  if (typeof process !== 'string' || !LONG_ID.test(process) || !isCount(slots) || slots === 0)
    throw badFile('does not say of which process it is');
  if ((messages !== undefined && !isCount(messages)) || !isName(name) || !isName(kind))
    throw badFile('has a damaged first line');
  return record as unknown as Head;
}

/** @throws AoError `bad-file` (422) */
function valueOf(record: FileRecord): Value {
  const { assignment, message } = record;
  if ((assignment === undefined) === (message === undefined))
    throw badFile('holds a record of no known kind');
  try {
    return fromPlain(jsonToPlain(assignment ?? message));
  } catch (thrown) {
    if (thrown instanceof AoError && thrown.code === 'bad-file') throw thrown;
    throw badFile('holds a value of no known form');
  }
}

/** Content is stored under the IDs that it has, whatever the file may call it, and only if the definition names it. */
async function contentWrites(
  definition: Message,
  messages: readonly Value[],
  context: NodeContext,
): Promise<Write[]> {
  const named = namedBy(definition);
  const { writes } = await context.cache.toWrite(definition);
  for (const message of messages) {
    const content = await context.cache.toWrite(message);
    if (!content.names.some((name) => named.delete(name)))
      throw badFile('holds a message that the process does not name, or one twice');
    writes.push(...content.writes);
  }
  return writes;
}
