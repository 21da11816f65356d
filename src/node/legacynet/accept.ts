/** Taking items into schedules, by the rules of a scheduler unit (process.md §5.1). */
import { AoError } from '../../base/errors.ts';
import { Processes } from '../../device/processes.ts';
import { locate } from '../../device/scheduler-location.ts';
import { Schedules, type AlsoWrite } from '../../device/schedules.ts';
import { integerOf } from '../../device/values.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import { tagsOf, type Taken } from './items.ts';
import { slotOf, slotWrite } from './message-slots.ts';
import { notFound } from './unit-http.ts';

export interface Placed {
  readonly process: string;
  readonly slot: number;
  /** Milliseconds. */
  readonly timestamp: number;
  /** It had its slot before. */
  readonly known: boolean;
}

/** True for an item that makes a process. */
export function isSpawn(taken: Taken): boolean {
  return tag(taken, 'Type') === 'Process';
}

export function tag(taken: Taken, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return tagsOf(taken.item).find((one) => one.name.toLowerCase() === wanted)?.value;
}

/** @throws AoError `bad-item` (400) */
function check(taken: Taken): void {
  const bad = (sentence: string) => new AoError('bad-item', sentence);
  const all = tagsOf(taken.item);
  if (!all.some(({ name, value }) => name.toLowerCase() === 'data-protocol' && value === 'ao'))
    throw bad('The item has no tag Data-Protocol: ao.');
  const type = tag(taken, 'Type');
  if (type !== 'Message' && type !== 'Process') throw bad('The item is neither a Message nor a Process.');
  if (type === 'Process' && !(tag(taken, 'Module') && tag(taken, 'Scheduler')))
    throw bad('A Process needs the tags Module and Scheduler.');
  if (all.some(({ name, value }) => name.endsWith('+link') || value.endsWith('+link')))
    throw bad('Tags that end in +link are not taken.');
  if (type === 'Message' && taken.item.target.length !== 32) throw bad('A Message needs a target.');
}

/**
 * Gives a verified item its slot. One that has a slot already keeps it.
 * @throws AoError `bad-item` (400), `not-found` (404), `scheduled-elsewhere` (421), `storage-full` (507)
 */
export async function accept(taken: Taken, context: Context, also: AlsoWrite = () => []): Promise<Placed> {
  check(taken);
  const spawn = isSpawn(taken);
  const process = spawn ? taken.id : (taken.message.text('target') ?? '');
  const definition = spawn ? taken.message : await Processes.of(context).definition(process, context);
  if (!definition) throw notFound(`The process ${process} is not here.`);
  return place(process, definition, taken.message, taken.id, context, also);
}

/**
 * Gives a message that is here a slot of a process that it was not sent to.
 * @throws AoError `not-found` (404), `scheduled-elsewhere` (421)
 */
export async function assignForeign(
  process: string,
  id: string,
  context: Context,
  also: AlsoWrite = () => [],
): Promise<Placed> {
  const definition = await Processes.of(context).definition(process, context);
  if (!definition) throw notFound(`The process ${process} is not here.`);
  const message = await context.cache.read(id);
  if (!(message instanceof Message)) throw notFound(`The message ${id} is not here.`);
  return place(process, definition, message, id, context, also);
}

async function place(
  process: string,
  definition: Message,
  message: Message,
  id: string,
  context: Context,
  also: AlsoWrite,
): Promise<Placed> {
  const schedules = Schedules.of(context);
  const head = await schedules.head(process, context);
  if (!head?.own) {
    const located = await locate(definition, Message.empty, context);
    if (located.at === 'elsewhere')
      throw new AoError('scheduled-elsewhere', `This process is scheduled by ${located.url}.`, {
        status: 421,
        detail: { url: located.url },
      });
  }
  if (head) {
    const slot = await slotOf(process, id, context);
    const [found] = slot === undefined ? [] : await schedules.read(process, slot, slot, context);
    if (found)
      return {
        process,
        slot: found.slot,
        timestamp: integerOf(found.assignment.get('timestamp')) ?? 0,
        known: true,
      };
  } else if (id !== process) throw notFound(`Nothing is scheduled for the process ${process} yet.`);
  const assignment = await schedules.assign(process, message, context, (slot) => [
    slotWrite(process, id, slot),
    ...also(slot, process),
  ]);
  return {
    process,
    slot: integerOf(assignment.get('slot')) ?? 0,
    timestamp: integerOf(assignment.get('timestamp')) ?? 0,
    known: false,
  };
}
