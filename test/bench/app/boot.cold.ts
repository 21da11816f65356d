/**
 * `boot.cold`: milliseconds from opening the app in an empty profile to a node that answers AO paths through the Service
 * Worker. Making the node's key (RSA-4096, a random search of its own length) is part of it.
 */
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
      const times: number[] = [];
      for (let round = 0; round < (quick ? 1 : 9); round++) {
        const page = await browser.newPage();
        times.push(await boot(page, server.origin));
        await page.close();
      }
      return { value: median(times), unit: 'ms' };
    });
  } finally {
    await server.close();
  }
});
