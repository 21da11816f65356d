/**
 * `replay.lua`: milliseconds a slot of the ledger in the `process-lua` vectors (the recorded program that got the most
 * messages): 300 transfers, already scheduled and imported, computed to the head by `now`.
 */
import { defineBench, median } from '../bench.ts';
import { prepare, replay } from '../replay.ts';

export default defineBench(async (context) => {
  const count = context.quick ? 30 : 300;
  const cases = (await context.vectors('process-lua.json')) as { lua: string; messages: unknown[] }[];
  const { lua } = cases.reduce((most, next) => (next.messages.length > most.messages.length ? next : most));
  const prepared = await prepare({
    module: { type: 'lua', source: lua },
    setUp: [{ action: 'Mint', tags: { Quantity: '1000000' } }],
    count,
    message: (index) => ({ action: 'Transfer', tags: { Quantity: '1', Recipient: `account-${index % 50}` } }),
  });
  const rounds: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 5); round++) rounds.push((await replay(prepared)) / count);
  return { value: median(rounds), unit: 'ms/slot' };
});
