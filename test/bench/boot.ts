/** Opens the built app and waits for its node. */
import type { Page } from 'playwright';

const PATIENCE = 60_000;

/** Milliseconds from the start of the navigation until the node answers an AO path of the page. */
export async function boot(page: Page, url: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' });
  return page.evaluate(async (patience) => {
    while (performance.now() < patience) {
      const answer = await fetch('/~meta@1.0/info/address').catch(() => undefined);
      if (answer?.ok && (await answer.text()).length === 43) return performance.now();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('The node did not answer.');
  }, PATIENCE);
}
