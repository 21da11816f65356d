/**
 * `verify.incremental`: seconds of verifying 10 new slots of a process of which 10,000 were verified before, beside 10
 * new slots after 100: only new slots may cost anything.
 */
import { defineBench, median, time } from '../bench.ts';
import { get, smallestModule } from '../process-node.ts';
import { remoteProcess, verifier } from '../verified-node.ts';

const NEW = 10;

export default defineBench(async (context) => {
  const module = smallestModule(await context.vectors('process-wasm.json'));
  const rounds = context.quick ? 2 : 7;
  /** Seconds of each round. */
  const after = async (slots: number): Promise<number> => {
    const pair = await remoteProcess(module, slots - 1);
    const one = await verifier(pair);
    try {
      const compute = () => get(pair.remote.node, `/${pair.process}~process@1.0/now/at-slot`);
      await compute();
      await one.verify();
      const times: number[] = [];
      for (let round = 0; round < rounds; round++) {
        await pair.more(NEW);
        await compute();
        times.push(await time(() => one.verify()));
      }
      return median(times) / 1000;
    } finally {
      await one.end();
      await pair.end();
    }
  };
  const early = await after(context.quick ? 20 : 100);
  const late = await after(context.quick ? 300 : 10_000);
  return { value: late, unit: 's', baseline: 'after 100 slots', baselineValue: early };
});
