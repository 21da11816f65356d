/** The real aos module, and a small handler in it: what the benchmarks of a heavy process run. */
import type { BenchContext } from './bench.ts';
import type { Scenario } from './replay.ts';

export const HANDLER = `
Counter = 0
Handlers.add('Inc', { Action = 'Inc' }, function(msg)
  Counter = Counter + 1
  Send({ Target = msg.From, Action = 'Counted', Data = tostring(Counter) })
end)`;

/** aos 2.0.6, by the hash that the legacynet vectors give it. Throws where it was not fetched. */
export async function aosModule(context: BenchContext): Promise<Uint8Array> {
  const { cases } = (await context.vectors('legacy-aos.json')) as {
    cases: { module: { file: string; sha256: string } }[];
  };
  const named = cases.find(({ module }) => module.file === 'aos2_0_6.wasm');
  const bytes = named && (await context.module(named.module.sha256));
  if (!bytes) throw new Error('The aos module is not in the cache: run node test/setup/modules.mjs.');
  return bytes;
}

/** aos with a handler that counts and answers, and `count` messages to it. */
export async function aosScenario(context: BenchContext, count: number): Promise<Scenario> {
  return {
    module: { type: 'wasm', bytes: await aosModule(context) },
    setUp: [{ action: 'Eval', data: HANDLER }],
    count,
    message: () => ({ action: 'Inc' }),
  };
}
