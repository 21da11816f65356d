/**
 * Schedules of other nodes (process.md §2.7): reading them page by page, sending messages to them. What comes
 * back is checked for what can be seen from it alone: signer, slots, hash chain. A full audit is `verify`'s.
 */
import { fromBase64, toBase64Url, toBytes, concatBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { withoutCommitments } from '../commitment/commitment.ts';
import { decodeHttpMessage, encodeHttp, httpForm } from '../commitment/http.ts';
import { messageId } from '../commitment/id.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { sha256 } from '../crypto/hash.ts';
import { fromBytes } from '../base/bytes.ts';
import { Message } from '../message/message.ts';
import type { Link } from '../message/value.ts';
import { binaryBytes } from '../message/value.ts';
import type { Context, HttpResponse } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { signaturesOf } from './message-id.ts';
import { exchange } from './remote-exchange.ts';
import { sendToUnit } from './remote-unit.ts';
import type { Located } from './scheduler-location.ts';
import { Schedules } from './schedules.ts';
import { integerOf, textOf } from './values.ts';

type Elsewhere = Extract<Located, { at: 'elsewhere' }>;

/** Pages that one request may fetch: about a million slots. */
const MAX_PAGES = 1000;
const MAX_REPLY = 512 * 1024 * 1024;

function base(url: string): string {
  return url.replace(/\/+$/, '');
}

/** 307, for nodes that do not follow by themselves. */
export function redirectTo(located: Elsewhere, process: string): Result {
  const url = `${base(located.url)}/${process}/schedule`;
  return {
    status: 'ok',
    value: Message.of({
      status: 307n,
      location: url,
      body: `Redirecting to scheduler: ${url}`,
      variant: located.variant,
    }),
  };
}

/**
 * Brings the kept copy of a schedule up to `reach` (or its end). Answers the newest slot.
 * @throws AoError `bad-schedule` (422), `unsupported-scheduler` (501), those of the transport
 */
export async function fetchSchedule(
  located: Elsewhere,
  process: string,
  reach: number,
  context: Context,
): Promise<number> {
  refuseLegacy(located);
  const schedules = Schedules.of(context);
  let newest = (await schedules.head(process, context))?.slot ?? -1;
  for (let page = 0; page < MAX_PAGES && newest < reach; page++) {
    const to = Number.isFinite(reach) ? `&to=${reach}` : '';
    const target = `${base(located.url)}/${process}~process@1.0/schedule?from=${newest + 1}${to}`;
    const response = await exchange(
      { method: 'GET', target, headers: [['accept-bundle', 'true']], body: new Uint8Array(0) },
      context,
      { maxBytes: MAX_REPLY },
    );
    const reply = decode(response);
    const hashChain = (await schedules.head(process, context))?.hashChain ?? '';
    const found = assignmentsOf(reply);
    if (found.length === 0) break;
    await checkAssignments(process, found, located.address, { slot: newest, hashChain });
    const next = await schedules.import(process, found, context, located.url);
    for (const assignment of found) {
      const body = assignment.get('body');
      if (body instanceof Message) await context.cache.write(body);
    }
    if (next <= newest) break;
    newest = next;
    if (textOf(reply.get('continues')) !== 'true') break;
  }
  return newest;
}

function refuseLegacy(located: Elsewhere): void {
  if (located.variant === 'ao.TN.1')
    throw new AoError(
      'unsupported-scheduler',
      'This process is scheduled by a legacynet scheduler unit, which is read through the legacynet face.',
      { status: 501, detail: { url: located.url } },
    );
}

function decode(response: HttpResponse): Message {
  if (response.status >= 400)
    throw new AoError('peer-refused', `The scheduler answered with status ${response.status}.`, {
      status: 502,
      detail: { status: response.status, body: fromBytes(response.body.subarray(0, 500)) },
    });
  return decodeHttpMessage(httpForm(response.headers, response.body));
}

/** Assignments of a schedule in the order of their slots. Answers an empty list for one that has none. */
export function assignmentsOf(schedule: Message): Message[] {
  const all = schedule.get('assignments');
  if (!(all instanceof Message)) return Array.isArray(all) ? (all as Message[]) : [];
  return [...all]
    .filter((entry): entry is [string, Message] => /^\d+$/.test(entry[0]) && entry[1] instanceof Message)
    .sort((a, b) => Number(a[0]) - Number(b[0]))
    .map(([, assignment]) => assignment);
}

/**
 * Rules 3–9 and 12–13 of process.md §2.9, as far as the assignments show them. `after`: the slot before the
 * first of them, with its hash.
 * @throws AoError `bad-schedule` (422) that names the slot and the rule
 */
export async function checkAssignments(
  process: string,
  assignments: readonly Message[],
  scheduler: string | readonly string[],
  after: { readonly slot: number; readonly hashChain: string },
): Promise<void> {
  const schedulers = typeof scheduler === 'string' ? [scheduler] : scheduler;
  let { slot, hashChain } = after;
  const assigned = withAssignedBodies(assignments, hashChain);
  for (const [index, assignment] of assigned.entries()) {
    slot++;
    const refuse = (rule: number, sentence: string) =>
      new AoError('bad-schedule', `Slot ${slot}: ${sentence}`, {
        status: 422,
        detail: { process, slot, rule },
      });
    if (textOf(assignment.get('type'))?.toLowerCase() !== 'assignment')
      throw refuse(3, 'it is no assignment.');
    if (textOf(assignment.get('process')) !== process) throw refuse(4, 'it belongs to another process.');
    if (integerOf(assignment.get('slot')) !== slot) throw refuse(7, 'the slots do not follow each other.');
    if (textOf(assignment.get('epoch')) !== '0') throw refuse(8, 'it is of another epoch.');
    const signers = signaturesOf(assignment).map(({ committer }) => committer);
    if (!signers.some((signer) => schedulers.includes(signer)))
      throw refuse(5, 'its scheduler has not signed it.');
    if (!(await verifyMessage(assignment))) throw refuse(5, 'its signature is not valid.');
    const body = assignment.get('body');
    if (!(body instanceof Message)) throw refuse(12, 'its message did not come with it.');
    // With all the signatures that came: they are what a program sees.
    const delivered = assignments[index]!.get('body') as Message;
    if (signaturesOf(body).length === 0 || !(await verifyMessage(delivered)))
      throw refuse(13, 'the signature of its message is not valid.');
    const chain = textOf(assignment.get('hash-chain')) ?? '';
    if (!hashesOf(hashChain, messageId(body, 'signed')).includes(chain))
      throw refuse(9, 'its hash does not continue the chain.');
    hashChain = chain;
  }
}

/** Signatures of one body among which those that were there when it was assigned are looked for. */
const MAX_SIGNATURES = 6;

/**
 * Assignments whose messages have only the signatures that the hash chain names (process.md §2.9, rule 12). The
 * reference's store joins the signatures of equal messages, so a schedule may deliver a message with more of them
 * than it was assigned with. `after`: the hash of the slot before the first.
 */
export function withAssignedBodies(assignments: readonly Message[], after = ''): Message[] {
  let previous = after;
  return assignments.map((assignment) => {
    const chain = textOf(assignment.get('hash-chain')) ?? '';
    const before = previous;
    previous = chain;
    const body = assignment.get('body');
    if (!(body instanceof Message)) return assignment;
    const signatures = signaturesOf(body);
    if (signatures.length < 2 || signatures.length > MAX_SIGNATURES) return assignment;
    if (hashesOf(before, messageId(body, 'signed')).includes(chain)) return assignment;
    for (let chosen = 1; chosen < 1 << signatures.length; chosen++) {
      const dropped = new Set(signatures.filter((_, bit) => !(chosen & (1 << bit))).map(({ id }) => id));
      const cut = withoutCommitments(body, (id) => dropped.has(id));
      if (hashesOf(before, messageId(cut, 'signed')).includes(chain)) return assignment.with({ body: cut });
    }
    return assignment;
  });
}

/** Both forms that real schedules contain: the hash before as octets, or as text after a restart. */
export function hashesOf(previous: string, id: string): string[] {
  const text = toBytes(id);
  const hash = (before: Uint8Array) => toBase64Url(sha256(concatBytes(before, text)));
  return previous ? [hash(fromBase64(previous)), hash(toBytes(previous))] : [hash(new Uint8Array(0))];
}

/** Sends a message to the process's scheduler and answers its assignment. */
export async function forwardMessage(
  located: Elsewhere,
  process: string,
  message: Message,
  context: Context,
): Promise<Result> {
  if (located.variant === 'ao.TN.1') return sendToUnit(base(located.url), process, message, context);
  const response = await postMessage(
    `${base(located.url)}/${process}~process@1.0/schedule`,
    message,
    context,
  );
  await context.cache.write(message);
  const reply = decodeHttpMessage(httpForm(response.headers, response.body));
  if (response.status < 400) return { status: 'ok', value: reply };
  return { status: 'error', value: reply.with({ status: BigInt(response.status) }) };
}

/** Posts a message as it is, parts and commitments in place. */
export async function postMessage(
  target: string,
  message: Message,
  context: Context,
  options?: { timeout?: number },
): Promise<HttpResponse> {
  const form = await encodeHttp(message, { bundle: true, load: (link: Link) => context.cache.load(link) });
  const headers = [...form.headers].map(([name, value]): [string, string] => [
    name,
    fromBytes(binaryBytes(value)),
  ]);
  const request = {
    method: 'POST',
    target,
    headers: [...headers, ['accept-bundle', 'true'] as const],
    body: form.body ?? new Uint8Array(0),
  };
  return exchange(request, context, options);
}
