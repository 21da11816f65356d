/** The benchmark runner's page: a fresh worker for every benchmark. */
import type { Measure } from './bench.ts';

declare global {
  interface Window {
    runBench(name: string, quick: boolean): Promise<Measure[]>;
    /** Given by the runner: what `BenchContext.heap` answers. */
    workerHeaps(): Promise<number>;
  }
}

window.runBench = (name, quick) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bench.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<{ measures?: Measure[]; error?: string; ask?: 'heap' }>) => {
      if (data.ask) {
        void window.workerHeaps().then((heap) => worker.postMessage({ heap }));
        return;
      }
      worker.terminate();
      if (data.measures) resolve(data.measures);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => reject(new Error(event.message || 'The worker failed to start.'));
    worker.postMessage({ name, quick });
  });
