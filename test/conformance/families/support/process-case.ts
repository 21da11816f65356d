/**
 * Recorded processes (vectors README, process-*): their wires are decoded and verified, their schedule is audited
 * and imported as if fetched, and what this node computes is compared slot by slot and read by read.
 */
import { fromBase64 } from '../../../../src/base/bytes.ts';
import { AoError } from '../../../../src/base/errors.ts';
import {
  commitmentsOf,
  committedKeys,
  withoutCommitments as dropCommitments,
} from '../../../../src/commitment/commitment.ts';
import { decodeHttpMessage, httpForm } from '../../../../src/commitment/http.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import { committers, withOnlyCommitted } from '../../../../src/commitment/select.ts';
import { verifyMessage } from '../../../../src/commitment/verify.ts';
import { assignmentsOf, withAssignedBodies } from '../../../../src/device/remote-schedule.ts';
import { Schedules } from '../../../../src/device/schedules.ts';
import { startWasm } from '../../../../src/engine/wasm-engine.ts';
import { Message } from '../../../../src/message/message.ts';
import type { Value } from '../../../../src/message/value.ts';
import { handle } from '../../../../src/node/http.ts';
import { toSingleton } from '../../../../src/node/http/request.ts';
import type { Engines } from '../../../../src/resolver/context.ts';
import type { NodeContext } from '../../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../../src/resolver/reply.ts';
import { auditAssignment, auditDefinition } from '../../../../src/verify/native-audit.ts';
import { check, checkJson, Mismatch, type Environment, type Json } from '../../family.ts';
import {
  expectResponse,
  toRequest,
  withoutCommitments,
  type RecordedRequest,
  type RecordedResponse,
} from '../../http.ts';
import { testNode, type NodeOptions } from '../../node.ts';
import { expectValue, toMessage, toValue } from '../../value.ts';
import { startLuaHere } from './lua-engine.ts';

export interface Preloaded {
  id: string;
  message?: Json;
  file?: string;
  sha256?: string;
}

export interface RecordedMessage {
  wire: RecordedRequest;
  status: number;
  id: string;
  slot?: number;
  message?: Json;
}

export interface RecordedSlot {
  slot: number;
  status: number;
  results?: Json;
  state?: Json;
  error?: Json;
  'internal-error'?: boolean;
}

export interface RecordedSchedule {
  path: string;
  headers: Record<string, string>;
  response: { status: number; headers: Record<string, string>; body: string };
}

export interface ProcessCase {
  preload: Preloaded[];
  node: string;
  owner: string;
  process: Json;
  'process-id': string;
  'process-wire': RecordedRequest;
  'process-status': number;
  messages: RecordedMessage[];
  schedule: RecordedSchedule;
  'schedule-aos2'?: {
    headers: Record<string, string>;
    response: { json: string; status: number; 'content-type': string };
  };
  slots: RecordedSlot[];
  reads?: (RecordedRequest & { response: RecordedResponse })[];
}

const signed = (value: Value) => messageId(value, 'signed');

/** Machines in this worker: the engines themselves, without the ports of process workers. */
export const enginesHere: Engines = {
  startWasm: (start) => startWasm(start),
  startLua: startLuaHere,
};

export async function processNode(
  data: { preload: Preloaded[] },
  env: Environment,
  options: NodeOptions = {},
): Promise<NodeContext> {
  const context = await testNode({
    ...options,
    capabilities: { engines: enginesHere, ...options.capabilities },
  });
  for (const { id, message, sha256 } of data.preload) {
    const value = message === undefined ? Message.of({ body: await env.module(sha256!) }) : toValue(message);
    check(id, signed(value), 'preload id');
    await context.cache.write(value);
  }
  return context;
}

/** The message that a recorded request carries: in its body, or the request itself. */
export async function messageOfWire(wire: RecordedRequest, context: NodeContext): Promise<Message> {
  const singleton = await toSingleton(toRequest(wire), context);
  const body = singleton.get('body');
  return withOnlyCommitted(body instanceof Message ? body : singleton);
}

async function isRefused(wire: RecordedRequest, context: NodeContext): Promise<boolean> {
  try {
    const message = await messageOfWire(wire, context);
    return committers(message).length === 0 || !(await verifyMessage(message));
  } catch (thrown) {
    if (thrown instanceof AoError) return true;
    throw thrown;
  }
}

/** Definition and messages as they were posted: verified, with their IDs, those that were refused refused. */
export async function checkWires(data: ProcessCase, context: NodeContext): Promise<void> {
  const process = await messageOfWire(data['process-wire'], context);
  check(data['process-id'], signed(process), 'process-id');
  // Only a definition that was accepted has a schedule.
  check(200, data['process-status'], 'process-status');
  check(data.owner, committers(process).join(), 'owner');
  check(true, await verifyMessage(process), 'process verifies');
  await expectMessage(data.process, process, 'process');
  for (const [index, { wire, status, id, message }] of data.messages.entries()) {
    const where = `messages/${index}`;
    if (status >= 400) {
      check(400, status, `${where} recorded status`);
      check(true, await isRefused(wire, context), `${where} refused`);
      continue;
    }
    check(200, status, `${where} status`);
    const delivered = await messageOfWire(wire, context);
    check(true, await verifyMessage(delivered), `${where} verifies with all that came`);
    const decoded = message === undefined ? delivered : onlyRecorded(message, delivered);
    check(id, signed(decoded), `${where} id`);
    check(true, await verifyMessage(decoded), `${where} verifies`);
    if (message !== undefined) await expectMessage(message, decoded, where);
  }
}

/**
 * The message without signatures that the record does not have: a wire may deliver more of them, joined to equal
 * messages by the store of the one who sent it.
 */
function onlyRecorded(message: Json, decoded: Message): Message {
  const recorded = commitmentsOf(toMessage(message));
  return dropCommitments(decoded, (id) => !recorded.has(id));
}

/** The keys that a commitment covers are compared as a set: a wire may name one twice, in an order of its own. */
export async function expectMessage(message: Json, decoded: Message, where: string): Promise<void> {
  const ignore = (path: readonly string[]) => path[0] === 'commitments' && path[2] === 'committed';
  await expectValue(message, decoded, { where, id: signed, ignore });
  const wanted = commitmentsOf(toMessage(message));
  const keys = (commitment: Message) => [...new Set(committedKeys(commitment))].sort();
  for (const [id, commitment] of commitmentsOf(decoded))
    checkJson(keys(wanted.get(id)!), keys(commitment), `${where}/${id}/committed`);
}

/**
 * The assignments of a recorded schedule, audited: the node has signed them, and they are of these messages.
 * `messages`: IDs by slot, where they are known.
 */
export async function auditSchedule(
  id: string,
  node: string,
  { response }: RecordedSchedule,
  messages: ReadonlyMap<number, string>,
): Promise<Message[]> {
  const reply = decodeHttpMessage(httpForm(Object.entries(response.headers), fromBase64(response.body)));
  const delivered = assignmentsOf(reply);
  const assignments = withAssignedBodies(delivered);
  // A reply whose messages had signatures joined to them is no longer what its node signed.
  if (assignments.every((assignment, index) => assignment === delivered[index]))
    check(true, await verifyMessage(reply), 'schedule verifies');
  const definition = assignments[0]?.get('body');
  if (!(definition instanceof Message)) throw new Mismatch('a definition at slot 0', 'none', 'schedule');
  check(200, response.status, 'schedule status');
  let state = await auditDefinition(id, definition);
  for (const assignment of assignments) {
    const next = await auditAssignment(state, assignment);
    const { slot, id: chained, body, scheduler } = next.audited;
    check(node, scheduler, `schedule/${slot} scheduler`);
    const wanted = messages.get(slot);
    // A message may have come with more signatures than the record shows: then one of them is the record's.
    if (wanted !== undefined && !commitmentsOf(body).has(wanted))
      check(wanted, chained, `schedule/${slot} message`);
    state = next.state;
  }
  return delivered;
}

/** The recorded schedule, audited and imported. */
export async function importSchedule(data: ProcessCase, context: NodeContext): Promise<Message[]> {
  const id = data['process-id'];
  const messages = new Map([[0, id]]);
  for (const { slot, id: message } of data.messages) if (slot !== undefined) messages.set(slot, message);
  const delivered = await auditSchedule(id, data.node, data.schedule, messages);
  check(messages.size, delivered.length, 'schedule length');
  for (const slot of messages.keys())
    if (!(slot in delivered)) throw new Mismatch(`slot ${slot}`, `${delivered.length} slots`, 'schedule');
  for (const assignment of delivered) {
    const body = assignment.get('body');
    if (body instanceof Message) await context.cache.write(body);
  }
  // As it came: a program sees all signatures of a message.
  await Schedules.of(context).import(id, delivered, context);
  return delivered;
}

const BUNDLED = { 'accept-bundle': 'true', host: 'localhost' };
const TRANSPORT = [
  'status',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
];
/** Not recorded with a state. */
const NOT_STATE = [...TRANSPORT, 'results', 'process', 'module', 'image', 'ao-result', 'content-type'];

export async function ask(path: string, context: NodeContext, headers: Record<string, string> = BUNDLED) {
  const request = toRequest({ method: 'GET', path, headers });
  return handle(request, context);
}

/** One slot as the node answers it over HTTP, compared with the record. */
export async function checkSlot(id: string, recorded: RecordedSlot, context: NodeContext): Promise<void> {
  const where = `slots/${recorded.slot}`;
  const got = await ask(`/${id}~process@1.0/compute&slot=${recorded.slot}`, context);
  if (recorded['internal-error']) {
    check(500, recorded.status, `${where} recorded status`);
    if (got.status < 400) throw new Mismatch('a refusal', got.status, where);
    return;
  }
  const reply = withoutCommitments(decodeReply(got));
  if (got.status !== recorded.status)
    throw new Mismatch(recorded.status, `${got.status} ${reply.text('body') ?? ''}`, `${where} status`);
  if (recorded.error !== undefined) {
    for (const [key, value] of Object.entries(recorded.error as Record<string, Json>))
      await expectValue(value, reply.get(key), { where: `${where}/error/${key}`, tables: true });
    return;
  }
  const comparison = { id: signed, tables: true };
  // A slot that ended before anything was computed has no results: recorded as what a lookup finds.
  if (isNotFound(recorded.results)) check(false, reply.has('results'), `${where}/results`);
  else
    await expectValue(recorded.results!, reply.get('results'), { ...comparison, where: `${where}/results` });
  const state = reply.without(...NOT_STATE);
  await expectValue(recorded.state!, state, { ...comparison, where: `${where}/state` });
}

function isNotFound(json: Json | undefined): boolean {
  return typeof json === 'object' && json !== null && !Array.isArray(json) && json['$atom'] === 'not_found';
}

export async function checkReads(data: ProcessCase, context: NodeContext): Promise<void> {
  for (const { response, ...request } of data.reads ?? []) {
    const got = await handle(toRequest(request), context);
    try {
      await expectResponse(response, got, context);
    } catch (thrown) {
      if (thrown instanceof Mismatch)
        throw new Mismatch(
          thrown.expected,
          thrown.got,
          `read ${request.path} ${JSON.stringify(request.headers)}`,
        );
      throw thrown;
    }
  }
}

export async function checkAos2(data: ProcessCase, context: NodeContext): Promise<void> {
  const recorded = data['schedule-aos2'];
  if (!recorded) return;
  const got = await ask(data.schedule.path, context, recorded.headers);
  check(recorded.response.status, got.status, 'schedule-aos2 status');
  const type = got.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  check(recorded.response['content-type'], type, 'schedule-aos2 content-type');
  const parse = (text: string) => JSON.parse(text) as Json;
  checkJson(parse(recorded.response.json), parse(new TextDecoder().decode(got.body)), 'schedule-aos2');
}

/** A whole case. */
export async function runProcessCase(data: ProcessCase, env: Environment): Promise<NodeContext> {
  const context = await processNode(data, env);
  await checkWires(data, context);
  await importSchedule(data, context);
  for (const slot of data.slots) await checkSlot(data['process-id'], slot, context);
  await checkReads(data, context);
  await checkAos2(data, context);
  return context;
}
