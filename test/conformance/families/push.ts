/**
 * `push`: messages sent on from process to process (vectors README). The node is the recorded one, with its key:
 * it schedules and signs what it pushes, and everything that can be equal has to be.
 */
import { committedKeys, committerOf, commitmentsOf } from '../../../src/commitment/commitment.ts';
import { committers } from '../../../src/commitment/select.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { Schedules } from '../../../src/device/schedules.ts';
import { Message } from '../../../src/message/message.ts';
import type { Value } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { check, checkJson, defineFamily, Mismatch, type Json } from '../family.ts';
import {
  expectResponse,
  toRequest,
  withoutCommitments,
  type RecordedRequest,
  type RecordedResponse,
} from '../http.ts';
import { walletOf } from '../node.ts';
import { expectValue } from '../value.ts';
import {
  auditSchedule,
  checkSlot,
  expectMessage,
  messageOfWire,
  processNode,
  type Preloaded,
  type RecordedSchedule,
  type RecordedSlot,
} from './support/process-case.ts';

interface Scheduled {
  slot: number;
  message: Json;
  committers: Json;
  committed: Json;
  'id-none': string;
}

interface PushedProcess {
  label: string;
  process: Json;
  'process-id': string;
  'process-wire': RecordedRequest;
  'process-status': number;
  scheduled: Scheduled[];
  schedule: RecordedSchedule;
  slots: RecordedSlot[];
}

interface PushCase {
  node: string;
  owner: string;
  'node-key': Json;
  preload: Preloaded[];
  processes: PushedProcess[];
  requests: (RecordedRequest & { kind: string; response: RecordedResponse })[];
  reads: (RecordedRequest & { response: RecordedResponse })[];
}

/** Of the HTTP answer, not of the push. */
const TRANSPORT = [
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'content-type',
];

const signed = (value: Value) => messageId(value, 'signed');

export default defineFamily<PushCase>({
  family: 'push',
  async run({ data }, env) {
    const identity = await walletOf(data['node-key']);
    const context = await processNode(data, env, { identity });
    check(data.node, identity.address, 'node');
    for (const process of data.processes) {
      const definition = await messageOfWire(process['process-wire'], context);
      await expectMessage(process.process, definition, process.label);
      check(data.owner, committers(definition).join(), `${process.label} owner`);
      await checkSchedule(process, data.node);
      const got = await handle(toRequest(process['process-wire']), context);
      check(process['process-status'], got.status, `${process.label} status`);
      check(process['process-id'], decodeReply(got).text('process'), `${process.label} id`);
    }
    for (const [index, { response, kind, ...request }] of data.requests.entries()) {
      const where = `requests/${index} ${kind}`;
      const got = await handle(toRequest(request), context);
      check(response.status, got.status, `${where} status`);
      if (response.decoded === undefined || response.status >= 400) continue;
      const reply = withoutIds(withoutCommitments(decodeReply(got)));
      const comparison = { where, id: signed, tables: true };
      // Of an assignment only what tells it from others is recorded; its times are this node's.
      if (kind === 'schedule')
        for (const [key, value] of Object.entries(response.decoded as Record<string, Json>))
          await expectValue(value, reply.get(key), { ...comparison, where: `${where}/${key}` });
      else await expectValue(response.decoded, reply.without(...TRANSPORT), comparison);
    }
    for (const process of data.processes) await checkProcess(process, context);
    for (const { response, ...request } of data.reads)
      await expectResponse(response, await handle(toRequest(request), context), context);
  },
});

/** The signed ID of a message that was signed afresh cannot be the recorded one. */
function withoutIds(message: Message): Message {
  const fields = new Map<string, Value>();
  for (const [key, value] of message) {
    if (key === 'id' && message.has('resulted-in')) continue;
    fields.set(key, value instanceof Message ? withoutIds(value) : value);
  }
  return new Message(fields);
}

/** The schedule as the recorded node signed it: of the same messages, however they were signed. */
async function checkSchedule(process: PushedProcess, node: string): Promise<void> {
  const known = new Map([[0, process['process-id']]]);
  const assignments = await auditSchedule(process['process-id'], node, process.schedule, known);
  check(process.scheduled.length + 1, assignments.length, `${process.label} schedule length`);
  for (const recorded of process.scheduled) {
    const body = assignments[recorded.slot]?.get('body');
    const id = body instanceof Message ? messageId(body.without('commitments'), 'unsigned') : undefined;
    check(recorded['id-none'], id, `${process.label} schedule/${recorded.slot}`);
  }
}

async function checkProcess(
  process: PushedProcess,
  context: Awaited<ReturnType<typeof processNode>>,
): Promise<void> {
  const id = process['process-id'];
  const kept = await Schedules.of(context).read(id, 1, Infinity, context);
  check(process.scheduled.length, kept.length, `${process.label} messages scheduled`);
  for (const recorded of process.scheduled) {
    const where = `${process.label} slot ${recorded.slot}`;
    const body = kept.find(({ slot }) => slot === recorded.slot)?.assignment.get('body');
    if (!(body instanceof Message)) throw new Mismatch('a message', 'none', where);
    await expectValue(recorded.message, body.without('commitments'), { where, id: signed });
    check(recorded['id-none'], messageId(body.without('commitments'), 'unsigned'), `${where} id`);
    const signatures = [...commitmentsOf(body).values()].filter((one) => committerOf(one) !== undefined);
    checkJson(
      recorded.committers,
      { $list: signatures.map((one) => committerOf(one)!) },
      `${where} committers`,
    );
    const keys = [...new Set(signatures.flatMap(committedKeys))].sort();
    const wanted = (recorded.committed as { $list: string[] }).$list;
    checkJson([...new Set(wanted)].sort(), keys, `${where} committed`);
  }
  for (const slot of process.slots) await checkSlot(id, slot, context);
}
