/**
 * `verify.end-to-end`: seconds from nothing to a report of the level `replayed` for a process of 200 slots of the
 * smallest C module of the `process-wasm` vectors: fetched, audited, computed and compared. The other node has computed
 * it before; it is in the same worker, so no network is in the measure.
 */
import { defineBench, median, time } from '../bench.ts';
import { get, smallestModule } from '../process-node.ts';
import { remoteProcess, verifier } from '../verified-node.ts';

export default defineBench(async (context) => {
  const slots = context.quick ? 20 : 200;
  const pair = await remoteProcess(smallestModule(await context.vectors('process-wasm.json')), slots - 1);
  try {
    await get(pair.remote.node, `/${pair.process}~process@1.0/now/at-slot`);
    const times: number[] = [];
    for (let round = 0; round < (context.quick ? 1 : 5); round++) {
      const one = await verifier(pair);
      times.push(await time(() => one.verify()));
      await one.end();
    }
    return { value: median(times) / 1000, unit: 's' };
  } finally {
    await pair.end();
  }
});
