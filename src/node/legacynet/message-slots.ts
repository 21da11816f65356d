/** Which slot a message got: what `/result/<message>` and `/<message>?process-id=` ask for. */
import { messageId } from '../../commitment/id.ts';
import { Schedules } from '../../device/schedules.ts';
import { Message } from '../../message/message.ts';
import type { Context } from '../../resolver/context.ts';
import type { Write } from '../../store/store.ts';

const PREFIX = 'legacynet-slot';
/** Slots looked through at a time, from the newest. */
const STEP = 128;

/** Key under which the slot of a message stands in the table `node`. */
export function slotKey(process: string, message: string): [string, string, string] {
  return [PREFIX, process, message];
}

/** To be written with the assignment. */
export function slotWrite(process: string, message: string, slot: number): Write {
  return { table: 'node', key: slotKey(process, message), value: slot };
}

/** First and last key of what is kept of one process. */
export function slotsOf(process: string): readonly [readonly string[], readonly string[]] {
  return [
    [PREFIX, process],
    [PREFIX, process, '\uffff'],
  ];
}

/** The slot of a message; undefined if it is not in the schedule of the process. */
export async function slotOf(
  process: string,
  message: string,
  context: Context,
): Promise<number | undefined> {
  if (message === process) return 0;
  const known = await context.store.get<number>('node', slotKey(process, message));
  if (known !== undefined) return known;
  const head = await Schedules.of(context).head(process, context);
  // What came by another way than the units is found once, and then known.
  for (let to = head?.slot ?? -1; to >= 0; to -= STEP) {
    const page = await Schedules.of(context).read(process, Math.max(0, to - STEP + 1), to, context);
    for (const { slot, assignment } of page.reverse()) {
      const body = assignment.get('body');
      if (!(body instanceof Message) || messageId(body, 'signed') !== message) continue;
      await context.store.write([slotWrite(process, message, slot)]);
      return slot;
    }
  }
  return undefined;
}
