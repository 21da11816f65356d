/**
 * `replay.aos`: milliseconds a slot. aos 2.0.6 (legacynet, wasm64), 500 messages of a small handler, already scheduled
 * and imported, computed to the head by `now` with everything a user gets: JSON, results and state stored durably,
 * snapshots at the default policy. Beside: a bare loop over the same messages (write the two JSON texts, `handle`, read
 * and parse the answer), instance hot.
 */
import { defineBench, median, type BenchContext } from '../bench.ts';
import { bareLoop, prepare, record, replay } from '../replay.ts';

const HANDLER = `
Counter = 0
Handlers.add('Inc', { Action = 'Inc' }, function(msg)
  Counter = Counter + 1
  Send({ Target = msg.From, Action = 'Counted', Data = tostring(Counter) })
end)`;

/** The aos module that the legacynet vectors name most often. */
async function aosModule(context: BenchContext): Promise<Uint8Array> {
  const { cases } = (await context.vectors('legacy-aos.json')) as {
    cases: { module: { file: string; sha256: string } }[];
  };
  const named = cases.find(({ module }) => module.file === 'aos2_0_6.wasm');
  const bytes = named && (await context.module(named.module.sha256));
  if (!bytes) throw new Error('The aos module is not in the cache: run node test/setup/modules.mjs.');
  return bytes;
}

export default defineBench(async (context) => {
  const count = context.quick ? 50 : 500;
  const prepared = await prepare({
    module: { type: 'wasm', bytes: await aosModule(context) },
    setUp: [{ action: 'Eval', data: HANDLER }],
    count,
    message: () => ({ action: 'Inc' }),
  });
  const { texts, start } = await record(prepared);
  const node: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 5); round++) {
    node.push((await replay(prepared)) / count);
    bare.push((await bareLoop(texts, start, count)) / count);
  }
  return { value: median(node), unit: 'ms/slot', baseline: 'bare loop', baselineValue: median(bare) };
});
