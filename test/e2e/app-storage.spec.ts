/** Browsers that offer less: no storage, no 64-bit memory, no space. Nothing is lost silently, and the page says why. */
import type { Browser, Page } from '@playwright/test';
import { accessibilityFaults, expect, newProcess, openApp, sendMessage, test } from './app.ts';

/** A page whose node worker runs `before` first: a browser without something. */
async function without(browser: Browser, before: string): Promise<Page> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  await context.route(/node\.worker-[^/]+\.js$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${before}\n${await answer.text()}` });
  });
  return context.newPage();
}

test('without IndexedDB the page says that all of it is in memory', async ({ browser }) => {
  const page = await without(
    browser,
    "Object.defineProperty(globalThis, 'indexedDB', { value: undefined });",
  );
  await newProcess(page, /^Counter/, 'forgetful');
  await sendMessage(page, { action: 'Inc' });
  await expect(page.getByRole('log').getByRole('link', { name: 'slot 1' })).toBeVisible();
  await page.goto('/#/');
  const glance = page.getByRole('region', { name: 'The node at a glance' });
  await expect(glance).toContainText('In memory only');
  await expect(glance).toContainText('gone when the tab closes');
  await page.goto('/#/storage');
  await expect(page.getByText('This browser keeps nothing for this page')).toBeVisible();
  expect(await accessibilityFaults(page)).toEqual([]);
  await page.context().close();
});

test('when the browser loses the database the app says so, and the node begins anew', async ({ page }) => {
  await newProcess(page, /^Ledger/, 'soon-lost');
  await page.goto('/#/');
  const glance = page.getByRole('region', { name: 'The node at a glance' });
  await expect(glance).not.toContainText('has lost');
  // A page of the same origin on which no node runs.
  await page.goto('/manifest.webmanifest');
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const request = indexedDB.deleteDatabase('beamlet');
        request.onsuccess = resolve;
        request.onerror = reject;
      }),
  );
  await openApp(page);
  await expect(glance).toContainText('has lost the processes, messages and key');
  await openApp(page, '/storage');
  await expect(page.getByText('The browser lost all that was stored here before')).toBeVisible();
  await expect(page.getByText('soon-lost')).toHaveCount(0);
});

test('without 64-bit memory it says what cannot run, and the rest runs', async ({ browser }) => {
  const page = await without(browser, 'WebAssembly.validate = () => false;');
  await openApp(page);
  await expect(page.getByText('has no 64-bit WebAssembly memory')).toBeVisible();
  await newProcess(page, /^Ledger/, 'still-runs');
  await sendMessage(page, { action: 'Info' });
  await expect(page.getByRole('log').getByRole('link', { name: 'slot 1' })).toBeVisible();
  await page.context().close();
});

/** Writes as a browser without room does, while it is told to. */
const FULL = `
  let full = false;
  new BroadcastChannel('test-full').onmessage = ({ data }) => (full = data);
  for (const name of ['put', 'add']) {
    const write = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...given) {
      if (full) throw new DOMException('There is no room.', 'QuotaExceededError');
      return write.apply(this, given);
    };
  }`;

test('storage that is full: what does not fit is refused, what was there stays', async ({ browser }) => {
  const page = await without(browser, FULL);
  const fill = (full: boolean) =>
    page.evaluate((now) => new BroadcastChannel('test-full').postMessage(now), full);
  await newProcess(page, /^Counter/, 'full');
  await sendMessage(page, { action: 'Inc' });
  const log = page.getByRole('log');
  await expect(log.getByRole('link', { name: 'slot 1' })).toBeVisible();
  await fill(true);
  await sendMessage(page, { action: 'Inc' });
  await expect(log).toContainText('storage-full', { timeout: 30_000 });
  await expect(log).toContainText('nothing was written');
  await fill(false);
  await sendMessage(page, { action: 'Inc' });
  await expect(log.getByRole('link', { name: 'slot 2' })).toBeVisible();
  await page.reload();
  await expect(log.getByRole('link', { name: 'slot 2' })).toBeVisible();
  await page.context().close();
});

test('the user can ask the browser to keep it', async ({ page }) => {
  await openApp(page, '/storage');
  const keep = page.getByRole('button', { name: 'Keep it from being evicted' });
  await keep.click();
  // Browsers decide by themselves; either answer is said.
  await expect(
    page.getByText(/did not agree yet|The browser keeps it until you delete it/).first(),
  ).toBeVisible();
});
