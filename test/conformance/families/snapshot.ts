/**
 * `snapshot`: the linear memory of WASM processes after every slot (vectors README). Computed straight, and again
 * with a snapshot taken and loaded between any two slots: the digests must be the same.
 */
import { fromHex, toBase64Url } from '../../../src/base/bytes.ts';
import { Processes } from '../../../src/device/processes.ts';
import { instanceOf } from '../../../src/device/wasm-instance.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { check, defineFamily, Mismatch } from '../family.ts';
import {
  checkSlot,
  checkWires,
  importSchedule,
  processNode,
  type ProcessCase,
} from './support/process-case.ts';

interface SnapshotCase extends ProcessCase {
  'initial-pages': number;
  'maximum-pages': number | null;
  /** Bytes that the reference's engine adds behind the memory of modules without `malloc` and `free`. */
  'engine-page-bytes': number;
  memory: {
    slot: number;
    'snapshot-bytes': number;
    'linear-bytes': number;
    sha256: string;
    'sha256-snapshot': string;
  }[];
}

export default defineFamily<SnapshotCase>({
  family: 'snapshot',
  timeout: 600_000,
  async run({ data }, env) {
    const straight = await processNode(data, env);
    await checkWires(data, straight);
    await importSchedule(data, straight);
    await compute(data, straight, false);
    const restored = await processNode(data, env);
    await importSchedule(data, restored);
    await compute(data, restored, true);
  },
});

async function compute(data: SnapshotCase, context: NodeContext, restoring: boolean): Promise<void> {
  const id = data['process-id'];
  for (const slot of data.slots) {
    await checkSlot(id, slot, context);
    const recorded = data.memory.find((memory) => memory.slot === slot.slot);
    if (!recorded) continue;
    const where = `${restoring ? 'restored' : 'straight'} slot ${slot.slot}`;
    const live = Processes.of(context).get(id);
    if (!live) throw new Mismatch('a live process', 'none', where);
    if (restoring) await live.hibernate(context);
    const { digest, inspection } = await live.withLiveState(context, async (state) => {
      const { engine } = instanceOf(state)!;
      return { digest: await engine.digest(), inspection: engine.inspection };
    });
    check(data['initial-pages'], inspection.initialPages, `${where} initial pages`);
    check(data['maximum-pages'] ?? undefined, inspection.maximumPages, `${where} maximum pages`);
    const added = data['engine-page-bytes'];
    check(recorded['snapshot-bytes'], digest.byteLength + added, `${where} snapshot bytes`);
    // With a page of its own the reference's engine hashes what a browser does not have.
    if (added === 0)
      check(recorded['sha256-snapshot'], toBase64Url(fromHex(digest.sha256)), `${where} snapshot`);
    check(recorded['linear-bytes'], digest.byteLength, `${where} bytes`);
    check(recorded.sha256, toBase64Url(fromHex(digest.sha256)), `${where} memory`);
  }
}
