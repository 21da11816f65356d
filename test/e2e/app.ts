/** What the end-to-end tests of the app share: a page that reports its errors, and the steps of a user. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test as base, type Page } from '@playwright/test';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A test whose page must not log errors. */
export const test = base.extend<{ quiet: string[] }>({
  quiet: [
    async ({ page }, use) => {
      const said: string[] = [];
      page.on('console', (message) => {
        if (message.type() !== 'error') return;
        // The browser logs every answer of 400 and more by itself, asked for or not.
        if (message.text().startsWith('Failed to load resource')) return;
        // The test's own recorder, put into a frame that shows a stranger's page and runs no scripts.
        if (message.text().startsWith("Blocked script execution in 'about:srcdoc'")) return;
        said.push(message.text());
      });
      page.on('pageerror', (error) => said.push(String(error)));
      await use(said);
      expect(said, 'errors in the console').toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };

/** Opens the app and waits until its node has started. `origin`: another one than the tests' own. */
export async function openApp(page: Page, hash = '/', origin = ''): Promise<void> {
  await page.goto(`${origin}/#${hash}`);
  await expect(page.locator('header').getByText(/^(online|offline)$/)).toBeVisible();
}

/** Makes a process from what the dialog offers under `choice`, and lands on its prompt. Answers its ID. */
export async function newProcess(page: Page, choice: string | RegExp, name: string): Promise<string> {
  await openApp(page, '/new');
  const dialog = page.getByRole('dialog', { name: 'New process' });
  await dialog.getByRole('radio', { name: choice }).check();
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Create process' }).click();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible({ timeout: 60_000 });
  return /#\/process\/([A-Za-z0-9_-]{43})\//.exec(page.url())![1]!;
}

/** Types Lua at the prompt and runs it. */
export async function evaluate(page: Page, code: string): Promise<void> {
  const input = page.getByLabel('Lua to evaluate');
  await input.click();
  await page.keyboard.insertText(code);
  await page.keyboard.press('Control+Enter');
}

/** Sends a message from the composer. */
export async function sendMessage(page: Page, message: { action?: string; data?: string }): Promise<void> {
  const toggle = page.getByRole('button', { name: 'Message', exact: true });
  if (await toggle.isVisible()) await toggle.click();
  if (message.action !== undefined) await page.getByLabel('Action').fill(message.action);
  if (message.data !== undefined) await page.getByLabel('Data').fill(message.data);
  await page.getByRole('button', { name: 'Send', exact: true }).click();
}

/** Waits until the Service Worker answers this page's AO paths. */
export async function controlled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** What axe finds wrong, a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(root: Document): Promise<{ violations: { id: string; nodes: { target: string[] }[] }[] }> };
    };
    const { violations } = await axe.run(document);
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(', ')}`,
    );
  });
}
