/** The main job, end to end, as a user does it. */
import { controlled, evaluate, expect, newProcess, openApp, sendMessage, test } from './app.ts';

test('first visit: the node runs, and says where its state lives', async ({ page }) => {
  await openApp(page);
  const glance = page.getByRole('region', { name: 'The node at a glance' });
  await expect(glance.getByRole('button', { name: /Copy address [A-Za-z0-9_-]{43}/ })).toBeVisible();
  await expect(glance).toContainText('In this browser');
  await expect(glance).toContainText(/of [\d.]+ GB/);
  await expect(page.getByText('Nothing of yours runs here yet')).toBeVisible();
});

test('first start: a recorded process is proven in front of the user, its lying twin is caught', async ({
  page,
}) => {
  await openApp(page);
  const shown = page.locator('main li');
  const honest = shown.filter({ has: page.getByRole('link', { name: /^Report on/ }) }).first();
  await expect(honest.getByText('Proven here')).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: /^Verify / }).click();
  await expect(shown.getByText('Contradicted')).toBeVisible({ timeout: 60_000 });
  await shown
    .filter({ hasText: 'Contradicted' })
    .getByRole('link', { name: /^Report on/ })
    .click();
  await expect(page.getByRole('region', { name: 'What was proven' })).toContainText('node says');
});

test('a path answers on the very first visit, and then from the Service Worker', async ({ page }) => {
  await page.goto('/#/path/~meta@1.0/info/address');
  const answer = page.getByRole('region', { name: 'Answer' });
  await expect(answer.getByText('200')).toBeVisible();
  const address = await answer.getByLabel('Body of the answer').innerText();
  expect(address).toMatch(/^[A-Za-z0-9_-]{43}$/);
  await controlled(page);
  await page.getByRole('button', { name: 'Send again' }).click();
  await expect(answer).toContainText('by way of the Service Worker');
  expect(await page.evaluate(async () => (await fetch('/~meta@1.0/info/address')).text())).toBe(address);
});

test('a sample: spawn, message, read, slots, state, reload, offline', async ({ page, context }) => {
  const id = await newProcess(page, /^Counter/, 'my-counter');
  await sendMessage(page, { action: 'Inc' });
  const log = page.getByRole('log');
  await expect(log.getByRole('link', { name: 'slot 1' })).toBeVisible();

  await page.getByRole('tab', { name: 'Slots' }).click();
  const rows = page.getByRole('list', { name: 'Slots, newest first' }).getByRole('listitem');
  await expect(rows).toHaveCount(2);
  await rows.first().getByRole('button').first().click();
  await expect(page).toHaveURL(/slot=1/);
  await expect(page.getByRole('tree', { name: 'Message of slot 1' })).toContainText('Inc');

  await page.getByLabel('Find slots').fill('inc');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await expect(page.getByRole('status').getByText('1 slot in the newest 2')).toBeVisible();
  await page.getByRole('button', { name: 'Show all' }).click();

  await page.getByRole('tab', { name: 'State' }).click();
  const tree = page.getByRole('tree', { name: 'State after slot 1' });
  await expect(tree.getByRole('treeitem').first()).toBeVisible();
  await page.getByRole('slider', { name: 'At slot' }).fill('0');
  await expect(page.getByRole('tree', { name: 'State after slot 0' })).toBeVisible();
  await expect(page).toHaveURL(/at=0/);
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByRole('region', { name: 'Difference between two slots' })).toContainText(
    'differences',
  );

  await controlled(page);
  const read = (path: string) =>
    page.evaluate(async (target) => {
      const response = await fetch(target);
      return { status: response.status, body: await response.text() };
    }, path);
  const before = await read(`/${id}~process@1.0/now/count`);
  expect(before.status).toBe(200);

  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'my-counter' })).toBeVisible();
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'my-counter' })).toBeVisible();
  await expect(page.getByText('Offline. Everything that lives')).toBeVisible();
  await page.getByRole('tab', { name: 'Prompt' }).click();
  await sendMessage(page, { action: 'Inc' });
  await expect(log.getByRole('link', { name: 'slot 2' })).toBeVisible();
  const after = await read(`/${id}~process@1.0/now/count`);
  expect(Number(after.body)).toBe(Number(before.body) + 1);

  // A copy from before that message, still offline.
  await page.goto(`/#/process/${id}/slots?slot=1`);
  await page.getByRole('button', { name: 'copy the process from here' }).click();
  await page.getByRole('button', { name: 'Make the copy' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'my-counter at 1' })).toBeVisible();
  const copy = /#\/process\/([A-Za-z0-9_-]{43})\//.exec(page.url())![1]!;
  expect(copy).not.toBe(id);
  expect((await read(`/${copy}~process@1.0/now/count`)).body).toBe(before.body);
  await page.getByRole('tab', { name: 'About' }).click();
  await page.getByRole('button', { name: 'Delete my-counter at 1' }).click();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await expect(page.getByText('my-counter at 1 was deleted.')).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name: 'Your node' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'my-counter', exact: true })).toBeVisible();
  await context.setOffline(false);
});

test('aos: the prompt, a patch, and reading it back as a URL', async ({ page, context }) => {
  const id = await newProcess(page, /^aos/, 'me');
  const log = page.getByRole('log');
  await evaluate(page, '1 + 41');
  await expect(log).toContainText('42');
  await expect(page.locator('.mark').last()).toContainText(/me@aos-2\.0\.\d\[Inbox:\d+\]>/);

  // A block that is not finished goes on; Enter alone does not run it.
  await page.getByLabel('Lua to evaluate').click();
  await page.keyboard.type('for i = 1, 2 do');
  await page.keyboard.press('Enter');
  await page.keyboard.type('print("line " .. i) end');
  await page.keyboard.press('Control+Enter');
  await expect(log).toContainText('line 2');

  await evaluate(
    page,
    "Handlers.add('Update-State', {Action = 'Update-State'}, function(msg) Send({device = 'patch@1.0', cache = msg.Data}) end)",
  );
  await expect(page.getByRole('button', { name: 'Run' })).toBeVisible();
  await sendMessage(page, { action: 'Update-State', data: 'kept here' });
  await expect(log.getByText('Update-State').last()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeVisible();

  await controlled(page);
  const cache = `/${id}~process@1.0/now/cache`;
  expect(await page.evaluate(async (path) => (await fetch(path)).text(), cache)).toBe('kept here');
  const other = await context.newPage();
  await other.goto(cache);
  await expect(other.locator('body')).toContainText('kept here');
  await other.close();

  // Every slot that was computed answers.
  const slot = Number(/slot (\d+)/.exec((await page.locator('h1 + p').innerText()) ?? '')![1]);
  for (let at = 0; at <= slot; at++) {
    const path = `/${id}~process@1.0/compute&slot=${at}/results`;
    expect(await page.evaluate(async (target) => (await fetch(target)).status, path), path).toBe(200);
  }

  // What was said is there after a reload, and so is what was typed.
  await page.reload();
  await expect(log).toContainText('42');
  await page.getByLabel('Lua to evaluate').click();
  await page.keyboard.press('ArrowUp');
  await expect(page.getByLabel('Lua to evaluate')).toContainText('Handlers.add');
  await evaluate(page, '');
  await expect(log).toContainText('Update-State');
});

test('a path that was opened with no page open boots a node and shows the answer', async ({
  page,
  context,
}) => {
  await openApp(page);
  await controlled(page);
  await page.close();
  const cold = await context.newPage();
  await cold.goto('/~meta@1.0/info/address');
  await expect(cold.locator('body')).toContainText(/[A-Za-z0-9_-]{43}/);
});
