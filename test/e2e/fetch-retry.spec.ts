/** `node.fetch` while the browser stops the Service Worker, and while the node goes away with it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { BrowserContext, Page } from '@playwright/test';
import { buildPage } from '../setup/bundle.ts';
import { serve, type Served } from '../setup/serve.mjs';
import { controlled, expect, openApp, test } from './app.ts';

const folder = mkdtempSync(join(tmpdir(), 'beamlet-fetch-'));
let served: Served | undefined;
let slow: Server | undefined;
/** Path of the page's script: the Service Worker answers navigations with the app. */
let script = '';
/** Answers that the slow server owes. */
let owed: (() => void)[] = [];

/** Room for the app, the node and a few large messages, in bytes. */
const QUOTA = 12_000_000;

/** The built app with a page beside it, and a server that answers when it is told to. */
test.beforeAll(async () => {
  cpSync('dist', folder, { recursive: true });
  for (const [path, content] of await buildPage('test/e2e/fetch-page.html')) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    if (/\/fetch-page[^/]*\.js$/.test(path)) script = path;
  }
  served = await serve({ port: 0, directory: folder });
  slow = createServer((request, response) => {
    if (request.method === 'OPTIONS') {
      const any = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
      response.writeHead(204, any).end();
      return;
    }
    owed.push(() => {
      response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'text/plain' });
      response.end('at last');
    });
  });
  await new Promise<void>((resolve) => slow!.listen(0, '127.0.0.1', resolve));
});
test.beforeEach(() => (owed = []));
test.afterAll(async () => {
  slow?.closeAllConnections();
  slow?.close();
  await served?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openAsker(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await openApp(page, '/', served!.origin);
  await controlled(page);
  await page.evaluate((path) => import(path), script);
  return page;
}

const ask = (page: Page, path: string) => page.evaluate((target) => window.ask(target), path);

/** A path whose answer the slow server holds back. */
const slowPath = () =>
  `/~relay@1.0/call/body?relay-path=http://127.0.0.1:${(slow!.address() as AddressInfo).port}/x`;

async function stopWorkers(page: Page, context: BrowserContext): Promise<void> {
  const devtools = await context.newCDPSession(page);
  await devtools.send('ServiceWorker.enable');
  await devtools.send('ServiceWorker.stopAllWorkers');
}

test('a request that is under way when the Service Worker is stopped is answered', async ({
  page,
  context,
}) => {
  await openApp(page, '/', served!.origin);
  await controlled(page);
  const other = await openAsker(context);
  const asking = ask(other, slowPath());
  await expect.poll(() => owed.length).toBe(1);
  await stopWorkers(page, context);
  owed.forEach((answer) => answer());
  expect(await asking).toEqual({ status: 200, text: 'at last' });

  // Stopped while it hands over the port: another is asked for.
  const late = await openAsker(context);
  const first = ask(late, '/~message@1.0&a=here/a');
  await stopWorkers(page, context);
  expect(await first).toEqual({ status: 200, text: 'here' });
});

test('a request that is under way when node and Service Worker go is made again', async ({
  page,
  context,
}) => {
  await openApp(page, '/', served!.origin);
  await controlled(page);
  const other = await openAsker(context);
  const asking = ask(other, slowPath());
  await expect.poll(() => owed.length).toBe(1);
  await stopWorkers(other, context);
  await page.close();
  await expect.poll(() => owed.length, { timeout: 30_000 }).toBe(2);
  owed.forEach((answer) => answer());
  expect(await asking).toEqual({ status: 200, text: 'at last' });
});

test('messages under way when the tab of the node closes, and when the next one crashes, are scheduled once', async ({
  page,
  context,
}) => {
  await openApp(page, '/', served!.origin);
  await controlled(page);
  const next = await context.newPage();
  await openApp(next, '/', served!.origin);
  const sender = await openAsker(context);
  const id = await sender.evaluate(() => window.makeCounter());
  const count = 60;
  const sending = sender.evaluate(([process, many]) => window.sendMany(process, many), [id, count] as const);
  const acknowledged = (least: number) =>
    expect.poll(() => sender.evaluate(() => window.acknowledged), { timeout: 30_000 }).toBeGreaterThan(least);
  await acknowledged(5);
  await page.close();
  await acknowledged(20);
  const crashed = next.waitForEvent('crash');
  const devtools = await context.newCDPSession(next);
  devtools.send('Page.crash').catch(() => {});
  await crashed;
  const sent = await sending;
  const messages = await sender.evaluate((process) => window.messages(process), id);
  expect(sent).toHaveLength(count);
  expect(messages.toSorted()).toEqual(sent.map((one) => one.id).toSorted());
  expect(sent.filter(({ slot, id: message }) => messages[count - slot] !== message)).toEqual([]);
  const answer = await ask(sender, `/${id}~process@1.0/now/count`);
  expect(answer).toEqual({ status: 200, text: String(count) });
});

test('when the quota is used up messages are refused whole, and taken again once there is room', async ({
  page: blank,
  context,
}) => {
  const { origin } = served!;
  // Given before the database is opened: the browser asks how much room there is only now and then.
  const devtools = await context.newCDPSession(blank);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: QUOTA });
  const page = await openAsker(context);
  const id = await page.evaluate(() => window.makeCounter());
  const send = (size: number) =>
    page.evaluate(([process, many]) => window.sendLarge(process, many), [id, size] as const);
  expect(await send(1)).toBe(1);
  let taken = 1;
  let refused: unknown;
  for (let tries = 0; tries < 60 && refused === undefined; tries++) {
    const answer = await send(400_000);
    if (typeof answer === 'number') expect(answer).toBe(++taken);
    else refused = answer;
  }
  expect(refused).toEqual({ code: 'storage-full', status: 507 });
  // A snapshot has no room either: the machine ends without one, and what it knew is computed again.
  await page.evaluate((process) => window.stopMachine(process), id);
  expect(await page.evaluate((process) => window.messages(process), id)).toHaveLength(taken);
  expect(await ask(page, `/${id}~process@1.0/now/count`)).toEqual({ status: 200, text: String(taken) });
  await devtools.send('Storage.overrideQuotaForOrigin', { origin });
  expect(await send(400_000)).toBe(taken + 1);
  expect(await ask(page, `/${id}~process@1.0/now/count`)).toEqual({ status: 200, text: String(taken + 1) });
});
