/**
 * `dryrun`: milliseconds of one dry run (median) on aos 2.0.6 (legacynet, wasm64) that has worked off some messages, as
 * `node.dryrun` answers it: process found up to date, message evaluated in the copy's worker, everything put back. The
 * process does nothing meanwhile. Beside: evaluating one message of the same kind in a bare loop (write the two JSON
 * texts, `handle`, read and parse the answer), instance hot.
 */
import { importProcess } from '../../../src/node/process-file.ts';
import { aosScenario } from '../aos.ts';
import { defineBench, median, time } from '../bench.ts';
import { ask, bareLoop, openBenchNode, prepare, record, withDatabase } from '../replay.ts';

export default defineBench(async (context) => {
  const count = context.quick ? 10 : 50;
  const rounds = context.quick ? 10 : 100;
  const prepared = await prepare(await aosScenario(context, count));
  const { texts, start } = await record(prepared);
  const { id, file, wallet } = prepared;
  const dry = await withDatabase(async (store) => {
    const { node, api } = await openBenchNode(store, wallet);
    try {
      await importProcess(file, node.context);
      await ask(node, `/${id}~process@1.0/now/at-slot`);
      const took: number[] = [];
      // The first makes the copy.
      for (let round = -1; round < rounds; round++) {
        const one = await time(async () => {
          const { Messages } = (await api.dryrun(id, { action: 'Inc' })) as {
            Messages?: { Data?: string }[];
          };
          if (Messages?.[0]?.Data !== String(count + 1)) throw new Error('A dry run left something behind.');
        });
        if (round >= 0) took.push(one);
      }
      return median(took);
    } finally {
      await node.close();
    }
  });
  const bare: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 5); round++)
    bare.push((await bareLoop(texts, start, count)) / count);
  return { value: dry, unit: 'ms', baseline: 'evaluating one message', baselineValue: median(bare) };
});
