/** The screens of a followed process, against a legacynet over HTTP that can be held up and made to lie. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { ANSWERING_MODULE } from '../setup/answering-module.ts';
import { COMPUTE, FakeLegacynet, GATEWAY, SCHEDULER } from '../setup/fake-legacynet.ts';
import { accessibilityFaults, expect, openApp, test } from './app.ts';

const UNITS: Record<string, string> = { gateway: GATEWAY, scheduler: SCHEDULER, compute: COMPUTE };

/** The legacynet of the tests on a port, its units under paths. */
class HttpLegacynet {
  readonly net: FakeLegacynet;
  readonly #server: Server;
  /** Requests for pages of the schedule wait for it. */
  gate: Promise<void> | undefined;
  url = '';

  constructor(net: FakeLegacynet) {
    this.net = net;
    this.#server = createServer((request, response) =>
      this.#answer(request, response).catch(() => response.destroy()),
    );
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    // The scheduler's record names the place where it is.
    this.net.tamper = (asked, reply) =>
      asked.pathname === '/graphql'
        ? JSON.parse(JSON.stringify(reply).replaceAll(SCHEDULER, `${this.url}/scheduler`))
        : reply;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    if (request.method === 'OPTIONS') return void response.end();
    const [, unit = '', path = ''] = /^\/(\w+)(.*)$/.exec(request.url ?? '') ?? [];
    if (unit === 'scheduler' && /from-nonce=[1-9]/.test(path)) await this.gate;
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const answer = await this.net.transport().request(
      {
        method: request.method ?? 'GET',
        target: `${UNITS[unit]}${path}`,
        headers: [],
        body: new Uint8Array(Buffer.concat(chunks)),
      },
      {},
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(answer.body);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const right = { Output: { data: 'fine' }, Messages: [], Spawns: [], Assignments: [] };

async function send(net: FakeLegacynet, result: unknown = right): Promise<void> {
  const { idText } = await net.send([['Action', 'Any']], 'x');
  net.results.set(idText, result);
}

const card = (page: Page) => page.getByRole('region', { name: 'Following' });

test('a process is followed: begun, paused, gone on with after a reload, and stopped by a result that differs', async ({
  page,
}) => {
  const net = await FakeLegacynet.create({ module: ANSWERING_MODULE });
  for (let index = 0; index < 5; index++) await send(net);
  net.pageSize = 3;
  const legacynet = new HttpLegacynet(net);
  await legacynet.listen();
  try {
    let open = () => {};
    legacynet.gate = new Promise((resolve) => (open = resolve));
    await openApp(page, '/follow');
    await page.getByLabel('Process', { exact: true }).fill(net.id);
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('Gateway').fill(`${legacynet.url}/gateway`);
    await page.getByLabel('Compute unit to compare with').fill(`${legacynet.url}/compute`);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Follow it' }).click();

    // The first page is computed, the next does not come.
    await expect(card(page).getByText('3 of 6 messages computed')).toBeVisible({ timeout: 30_000 });
    await expect(card(page).getByRole('progressbar')).toHaveAttribute('value', '0.5');
    await expect(card(page)).toContainText(`${legacynet.url}/scheduler`);
    await card(page).getByRole('button', { name: 'Pause' }).click();
    await expect(card(page).getByRole('heading', { name: 'Paused' })).toBeVisible();

    await page.reload();
    await expect(card(page).getByRole('heading', { name: 'Paused' })).toBeVisible();
    await expect(card(page)).toContainText('what is done is kept');
    open();
    await card(page).getByRole('button', { name: 'Go on' }).click();
    await expect(card(page).getByRole('heading', { name: 'Followed: at its newest message' })).toBeVisible();
    await expect(card(page).getByText('6 of 6 messages computed')).toBeVisible();
    await expect(card(page)).toContainText('5 results are the same as those of the compute unit');

    // It goes on by itself after a reload, and sees what is new.
    await page.reload();
    await send(net);
    await expect(card(page).getByText('7 of 7 messages computed')).toBeVisible();
    expect(await accessibilityFaults(page)).toEqual([]);

    await send(net, { ...right, Output: { data: 'a lie' } });
    await expect(card(page).getByRole('heading', { name: 'It cannot go on' })).toBeVisible();
    await expect(card(page).getByRole('alert')).toContainText('It stopped at message 7');
    await expect(card(page).getByRole('alert')).toContainText(
      'says "a lie" at Output/data; computed here, it is "fine"',
    );
    expect(await accessibilityFaults(page)).toEqual([]);
    const saving = page.waitForEvent('download');
    await card(page).getByRole('button', { name: 'Save the evidence' }).click();
    expect((await saving).suggestedFilename()).toMatch(/^evidence-.*\.json$/);

    await page.goto('/#/follow');
    await expect(page.getByText('cannot go on, 8 of 8')).toBeVisible();
    await page.goBack();
    await card(page).getByRole('button', { name: 'Stop following' }).click();
    await expect(card(page)).toHaveCount(0);
  } finally {
    await legacynet.close();
  }
});

test('what cannot be followed says why', async ({ page }) => {
  const net = await FakeLegacynet.create({ module: ANSWERING_MODULE });
  await send(net);
  const legacynet = new HttpLegacynet(net);
  await legacynet.listen();
  try {
    net.slots.splice(0, 1);
    await openApp(page, `/follow?id=${net.id}`);
    await expect(page.getByLabel('Process', { exact: true })).toHaveValue(net.id);
    await page.getByText('More', { exact: true }).click();
    await page.getByLabel('Gateway').fill(`${legacynet.url}/gateway`);
    await page.getByRole('button', { name: 'Follow it' }).click();
    await expect(card(page).getByRole('heading', { name: 'It cannot go on' })).toBeVisible();
    await expect(card(page).getByRole('alert')).toContainText('the assignment is for slot 1');
    expect(await accessibilityFaults(page)).toEqual([]);
  } finally {
    await legacynet.close();
  }
});
