/**
 * `replay.aos`: milliseconds a slot. aos 2.0.6 (legacynet, wasm64), 500 messages of a small handler, already scheduled
 * and imported, computed to the head by `now` with everything a user gets: JSON, results and state stored durably,
 * snapshots at the default policy. Beside: a bare loop over the same messages (write the two JSON texts, `handle`, read
 * and parse the answer), instance hot.
 */
import { aosScenario } from '../aos.ts';
import { defineBench, median } from '../bench.ts';
import { bareLoop, prepare, record, replay } from '../replay.ts';

export default defineBench(async (context) => {
  const count = context.quick ? 50 : 500;
  const prepared = await prepare(await aosScenario(context, count));
  const { texts, start } = await record(prepared);
  const node: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 5); round++) {
    node.push((await replay(prepared)) / count);
    bare.push((await bareLoop(texts, start, count)) / count);
  }
  return { value: median(node), unit: 'ms/slot', baseline: 'bare loop', baselineValue: median(bare) };
});
