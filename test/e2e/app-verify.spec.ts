/** Verifying what another node says: two browsers, each with a node of its own, over real HTTP. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { accessibilityFaults, controlled, expect, newProcess, openApp, sendMessage, test } from './app.ts';

type Change = (path: string, body: string) => string;

/** Answers HTTP with what the node in `page` answers; `change` makes it lie. */
async function publish(page: Page, change: Change = (_, body) => body) {
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const headers = Object.entries(request.headers).filter(
      ([name]) =>
        !/^(host|connection|origin|referer|sec-|user-agent|accept-encoding|content-length)/.test(name),
    ) as [string, string][];
    const got = await page.evaluate(
      async ([path, fields]) => {
        const reply = await fetch(path, { headers: fields });
        const bytes = new Uint8Array(await reply.arrayBuffer());
        let body = '';
        for (const byte of bytes) body += String.fromCharCode(byte);
        return { status: reply.status, headers: [...reply.headers], body };
      },
      [request.url!, headers] as [string, [string, string][]],
    );
    const allow = {
      'access-control-allow-origin': '*',
      'access-control-expose-headers': '*',
      'access-control-allow-headers': '*',
    };
    if (request.method === 'OPTIONS') return response.writeHead(204, allow).end();
    // What the Service Worker adds for the browser's sake is no part of the message.
    const kept = got.headers.filter(
      ([name]) =>
        !/^(access-control|content-length|content-encoding|content-security|referrer|transfer|x-)/.test(name),
    );
    response.writeHead(got.status, { ...Object.fromEntries(kept), ...allow });
    response.end(Buffer.from(change(request.url!, got.body), 'latin1'));
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

/** A counter with some messages, in a node of its own. */
async function counterElsewhere(page: Page): Promise<string> {
  const id = await newProcess(page, /^Counter/, 'elsewhere');
  for (let slot = 1; slot <= 3; slot++) {
    await sendMessage(page, { action: 'Inc' });
    await expect(page.getByRole('log').getByRole('link', { name: `slot ${slot}` })).toBeVisible();
  }
  await controlled(page);
  return id;
}

async function verify(page: Page, url: string, result: 'Verified' | 'Checked' = 'Verified') {
  await openApp(page, '/verify');
  await page.getByLabel('What to verify').fill(url);
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  const heading = page.getByRole('heading', { level: 1, name: new RegExp(`^${result} `) });
  await expect(heading).toBeVisible({ timeout: 60_000 });
}

test('an honest node is proven here, and again at the price of what is new', async ({ page, browser }) => {
  const elsewhere = await (await browser.newContext()).newPage();
  const id = await counterElsewhere(elsewhere);
  const peer = await publish(elsewhere);
  await verify(page, `${peer.origin}/${id}~process@1.0/now/count`);
  const proven = page.getByRole('region', { name: 'What was proven' });
  await expect(page.locator('main').getByText('Proven here').first()).toBeVisible();
  await expect(proven).toContainText('4 assignments');
  await expect(proven).toContainText('from the very first');
  await expect(page.getByRole('region', { name: 'What was not checked' })).toContainText(
    'No other node was asked',
  );
  expect(await accessibilityFaults(page)).toEqual([]);

  await page.reload();
  await expect(proven).toContainText('4 assignments');
  await page.getByRole('button', { name: 'Verify again' }).click();
  await expect(proven).toContainText('Nothing was new');
  await peer.close();
  await elsewhere.context().close();
});

test('a node that lies about a value is contradicted', async ({ page, browser }) => {
  const elsewhere = await (await browser.newContext()).newPage();
  const id = await counterElsewhere(elsewhere);
  const peer = await publish(elsewhere, (path, body) =>
    path.endsWith('/count') ? body.replace('3', '9') : body,
  );
  await verify(page, `${peer.origin}/${id}~process@1.0/now/count`, 'Checked');
  await expect(page.getByText(/^(Contradicted|Could not be shown)$/).first()).toBeVisible();
  await expect(page.locator('main').getByText('Proven here')).toHaveCount(0);
  await peer.close();
  await elsewhere.context().close();
});

test('what cannot be verified says why', async ({ page }) => {
  await openApp(page, '/verify');
  await page.getByLabel('What to verify').fill('https://node.example/not-a-process');
  await page.getByRole('button', { name: 'Verify', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('looks like');
  await verify(page, `http://127.0.0.1:9/${'x'.repeat(43)}~process@1.0/now`, 'Checked');
  await expect(page.getByText('Could not be shown').first()).toBeVisible();
  await page.goto('/#/nodes');
  await page.getByLabel('Add a node').fill('not a node');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('not the address');
  expect(await accessibilityFaults(page)).toEqual([]);
});
