/**
 * `read.now.cached`: milliseconds of `fetch('/PID~process@1.0/now/key')` from a page, the slot computed already. Beside: a
 * constant reply of the same Service Worker (a small file of its precache).
 */
import { buildPage, servePage } from '../../setup/bundle.ts';
import { defineAppBench } from '../app-bench.ts';
import { median } from '../bench.ts';
import { builtApp, withBrowser } from '../built-app.ts';

const PAGE = 'test/bench/node-page.html';

export default defineAppBench(async ({ quick }) => {
  const files = new Map([...builtApp(), ...(await buildPage(PAGE))]);
  const server = await servePage(files);
  try {
    return await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${server.origin}/${PAGE}`);
      const id = await page.evaluate(() => window.prepare());
      const paths = [`/${id}~process@1.0/now/count`, '/theme.js', quick ? 20 : 200] as const;
      const times = await page.evaluate(
        ([subject, baseline, rounds]) => window.timeFetches(subject, baseline, rounds),
        paths,
      );
      return {
        value: median(times.subject),
        unit: 'ms',
        baseline: 'constant reply',
        baselineValue: median(times.baseline),
      };
    });
  } finally {
    await server.close();
  }
});
