import type { BrowserContext, Page } from '@playwright/test';
import { expect, newProcess, openApp, test } from './app.ts';

/** Asks an AO path by plain `fetch`, as any script of the page would. */
const ask = (page: Page, path: string) =>
  page.evaluate(async (target) => {
    const response = await fetch(target, { headers: { 'accept-bundle': 'true' } });
    return { status: response.status, text: await response.text() };
  }, path);

async function controlled(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

async function openTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await openApp(page);
  await controlled(page);
  return page;
}

test('tabs share one node; when the tab that runs it closes, another takes over', async ({
  page,
  context,
}) => {
  const id = await newProcess(page, /Counter/, 'shared');
  await controlled(page);
  const second = await openTab(context);
  await expect(second.getByText('shared')).toBeVisible();
  const address = await ask(page, '/~meta@1.0/info/address');
  expect(await ask(second, '/~meta@1.0/info/address')).toEqual(address);
  // Asked while the node goes away: the call is made again by itself.
  const asking = ask(second, `/${id}~process@1.0/now/count`);
  await page.close();
  expect(await asking).toEqual({ status: 200, text: '0' });
  expect(await ask(second, '/~meta@1.0/info/address')).toEqual(address);
});

test('a Service Worker that the browser stopped answers the next request', async ({ page, context }) => {
  await openApp(page);
  await controlled(page);
  const before = await ask(page, '/~meta@1.0/info/address');
  const devtools = await context.newCDPSession(page);
  await devtools.send('ServiceWorker.enable');
  await devtools.send('ServiceWorker.stopAllWorkers');
  expect(await ask(page, '/~meta@1.0/info/address')).toEqual(before);
});

test('a page that a process serves can reach nothing of the app', async ({ page, context }) => {
  await openApp(page);
  await controlled(page);
  const probe = `<!doctype html><title>hostile</title><p id="out"></p><script>
    (async () => {
      const tries = {
        origin: () => self.origin,
        storage: () => localStorage.length,
        database: () => new Promise((resolve, reject) => {
          const request = indexedDB.open('beamlet');
          request.onsuccess = () => resolve('open');
          request.onerror = () => reject(new Error('refused'));
        }),
        worker: () => navigator.serviceWorker.register('/service-worker.js'),
        controller: () => String(navigator.serviceWorker.controller),
        cookie: () => document.cookie,
        locks: () => navigator.locks.query().then((all) => all.held.length),
      };
      const out = {};
      for (const [name, act] of Object.entries(tries))
        try { out[name] = ['reached: ', await act()].join(''); } catch (error) { out[name] = 'refused'; }
      document.getElementById('out').textContent = JSON.stringify(out);
    })();
  </script>`;
  // No plus sign in it: a query of an AO path is decoded twice, and a plus is a space the second time.
  const query = new URLSearchParams({ 'content-type': 'text/html', body: probe });
  const served = await context.newPage();
  const response = await served.goto(`/~message@1.0?${query}`);
  expect(response?.headers()['content-security-policy']).toContain('sandbox');
  await expect(served.locator('#out')).not.toBeEmpty();
  const found = JSON.parse((await served.locator('#out').textContent())!) as Record<string, string>;
  const { origin, controller, ...rights } = found;
  expect(origin).toBe('reached: null');
  expect(controller ?? 'refused').not.toContain('ServiceWorker]');
  expect(Object.entries(rights).filter(([, answer]) => answer.startsWith('reached'))).toEqual([]);
});

/** Tries every way to a port of the node; answers those by which it said hello. Runs in the page that is tried. */
async function portsReached(wait: number): Promise<string[]> {
  const messages = [{ type: 'beamlet:connect' }, { type: 'beamlet:connect', database: 'beamlet' }];
  // One for all tries: two of a page would hear each other.
  const channel = new BroadcastChannel('beamlet:leader');
  const targets: Record<string, () => { postMessage: (message: unknown, ...rest: never[]) => void } | null> =
    {
      opener: () => window.opener as Window | null,
      parent: () => window.parent,
      top: () => window.top,
      self: () => window,
      'first frame of the opener': () => (window.opener as Window | null)?.frames[0] ?? null,
      'Service Worker': () => navigator.serviceWorker.controller,
      'leader channel': () => channel,
    };
  const hello = (port: { postMessage(message: unknown): void }) =>
    port.postMessage({ id: '1', type: 'APPLY', path: ['ping'], argumentList: [] });
  const reached: string[] = [];
  for (const [name, find] of Object.entries(targets))
    for (const message of messages)
      try {
        const target = find();
        if (!target) continue;
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => reached.push(name);
        if (target instanceof BroadcastChannel) {
          target.onmessage = () => reached.push(name);
          target.postMessage('leader');
          hello(target);
        } else if (target instanceof Window || !('scriptURL' in target))
          target.postMessage(message, ...(['*', [port2]] as never[]));
        else target.postMessage(message, ...([[port2]] as never[]));
        hello(port1);
      } catch {
        // Refused.
      }
  await new Promise((resolve) => setTimeout(resolve, wait));
  return [...new Set(reached)];
}

test('a page that a process serves cannot reach a port of the node', async ({ page, context }) => {
  await openApp(page);
  await controlled(page);
  // A page of the app's own finds one, so the attempts are good ones.
  expect(await page.evaluate(portsReached, 3_000)).toContain('Service Worker');
  const elections = () => page.evaluate(() => (globalThis as unknown as { elections: number }).elections);
  await page.evaluate(() => {
    const seen = globalThis as unknown as { elections: number };
    seen.elections = 0;
    new BroadcastChannel('beamlet:leader').onmessage = () => seen.elections++;
  });
  const script = `(${portsReached.toString()})(3000).then((found) => {
    document.getElementById('out').textContent = JSON.stringify({ found, origin: self.origin,
      opener: Boolean(window.opener), framed: window.parent !== window });
  });`;
  // As digits: a query of an AO path gives many signs a meaning of their own.
  const digits = Buffer.from(script).toString('hex');
  const probe = `<!doctype html><title>hostile</title><p id="out"></p><script>
    eval('${digits}'.replace(/../g, (pair) => String.fromCharCode(parseInt(pair, 16))));
  </script>`;
  const path = `/~message@1.0?${new URLSearchParams({ 'content-type': 'text/html', body: probe })}`;
  const opening = context.waitForEvent('page');
  await page.evaluate((target) => {
    window.open(target);
    const frame = document.createElement('iframe');
    frame.id = 'hostile';
    frame.src = target;
    document.body.append(frame);
  }, path);
  const opened = await opening;
  for (const [place, found] of [
    [opened.locator('#out'), { opener: true, framed: false }],
    [page.frameLocator('#hostile').locator('#out'), { opener: false, framed: true }],
  ] as const) {
    await expect(place).not.toBeEmpty();
    expect(JSON.parse((await place.textContent())!)).toEqual({ found: [], origin: 'null', ...found });
  }
  expect(await elections()).toBe(0);
  expect((await ask(page, '/~meta@1.0/info/address')).status).toBe(200);
});

test('before it is served by the node, an AO path is never answered with the app', async ({ request }) => {
  for (const path of ['/~meta@1.0/info', `/${'a'.repeat(43)}~process@1.0/now`]) {
    const response = await request.get(path, { headers: { accept: '*/*' } });
    expect(response.status()).toBeGreaterThanOrEqual(400);
    expect(response.headers()['content-type'] ?? '').not.toContain('html');
  }
});
