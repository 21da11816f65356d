/** Taking a process off this node, with all that is its alone. */
import { Processes } from '../device/processes.ts';
import { pushesOf } from '../device/push-queue.ts';
import { Schedules } from '../device/schedules.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { SnapshotStore } from '../store/snapshots.ts';
import type { Write } from '../store/store.ts';
import { legacyAssignmentsOf } from './legacynet/assignments.ts';
import { slotsOf } from './legacynet/message-slots.ts';
import { sentTo } from '../device/once.ts';
import { requireHead } from './view.ts';

/**
 * What it was doing is stopped first. Its messages and modules stay: other processes may stand on them.
 * @throws AoError `no-process` (404)
 */
export async function removeProcess(id: string, context: NodeContext): Promise<void> {
  await requireHead(id, context);
  const processes = Processes.of(context);
  const snapshots = SnapshotStore.of(context.store);
  await processes.forget(id);
  // Without snapshots it can still be computed: if this ends half-way, nothing is lost that was to stay.
  await snapshots.remove(id, await snapshots.slots(id));
  const states: Write = { table: 'slots', key: [id, 0], to: [id, Infinity] };
  await Schedules.of(context).remove(
    id,
    [states, ...[pushesOf(id), sentTo(id), slotsOf(id), legacyAssignmentsOf(id)].map(deletion)],
    context,
  );
  // Whoever asked for it meanwhile may have begun to compute it once more.
  await processes.forget(id);
  await context.store.write([states]);
  await snapshots.remove(id, await snapshots.slots(id));
}

function deletion([from, to]: readonly [readonly string[], readonly string[]]): Write {
  return { table: 'node', key: from, to };
}
