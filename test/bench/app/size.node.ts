/** `size.node`: kilobytes, gzipped, for a working node: `size.initial`, the workers with what they import, the Service Worker. */
import { defineAppBench } from '../app-bench.ts';
import { assets, builtApp, gzipped, initialFiles, withImports } from '../built-app.ts';

export default defineAppBench(async () => {
  const files = builtApp();
  const workers = [...assets(files, 'node.worker'), ...assets(files, 'process.worker'), '/service-worker.js'];
  return {
    value: gzipped(files, new Set([...initialFiles(files), ...withImports(files, workers)])),
    unit: 'kB',
  };
});
