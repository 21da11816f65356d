/**
 * `replay.wasm64`: microseconds a slot for the smallest C module of the `process-wasm` vectors: what the node itself
 * costs. 1,000 messages, already scheduled and imported, computed to the head by `now`. Beside: the bare loop of
 * `replay.aos` over the same messages.
 */
import { fromBase64 } from '../../../src/base/bytes.ts';
import { defineBench, median, type BenchContext } from '../bench.ts';
import { bareLoop, prepare, record, replay } from '../replay.ts';

async function smallestModule(context: BenchContext): Promise<Uint8Array> {
  const cases = (await context.vectors('process-wasm.json')) as { module: { wasm: string } }[];
  return cases
    .map(({ module }) => fromBase64(module.wasm))
    .reduce((smallest, next) => (next.length < smallest.length ? next : smallest));
}

export default defineBench(async (context) => {
  const count = context.quick ? 50 : 1000;
  const prepared = await prepare({
    module: { type: 'wasm', bytes: await smallestModule(context) },
    setUp: [{ action: 'Inc' }],
    count,
    message: (index) => ({ action: 'Inc', tags: { By: String(index) } }),
  });
  const { texts, start } = await record(prepared);
  const node: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 5); round++) {
    node.push(((await replay(prepared)) / count) * 1000);
    bare.push(((await bareLoop(texts, start, count)) / count) * 1000);
  }
  return { value: median(node), unit: 'µs/slot', baseline: 'bare loop', baselineValue: median(bare) };
});
