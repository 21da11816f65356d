/** The benchmark runner's page: a fresh worker for every benchmark. */
import type { Measure } from './bench.ts';

declare global {
  interface Window {
    runBench(name: string, quick: boolean): Promise<Measure[]>;
  }
}

window.runBench = (name, quick) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./bench.worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<{ measures?: Measure[]; error?: string }>) => {
      worker.terminate();
      if (data.measures) resolve(data.measures);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => reject(new Error(event.message || 'The worker failed to start.'));
    worker.postMessage({ name, quick });
  });
