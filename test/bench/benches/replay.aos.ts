/**
 * `replay.aos`: milliseconds a slot. aos 2.0.6 (legacynet wasm64), 500 messages of a small handler, already
 * scheduled; computed to the head by `now` with everything a user gets: JSON, results and state stored durably,
 * snapshots at the default policy. Beside it a bare loop over the same messages on a hot instance: write the two
 * JSON strings, `handle`, read and parse the answer.
 */
import { Message } from '../../../src/message/message.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { readAssignments } from '../../../src/device/schedule-records.ts';
import { legacyEnvironmentJson, legacyMessageJson, momentOf } from '../../../src/device/legacy-json.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import { defineBench, median, time } from '../bench.ts';
import { benchNode, get, schedule, sign } from '../process-node.ts';

const AOS = '0fbcfb85f6354a067ec909102430bd8a7ce0301c9686595f474eabffff7ba58e';
const HANDLER = `Count = 0
Handlers.add('Inc', 'Inc', function(msg) Count = Count + 1; Send({Target = msg.From, Data = tostring(Count)}) end)`;

export default defineBench(async (context) => {
  const bytes = await context.module(AOS);
  if (!bytes) return [];
  const count = context.quick ? 100 : 500;
  const times = { subject: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < (context.quick ? 1 : 3); round++) {
    const bench = await benchNode();
    try {
      const { node, wallet } = bench;
      const module = await sign(
        {
          data: bytes,
          type: 'Module',
          'module-format': 'wasm64-unknown-emscripten-draft_2024_02_15',
          'content-type': 'application/wasm',
        },
        wallet,
      );
      await node.context.cache.write(module);
      const definition = await sign(
        {
          device: 'process@1.0',
          type: 'Process',
          'execution-device': 'genesis-wasm@1.0',
          module: messageId(module, 'signed'),
          scheduler: wallet.address,
          authority: wallet.address,
          'data-protocol': 'ao',
          variant: 'ao.N.1',
          name: `bench-${round}`,
        },
        wallet,
      );
      const target = messageId(definition, 'signed');
      const messages = [await sign({ target, type: 'Message', action: 'Eval', data: HANDLER }, wallet)];
      for (let n = 0; n < count; n++)
        messages.push(await sign({ target, type: 'Message', action: 'Inc', reference: String(n) }, wallet));
      await schedule(node, definition, messages);
      const fresh = await bench.again();
      await get(fresh, `/${target}~process@1.0/compute&slot=1/at-slot`);
      times.subject.push(await time(() => get(fresh, `/${target}~process@1.0/now/at-slot`)));

      const assignments = await readAssignments(fresh.store, target, 0, count + 1);
      const environment = await legacyEnvironmentJson(definition, module, fresh.context);
      const texts: string[] = [];
      for (const { assignment } of assignments)
        texts.push(
          await legacyMessageJson(
            assignment.get('body') as Message,
            target,
            momentOf(assignment),
            fresh.context,
          ),
        );
      const engine = await startWasm({ module: bytes, moduleHash: AOS });
      const evaluate = async (text: string) => {
        const answer = await engine.evaluate(text, environment, { onError: 'keep' });
        if (!answer.ok) throw new Error(answer.error);
        JSON.parse(answer.reply);
      };
      for (const text of texts.slice(0, 2)) await evaluate(text);
      times.baseline.push(
        await time(async () => {
          for (const text of texts.slice(2)) await evaluate(text);
        }),
      );
      await engine.close();
    } finally {
      await bench.end();
    }
  }
  return {
    value: median(times.subject) / count,
    unit: 'ms/slot',
    baseline: 'bare loop',
    baselineValue: median(times.baseline) / count,
  };
});
