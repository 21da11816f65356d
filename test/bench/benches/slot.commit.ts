/**
 * `slot.commit`: milliseconds that storing one computed slot of aos 2.0.6 takes (result, state, outbox and head in one
 * transaction of IndexedDB), slot by slot. Beside: writing the whole memory as one value, the plain way to keep a slot.
 * `bytes` are those of what was written, counted over its parts.
 */
import { importProcess } from '../../../src/node/process-file.ts';
import type { Store } from '../../../src/store/store.ts';
import { aosScenario } from '../aos.ts';
import { defineBench, median, time } from '../bench.ts';
import { ask, openBenchNode, prepare, withDatabase } from '../replay.ts';

/** Bytes of the memory of aos after its first message. */
const MEMORY_BYTES = 105 * 1024 * 1024;

interface Commit {
  readonly took: number;
  readonly bytes: number;
}

/** The store, with what writing slots cost. */
function watched(store: Store, commits: Commit[]): Store {
  return {
    get: (table, key) => store.get(table, key),
    getMany: (table, keys) => store.getMany(table, keys),
    range: (table, range) => store.range(table, range),
    keys: (table, range) => store.keys(table, range),
    close: () => store.close(),
    async write(writes, options) {
      const took = await time(() => store.write(writes, options));
      if (writes.some(({ table }) => table === 'slots')) commits.push({ took, bytes: sizeOf(writes) });
    },
  };
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof Map) return sizeOf([...value]);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).reduce((sum, [key, item]) => sum + key.length + sizeOf(item), 0);
  return 8;
}

export default defineBench(async (context) => {
  const count = context.quick ? 5 : 40;
  const { id, file, wallet, first } = await prepare(await aosScenario(context, count));
  return withDatabase(async (store) => {
    const commits: Commit[] = [];
    const { node } = await openBenchNode(watched(store, commits), wallet);
    const whole: number[] = [];
    const memory = crypto.getRandomValues(new Uint8Array(65536));
    const all = new Uint8Array(MEMORY_BYTES);
    for (let at = 0; at < all.length; at += 50 * memory.length) all.set(memory, at);
    try {
      await importProcess(file, node.context);
      await ask(node, `/${id}~process@1.0/compute&slot=${first}/at-slot`);
      commits.length = 0;
      for (let slot = first + 1; slot <= first + count; slot++) {
        await ask(node, `/${id}~process@1.0/compute&slot=${slot}/at-slot`);
        if ((slot - first) % 8 === 1)
          whole.push(await time(() => store.write([{ table: 'data', key: 'whole', value: all }])));
      }
    } finally {
      await node.close();
    }
    return [
      {
        value: median(commits.map(({ took }) => took)),
        unit: 'ms',
        baseline: 'whole memory',
        baselineValue: median(whole),
      },
      {
        part: 'bytes',
        value: median(commits.map(({ bytes }) => bytes)),
        unit: 'B',
        baseline: 'whole memory',
        baselineValue: MEMORY_BYTES,
      },
    ];
  });
});
