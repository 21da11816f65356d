/** The unmodified `@permaweb/aoconnect` against `npm run bridge`: mainnet mode, and legacy mode against the units. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connect, createDataItemSigner, createSigner } from '@permaweb/aoconnect';
import { aosHash } from '../setup/modules.mjs';
import {
  legacyProgram,
  mainnetProgram,
  MODULE_TAGS,
  type Client,
  type Setting,
} from './aoconnect-program.ts';
import { checkLegacy, checkMainnet } from './aoconnect-seen.ts';
import { startBridge, type RunningBridge } from './running-bridge.ts';
import { TestWallet } from './wallet.ts';

const wallet = TestWallet.make();
let bridge: RunningBridge | undefined;
let setting: Setting;

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(180_000);
  bridge = await startBridge();
  const { node } = bridge;
  const module = await uploadModule();
  setting = {
    module,
    scheduler: node,
    authority: node,
    owner: wallet.address,
    browserBuild: false,
    patience: 30_000,
  };
});

test.afterAll(async () => {
  await bridge?.stop();
});

/** The aos module as an item, given to the node as to a bundler. */
async function uploadModule(): Promise<string> {
  const data = readFileSync(join('.cache', 'modules', `${aosHash()}.wasm`));
  const body = new Uint8Array(await wallet.item({ data, tags: MODULE_TAGS }));
  const answer = await fetch(`${bridge!.url}/~legacynet@1.0/gateway/tx`, { method: 'POST', body });
  return ((await answer.json()) as { id: string }).id;
}

test('mainnet mode', async () => {
  const { url } = bridge!;
  const signer = createSigner(wallet.jwk);
  const ao = connect({ MODE: 'mainnet', URL: url, signer } as never) as unknown as Client;
  const reader = connect({ MODE: 'mainnet', URL: url } as never) as unknown as Client;
  checkMainnet(await mainnetProgram(ao, reader, setting), false);
});

test('legacy mode', async () => {
  test.setTimeout(120_000);
  const units = `${bridge!.url}/~legacynet@1.0`;
  const ao = connect({
    MODE: 'legacy',
    MU_URL: `${units}/mu`,
    CU_URL: `${units}/cu`,
    GATEWAY_URL: `${units}/gateway`,
  }) as unknown as Client;
  const seen = await legacyProgram(ao, createDataItemSigner(wallet.jwk), setting);
  checkLegacy(seen, false);

  // The schedule by nonces: the process message first, then what came after it.
  const one = String(seen['one']);
  const page = await fetch(`${units}/su/${one}?process-id=${one}&from-nonce=-1&limit=2`);
  const { edges, page_info } = (await page.json()) as {
    page_info: { has_next_page: boolean };
    edges: { cursor: string; node: { message: { id: string } } }[];
  };
  expect(edges.map(({ cursor, node: { message } }) => [cursor, message.id])).toEqual([
    ['0', one],
    ['1', seen['count: id']],
  ]);
  expect(page_info.has_next_page).toBe(true);
});
