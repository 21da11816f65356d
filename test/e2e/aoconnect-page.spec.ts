/** The unmodified `@permaweb/aoconnect`, its browser build, in a page against that page's own origin. */
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { aosHash } from '../setup/modules.mjs';
import { serve, type Served } from '../setup/serve.mjs';
import { controlled, openApp, test } from './app.ts';
import { legacyProgram, mainnetProgram, MODULE_TAGS, type Seen, type Setting } from './aoconnect-program.ts';
import { checkLegacy, checkMainnet } from './aoconnect-seen.ts';
import { TestWallet } from './wallet.ts';

const folder = mkdtempSync(join(tmpdir(), 'beamlet-dapp-'));
const wallet = TestWallet.make();
let served: Served | undefined;

test.describe.configure({ mode: 'serial' });

/** The built app, with the client beside it as one of its page's scripts. */
test.beforeAll(async () => {
  const dist = resolve('dist');
  for (const name of readdirSync(dist)) symlinkSync(join(dist, name), join(folder, name));
  symlinkSync(
    resolve('node_modules', '@permaweb', 'aoconnect', 'dist', 'browser.js'),
    join(folder, 'aoconnect.js'),
  );
  served = await serve({
    port: 0,
    directory: folder,
    aos: resolve('.cache', 'modules', `${aosHash()}.wasm`),
  });
});
test.afterAll(async () => {
  await served?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A page of this origin with a wallet in it, as an extension puts one there. */
async function openDapp(page: Page): Promise<Setting> {
  await wallet.install(page);
  await openApp(page, '/', served!.origin);
  await controlled(page);
  const node = await page.evaluate(async () => (await fetch('/~meta@1.0/info/address')).text());
  const module = await page.evaluate(async (tags) => {
    const data = new Uint8Array(await (await fetch('/modules/aos.wasm')).arrayBuffer());
    const { signDataItem } = (
      globalThis as unknown as {
        arweaveWallet: { signDataItem(item: unknown): Promise<Uint8Array<ArrayBuffer>> };
      }
    ).arweaveWallet;
    const body = await signDataItem({ data, tags });
    const answer = await fetch('/~legacynet@1.0/gateway/tx', { method: 'POST', body });
    return ((await answer.json()) as { id: string }).id;
  }, MODULE_TAGS);
  return {
    module,
    scheduler: node,
    authority: node,
    owner: wallet.address,
    browserBuild: true,
    patience: 30_000,
  };
}

test('legacy mode', async ({ page }) => {
  test.setTimeout(180_000);
  const setting = await openDapp(page);
  const source = `async (setting) => {
    const { connect, createDataItemSigner } = await import('/aoconnect.js');
    const units = location.origin + '/~legacynet@1.0';
    const ao = connect({
      MODE: 'legacy', MU_URL: units + '/mu', CU_URL: units + '/cu', GATEWAY_URL: units + '/gateway',
    });
    return (${legacyProgram.toString()})(ao, createDataItemSigner(globalThis.arweaveWallet), setting);
  }`;
  const seen = await run(page, source, setting);
  checkLegacy(seen, true);
});

test('mainnet mode', async ({ page }) => {
  test.setTimeout(180_000);
  const setting = await openDapp(page);
  const source = `async (setting) => {
    const { connect, createSigner } = await import('/aoconnect.js');
    const signer = createSigner(globalThis.arweaveWallet);
    const ao = connect({ MODE: 'mainnet', URL: location.origin, signer });
    const reader = connect({ MODE: 'mainnet', URL: location.origin });
    return (${mainnetProgram.toString()})(ao, reader, setting);
  }`;
  const seen = await run(page, source, setting);
  checkMainnet(seen, true);
});

/** Runs the text of a function in the page. */
async function run(page: Page, source: string, setting: Setting): Promise<Seen> {
  const asked = `(${source})(${JSON.stringify(setting)})`;
  return (await page.evaluate(asked)) as Seen;
}
