/** Runs the one benchmark that it is asked for. */
import { modules } from 'virtual:benches';
import type { BenchContext } from './bench.ts';

async function run(name: string, quick: boolean): Promise<unknown> {
  const context: BenchContext = {
    quick,
    async module(sha256) {
      const response = await fetch(`/modules/${sha256}`);
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
    },
    async vectors(file) {
      const response = await fetch(`/vectors/${file}`);
      if (!response.ok) throw new Error(`There is no vector file ${file}.`);
      return response.json();
    },
    heap: () =>
      new Promise((resolve) => {
        self.addEventListener('message', ({ data }: MessageEvent<{ heap: number }>) => resolve(data.heap), {
          once: true,
        });
        self.postMessage({ ask: 'heap' });
      }),
  };
  const { default: bench } = await modules[name]!();
  return [await bench.run(context)].flat();
}

self.addEventListener('message', ({ data }: MessageEvent<{ name?: string; quick?: boolean }>) => {
  if (data.name === undefined) return;
  run(data.name, data.quick ?? false).then(
    (measures) => self.postMessage({ measures }),
    (error: unknown) => self.postMessage({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
