/** `boot.warm`: the same as `boot.cold` on a second visit: Service Worker, cache, key and database are there. */
import { serve } from '../../setup/serve.mjs';
import { defineAppBench } from '../app-bench.ts';
import { median } from '../bench.ts';
import { boot } from '../boot.ts';
import { builtApp, withBrowser } from '../built-app.ts';

export default defineAppBench(async ({ quick }) => {
  builtApp();
  const server = await serve({ port: 0 });
  try {
    return await withBrowser(async (browser) => {
      const context = await browser.newContext();
      const visit = async () => {
        const page = await context.newPage();
        try {
          return await boot(page, server.origin);
        } finally {
          await page.close();
        }
      };
      await visit();
      const times: number[] = [];
      for (let round = 0; round < (quick ? 2 : 9); round++) times.push(await visit());
      return { value: median(times), unit: 'ms' };
    });
  } finally {
    await server.close();
  }
});
