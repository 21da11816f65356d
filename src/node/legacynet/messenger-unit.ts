/** The routes of a messenger unit (process.md §5.3): takes items, has them scheduled, pushes what comes of them. */
import { toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { Processes } from '../../device/processes.ts';
import { pushWrite } from '../../device/push-queue.ts';
import type { Context } from '../../resolver/context.ts';
import { accept, assignForeign, isSpawn, tag } from './accept.ts';
import { refuseCron } from './cron.ts';
import { deliver } from './delivery.ts';
import { makeItem, takeItem } from './items.ts';
import { slotOf } from './message-slots.ts';
import { resultOf } from './results.ts';
import { idIn, isAssign, notFound, type UnitAnswer, type UnitRequest } from './unit-http.ts';

export async function messengerUnit(request: UnitRequest, context: Context): Promise<UnitAnswer> {
  const { method, path } = request;
  const [first, second, third] = path;
  if (first === 'monitor' && second !== undefined) return monitor(second, request, context);
  if (first === 'push' && second !== undefined && third !== undefined)
    return pushAgain(second, third, request, context);
  if (first !== undefined) throw notFound('A messenger unit has no such route.');
  if (method === 'POST') return take(request, context);
  return { body: { timestamp: context.clock.now(), address: context.identity.address } };
}

async function take({ query, http }: UnitRequest, context: Context): Promise<UnitAnswer> {
  if (isAssign(query)) {
    const id = idIn(query, 'assign');
    const placed = await assignForeign(idIn(query, 'process-id'), id, context, (slot, process) => [
      pushWrite(process, slot),
    ]);
    if (!placed.known) void deliver({ ...placed, pushedFor: id }, context);
    return { status: 202, body: { message: 'Processing Assignment', id } };
  }
  const taken = await takeItem(http.body, context);
  const from = tag(taken, 'From-Process');
  if (from !== undefined && taken.item.signer !== context.identity.address)
    throw new AoError('bad-from', 'Invalid From-Process value.');
  const { id } = taken;
  const placed = await accept(taken, context, (slot, process) => [pushWrite(process, slot)]);
  if (!placed.known) void deliver({ ...placed, pushedFor: id }, context);
  const spawned = isSpawn(taken) ? { processId: id } : {};
  return { status: 202, body: { message: 'Processing DataItem', id, ...spawned } };
}

/** Messages by the clock are not evaluated here, and a client that counts on them is told. */
async function monitor(
  process: string,
  { method, http }: UnitRequest,
  context: Context,
): Promise<UnitAnswer> {
  if (method !== 'POST' && method !== 'DELETE')
    throw new AoError('bad-method', 'Monitoring is begun by POST and ended by DELETE.', { status: 405 });
  await takeItem(http.body, context);
  const definition = await Processes.of(context).definition(process, context);
  if (!definition) throw notFound(`The process ${process} is not here.`);
  if (method === 'POST') await refuseCron(definition, context);
  // The units of the network answer these two as text.
  return {
    headers: [['content-type', 'text/plain; charset=utf-8']],
    body: toBytes(method === 'POST' ? 'Monitoring process' : 'Process deleted'),
  };
}

/** Sends one message of an outbox once more. */
async function pushAgain(
  id: string,
  number: string,
  { query }: UnitRequest,
  context: Context,
): Promise<UnitAnswer> {
  const process = idIn(query, 'process-id');
  const slot = await slotOf(process, id, context);
  const definition = await Processes.of(context).definition(process, context);
  if (slot === undefined || !definition) throw notFound(`The message ${id} is not here.`);
  const { Messages = [] } = await resultOf(process, slot, context);
  const entry = Messages[Number(number)];
  if (!entry?.Target) throw notFound(`The result of ${id} has no message ${number}.`);
  const dropped = /^(?:data-protocol|type|from-process|from-module|variant|pushed-for)$/i;
  const taken = await makeItem(
    {
      data: typeof entry.Data === 'string' ? entry.Data : '',
      target: entry.Target,
      ...(entry.Anchor === undefined ? {} : { anchor: entry.Anchor }),
      tags: [
        ...(entry.Tags ?? []).filter(({ name }) => !dropped.test(name)),
        { name: 'Data-Protocol', value: 'ao' },
        { name: 'Variant', value: definition.text('variant') ?? 'ao.TN.1' },
        { name: 'Type', value: 'Message' },
        { name: 'From-Process', value: process },
        { name: 'From-Module', value: definition.text('module') ?? '' },
        { name: 'Pushed-For', value: id },
      ],
    },
    context,
  );
  const placed = await accept(taken, context);
  void deliver({ ...placed, pushedFor: id }, context);
  return { status: 202, body: { message: 'Processing DataItem', id: taken.id } };
}
