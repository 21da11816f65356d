/**
 * `replay.wasm64`: microseconds a slot for the smallest C module of the `process-wasm` vectors: what the node itself
 * costs. 1,000 messages, already scheduled, computed to the head by `now`, stored durably. Beside it the same bare
 * loop as of `replay.aos`.
 */
import { messageId } from '../../../src/commitment/id.ts';
import { environmentJson, messageJson } from '../../../src/device/json-struct.ts';
import { readAssignments } from '../../../src/device/schedule-records.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import { Message } from '../../../src/message/message.ts';
import { defineBench, median, time } from '../bench.ts';
import { benchNode, get, nativeKeys, schedule, sign, smallestModule } from '../process-node.ts';

export default defineBench(async (context) => {
  const bytes = smallestModule(await context.vectors('process-wasm.json'));
  const count = context.quick ? 100 : 1000;
  const times = { subject: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < (context.quick ? 1 : 3); round++) {
    const bench = await benchNode();
    try {
      const { node, wallet } = bench;
      const image = await node.context.cache.write(Message.of({ body: bytes }));
      const definition = await sign(nativeKeys(image, wallet.address, `bench-${round}`), wallet);
      const target = messageId(definition, 'signed');
      const messages: Message[] = [];
      for (let n = 0; n < count; n++)
        messages.push(await sign({ target, type: 'Message', action: 'Inc', by: String(n) }, wallet));
      await schedule(node, definition, messages);
      const fresh = await bench.again();
      await get(fresh, `/${target}~process@1.0/compute&slot=0/at-slot`);
      times.subject.push(await time(() => get(fresh, `/${target}~process@1.0/now/at-slot`)));

      const environment = await environmentJson(definition, fresh.context);
      const texts: string[] = [];
      for (const { assignment } of await readAssignments(fresh.store, target, 1, count, count))
        texts.push(
          await messageJson(
            assignment.get('body') as Message,
            { 'Block-Height': assignment.get('block-height')!, Module: image },
            fresh.context,
          ),
        );
      const engine = await startWasm({ module: bytes, moduleHash: '' });
      times.baseline.push(
        await time(async () => {
          for (const text of texts) {
            const answer = await engine.evaluate(text, environment, { onError: 'keep' });
            if (!answer.ok) throw new Error(answer.error);
            JSON.parse(answer.reply);
          }
        }),
      );
      await engine.close();
    } finally {
      await bench.end();
    }
  }
  return {
    value: (median(times.subject) / count) * 1000,
    unit: 'µs/slot',
    baseline: 'bare loop',
    baselineValue: (median(times.baseline) / count) * 1000,
  };
});
