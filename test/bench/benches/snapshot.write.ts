/**
 * `snapshot.write`: milliseconds to take and store a snapshot of aos 2.0.6 after one small message: finding what
 * changed, hashing it, writing it to IndexedDB. Beside: writing the whole memory as one value. `bytes` are those of the
 * pages that were written, beside those of the memory; `pages` is their number, beside the number that are not zero.
 */
import { PAGE_BYTES } from '../../../src/engine/engine.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import { applyDelta, SnapshotStore, type Snapshot } from '../../../src/store/snapshots.ts';
import { aosScenario } from '../aos.ts';
import { defineBench, median, time } from '../bench.ts';
import { prepare, record, wholeMemory, withDatabase } from '../replay.ts';

export default defineBench(async (context) => {
  const rounds = context.quick ? 3 : 15;
  const { texts, start } = await record(await prepare(await aosScenario(context, rounds)));
  return withDatabase(async (store) => {
    const engine = await startWasm({
      module: start.bytes,
      moduleHash: '',
      ...(start.format ? { format: start.format } : {}),
    });
    const snapshots = SnapshotStore.of(store);
    let last: Snapshot | undefined;
    const save = async (slot: number) => {
      const { snapshot, bytes } = applyDelta(last, await engine.snapshot(), 0);
      last = snapshot;
      return snapshots.write('bench', slot, snapshot, bytes);
    };
    const paged = { times: [] as number[], bytes: [] as number[], pages: [] as number[] };
    const whole: number[] = [];
    let memory = new Uint8Array(0);
    for (const [slot, { message, environment }] of texts.entries()) {
      await engine.evaluate(message, environment);
      if (slot < texts.length - rounds) {
        await save(slot);
        continue;
      }
      let cost = { pages: 0, bytes: 0 };
      paged.times.push(await time(async () => (cost = await save(slot))));
      paged.bytes.push(cost.bytes);
      paged.pages.push(cost.pages);
      memory = await wholeMemory(engine);
      whole.push(await time(() => store.write([{ table: 'data', key: 'whole', value: memory }])));
    }
    await engine.close();
    return [
      { value: median(paged.times), unit: 'ms', baseline: 'whole memory', baselineValue: median(whole) },
      {
        part: 'bytes',
        value: median(paged.bytes),
        unit: 'B',
        baseline: 'whole memory',
        baselineValue: memory.length,
      },
      {
        part: 'pages',
        value: median(paged.pages),
        unit: 'pages',
        baseline: 'not zero',
        baselineValue: last?.pages.size ?? memory.length / PAGE_BYTES,
      },
    ];
  });
});
