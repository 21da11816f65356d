/** `size.initial`: kilobytes, gzipped, of what the browser has to have before the first paint: document, scripts, styles. */
import { defineAppBench } from '../app-bench.ts';
import { builtApp, gzipped, initialFiles } from '../built-app.ts';

export default defineAppBench(async () => {
  const files = builtApp();
  return { value: gzipped(files, initialFiles(files)), unit: 'kB' };
});
