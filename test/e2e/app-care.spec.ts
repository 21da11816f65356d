/** Bad input, trouble, keyboard, themes and widths. */
import { accessibilityFaults, evaluate, expect, newProcess, openApp, sendMessage, test } from './app.ts';

test('a file that is not a module is refused with the reason', async ({ page }) => {
  await openApp(page, '/new');
  const dialog = page.getByRole('dialog', { name: 'New process' });
  await dialog.getByRole('radio', { name: /A module of your own/ }).check();
  const refuse = async (name: string, bytes: number[]) => {
    await dialog
      .getByLabel('Module file')
      .setInputFiles({ name, mimeType: 'application/wasm', buffer: Buffer.from(bytes) });
    await expect(dialog.getByRole('alert')).toBeVisible();
    await expect(dialog.getByRole('button', { name: 'Create process' })).toBeDisabled();
  };
  await refuse(
    'letter.wasm',
    [...'Dear node'].map((letter) => letter.charCodeAt(0)),
  );
  await refuse('cut.wasm', [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 200]);
  await refuse('empty.wasm', [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
});

test('two processes: one in an endless loop, stopped, while the other goes on', async ({ page, context }) => {
  await openApp(page, '/new');
  const dialog = page.getByRole('dialog', { name: 'New process' });
  await dialog.getByRole('radio', { name: /Lua of your own/ }).check();
  const editor = dialog.getByLabel('Lua source');
  await expect(editor).toContainText('function compute');
  await editor.click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(
    'function compute(process, message)\n' +
      '  if message.body.action == "Spin" then while true do end end\n' +
      '  process.results = { output = { data = "fine" } }\n' +
      '  return process\nend\n',
  );
  await dialog.getByLabel('Name').fill('spinner');
  await dialog.getByRole('button', { name: 'Create process' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'spinner' })).toBeVisible();
  await sendMessage(page, { action: 'Spin' });
  await expect(page.getByText(/^computing/)).toBeVisible();

  const other = await context.newPage();
  await newProcess(other, /^Counter/, 'bystander');
  await sendMessage(other, { action: 'Inc' });
  await expect(other.getByRole('log').getByRole('link', { name: 'slot 1' })).toBeVisible();
  await other.close();

  await page.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByRole('log').getByRole('alert')).toBeVisible();
});

test('an error in the program is shown where it happened, and the prompt goes on', async ({ page }) => {
  await newProcess(page, /^aos/, 'careful');
  await evaluate(page, 'error("no " .. "way")');
  await expect(page.getByRole('log')).toContainText(/: no way/);
  await evaluate(page, '"still" .. " here"');
  await expect(page.getByRole('log')).toContainText('still here');
  await evaluate(page, 'print("<img src=x onerror=alert(1)>")');
  await expect(page.getByRole('log')).toContainText('<img src=x');
  await expect(page.getByRole('log').locator('img')).toHaveCount(0);
});

test('paths that nothing answers say so', async ({ page }) => {
  await openApp(page, '/path/~no-such-device@9.9/x');
  await expect(page.getByRole('region', { name: 'Answer' }).locator('.status')).toHaveText(/^[45]\d\d$/);
  await page.goto('/#/nowhere');
  await expect(page.getByRole('heading', { name: 'There is no such screen' })).toBeVisible();
  await page.goto(`/#/process/${'x'.repeat(43)}`);
  await expect(page.getByRole('alert')).toContainText('cannot be shown');
});

test('keyboard: path bar, palette, tree', async ({ page }) => {
  await newProcess(page, /^Counter/, 'keys');
  await page.locator('h1').click();
  await page.keyboard.press('/');
  await expect(page.getByRole('combobox', { name: 'AO path' })).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: /Find a command/ }).fill('show state');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/state$/);
  const tree = page.getByRole('tree');
  await tree.getByRole('treeitem').first().focus();
  await page.keyboard.press('ArrowDown');
  await expect(tree.getByRole('treeitem').nth(1)).toBeFocused();
  await page.keyboard.press('End');
  await expect(tree.getByRole('treeitem').last()).toBeFocused();
  const closed = tree.locator('[aria-expanded="false"]').first();
  await closed.focus();
  await page.keyboard.press('ArrowRight');
  await expect(tree.locator('[aria-expanded="true"]').first()).toBeFocused();
  await expect(tree.locator('[aria-level="2"]').first()).toBeVisible();
});

for (const colorScheme of ['light', 'dark'] as const)
  for (const width of [360, 1200]) {
    test(`every screen in ${colorScheme} at ${width} pixels: axe finds nothing, nothing sticks out`, async ({
      browser,
    }) => {
      const page = await browser.newPage({
        colorScheme,
        viewport: { width, height: 800 },
        reducedMotion: 'reduce',
      });
      const id = await newProcess(page, /^Ledger/, 'looked-at');
      await sendMessage(page, { action: 'Info' });
      await expect(page.getByRole('log').getByRole('link', { name: 'slot 1' })).toBeVisible();
      await page.goto(`/#/process/${id}/slots?slot=1`);
      const message = await page.getByRole('link', { name: 'commitments' }).getAttribute('href');
      for (const hash of [
        message!.slice(1),
        '/',
        '/new',
        '/path',
        '/path/~meta@1.0/info',
        '/storage',
        '/verify',
        '/nodes',
        '/follow',
        '/nowhere',
        `/process/${id}/prompt`,
        `/process/${id}/slots?slot=0`,
        `/process/${id}/state?at=0`,
        `/process/${id}/state?at=0&with=1`,
        `/process/${id}/verify`,
        `/process/${id}/about`,
      ]) {
        await page.goto(`/#${hash}`);
        await expect(page.locator('main h1')).toBeVisible();
        await expect(page.locator('.skeleton')).toHaveCount(0);
        expect(await accessibilityFaults(page), hash).toEqual([]);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(over, `${hash} is wider than the window`).toBeLessThanOrEqual(0);
      }
      await page.close();
    });
  }
