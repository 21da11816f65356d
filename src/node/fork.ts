/**
 * A copy of a process up to a slot, to try things on: a new process of this node with the same program, to which the
 * same messages are assigned again in the same order. It computes them itself, so nothing about its state is taken on
 * trust.
 */
import { AoError } from '../base/errors.ts';
import { uncommitted } from '../commitment/commitment.ts';
import { messageId } from '../commitment/id.ts';
import { signaturesOf } from '../device/message-id.ts';
import { readAssignments, readHead } from '../device/schedule-records.ts';
import { Schedules } from '../device/schedules.ts';
import { Message } from '../message/message.ts';
import type { ForkOptions } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import type { Write } from '../store/store.ts';
import { signMessage } from './sign-message.ts';
import { requireHead } from './view.ts';

/** Remembers under a key which copy was begun. */
interface Calls {
  processOf(key: string): Promise<string | undefined>;
  spawned(process: string, key: string, now: number): Write[];
}

/** Most slots that a copy begins with: each message is signed and stored once more. */
const MAX_SLOTS = 10_000;
/** Assignments that are read at a time. */
const PAGE = 100;

/**
 * Answers the ID of the copy, its slots scheduled and none computed. Made again with the same `once` it goes on where
 * it stopped.
 * @throws AoError `no-process` (404), `no-slot` (404), `too-many-slots` (413), `cannot-fork` (400)
 */
export async function forkProcess(
  id: string,
  { slot, name }: ForkOptions,
  once: string,
  calls: Calls,
  context: NodeContext,
): Promise<string> {
  const { slot: newest } = await requireHead(id, context);
  const last = slot ?? newest;
  if (!Number.isInteger(last) || last < 0 || last > newest)
    throw new AoError('no-slot', `The process has no slot ${last}.`, { status: 404 });
  if (last > MAX_SLOTS)
    throw new AoError('too-many-slots', `A copy may begin with ${MAX_SLOTS} slots; this one has ${last}.`, {
      status: 413,
    });
  const copy = await beginCopy(id, last, name, once, calls, context);
  for (let from = (await slotOf(copy, context)) + 1; from <= last; from += PAGE) {
    const page = await readAssignments(context.store, id, from, Math.min(last, from + PAGE - 1));
    for (const { assignment } of page) {
      const body = assignment.message('body');
      if (!body) throw new AoError('cannot-fork', 'A message of the process is not here.');
      const message = await forCopy(body, copy, context);
      await context.cache.write(message);
      await Schedules.of(context).assign(copy, message, context);
    }
    if (page.length === 0) throw new AoError('cannot-fork', `Slot ${from} of the process is not here.`);
  }
  return copy;
}

async function beginCopy(
  id: string,
  slot: number,
  name: string | undefined,
  once: string,
  calls: Calls,
  context: NodeContext,
): Promise<string> {
  const known = await calls.processOf(once);
  if (known && (await readHead(context.store, known))) return known;
  const original = await context.cache.read(id);
  // A process of legacynet names no device: another scheduler orders it, in another form.
  if (!(original instanceof Message) || original.text('device') !== 'process@1.0')
    throw new AoError('cannot-fork', 'Only processes of AO-Core can be copied; this one is of legacynet.');
  const definition = await signMessage(
    uncommitted(original).with({
      ...(name ? { name } : {}),
      'scheduler-device': 'scheduler@1.0',
      scheduler: context.identity.address,
      anchor: once,
      'forked-from': id,
      'forked-at': String(slot),
    }),
    context,
  );
  await context.cache.write(definition);
  const copy = messageId(definition, 'signed');
  await Schedules.of(context).assign(copy, definition, context, () => calls.spawned(copy, once, Date.now()));
  return copy;
}

async function slotOf(id: string, context: NodeContext): Promise<number> {
  return (await requireHead(id, context)).slot;
}

/**
 * What this node signed it signs anew, for the copy: from the same sender then. What others signed stays as it is,
 * addressed to the original.
 */
async function forCopy(body: Message, copy: string, context: NodeContext): Promise<Message> {
  const own = signaturesOf(body).some(({ committer }) => committer === context.identity.address);
  return own ? signMessage(uncommitted(body).with({ target: copy }), context) : body;
}
