/**
 * `snapshot.restore`: milliseconds from a stored snapshot of aos 2.0.6 to an instance that goes on: manifest and pages
 * read from IndexedDB, an instance started, memory filled. Beside: the same with the whole memory read as one value.
 * `bytes` are those that were read, beside those of the memory.
 */
import { PAGE_BYTES, type MemoryImage } from '../../../src/engine/engine.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import { applyDelta, SnapshotStore } from '../../../src/store/snapshots.ts';
import { aosScenario } from '../aos.ts';
import { defineBench, interleave } from '../bench.ts';
import { prepare, record, wholeMemory, withDatabase } from '../replay.ts';

export default defineBench(async (context) => {
  const { texts, start } = await record(await prepare(await aosScenario(context, 5)));
  const from = {
    module: start.bytes,
    moduleHash: 'bench',
    ...(start.format ? { format: start.format } : {}),
  };
  return withDatabase(async (store) => {
    const engine = await startWasm(from);
    for (const { message, environment } of texts) await engine.evaluate(message, environment);
    const { snapshot, bytes } = applyDelta(undefined, await engine.snapshot(), 0);
    const snapshots = SnapshotStore.of(store);
    await snapshots.write('bench', 0, snapshot, bytes);
    await store.write([{ table: 'data', key: 'whole', value: await wholeMemory(engine) }]);
    const { byteLength } = snapshot;
    await engine.close();

    const restore = async (memory: MemoryImage) => (await startWasm({ ...from, memory })).close();
    const times = await interleave(
      context.quick ? 2 : 9,
      async () => {
        const found = await snapshots.latest('bench');
        await restore(await snapshots.image(found!.snapshot));
      },
      async () => {
        const whole = (await store.get<Uint8Array<ArrayBuffer>>('data', 'whole'))!;
        const pages = Array.from({ length: byteLength / PAGE_BYTES }, (_, index) => ({
          index,
          bytes: whole.subarray(index * PAGE_BYTES, (index + 1) * PAGE_BYTES),
        }));
        await restore({ byteLength, pages, globals: snapshot.globals });
      },
    );
    return [
      { value: times.subject, unit: 'ms', baseline: 'whole memory', baselineValue: times.baseline },
      {
        part: 'bytes',
        value: new Set(snapshot.pages.values()).size * PAGE_BYTES,
        unit: 'B',
        baseline: 'whole memory',
        baselineValue: byteLength,
      },
    ];
  });
});
