/** Pushes that were under way when the node stopped: each goes on where it was, in the form that its process has. */
import { AoError } from '../base/errors.ts';
import { Processes } from '../device/processes.ts';
import { roleDevice } from '../device/process-roles.ts';
import { isUnfinished, unfinishedPushes } from '../device/push-queue.ts';
import { resumePush } from '../device/push.ts';
import { Schedules } from '../device/schedules.ts';
import type { Context } from '../resolver/context.ts';
import { deliver } from './legacynet/delivery.ts';

/** Answers how many there were; failures are reported, not thrown. */
export async function resumePushes(context: Context): Promise<number> {
  const unfinished = await unfinishedPushes(context);
  for (const { process, slot } of unfinished)
    try {
      // One push goes through the slots of many processes: what was next may be done by now.
      if (await isUnfinished(process, slot, context)) await resume(process, slot, context);
    } catch (thrown) {
      context.report({ type: 'push-failed', process, slot, reason: AoError.wrap(thrown).message });
    }
  return unfinished.length;
}

async function resume(process: string, slot: number, context: Context): Promise<void> {
  const definition = await Processes.of(context).definition(process, context);
  // Of a process that another node orders, its follower knows what is to be sent on.
  if (!definition || !(await Schedules.of(context).head(process, context))?.own) return;
  if (roleDevice('execution', definition) === 'genesis-wasm@1.0') await deliver({ process, slot }, context);
  else await resumePush(process, slot, context);
}
