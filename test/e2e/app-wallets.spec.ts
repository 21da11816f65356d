/** Wallets, end to end: extensions are played by real keys outside the page, with an implementation that is not ours. */
import { readFileSync } from 'node:fs';
import { ArweaveSigner, createData } from 'arbundles';
import type { Page } from '@playwright/test';
import { toHex } from '../../src/base/bytes.ts';
import { EthereumKey } from '../../src/crypto/ecdsa.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { accessibilityFaults, evaluate, expect, newProcess, openApp, sendMessage, test } from './app.ts';

interface Asked {
  data: string;
  tags: { name: string; value: string }[];
  target?: string;
  anchor?: string;
}

let wallet: RsaWallet;
let jwk: JsonWebKey;
test.beforeAll(async () => {
  wallet = await RsaWallet.generate({ extractable: true });
  jwk = await wallet.toJwk();
});

/** `window.arweaveWallet`, as the extension puts it into the page; `refuse` makes the user say no. */
async function withWander(page: Page): Promise<{ refuse: boolean; signed: number }> {
  const state = { refuse: false, signed: 0 };
  await page.exposeFunction('fakeSignDataItem', async (item: Asked) => {
    if (state.refuse) throw new Error('User cancelled the AuthRequest');
    state.signed++;
    const data = Buffer.from(item.data, 'latin1');
    const signer = new ArweaveSigner(jwk as never);
    const made = createData(data, signer, { ...item, tags: item.tags } as never);
    await made.sign(signer);
    return [...made.getRaw()];
  });
  await page.addInitScript(
    ([address, key]) => {
      const scope = globalThis as unknown as Record<string, unknown> & {
        fakeSignDataItem(item: unknown): Promise<number[]>;
      };
      const listeners = new Map<string, () => void>();
      const kept = 'fake-wander-permissions';
      // It appears some time after the page, as extensions do.
      setTimeout(() => {
        scope['arweaveWallet'] = {
          walletName: 'Wander',
          connect: async (permissions: string[]) => localStorage.setItem(kept, permissions.join()),
          disconnect: async () => localStorage.removeItem(kept),
          getPermissions: async () => localStorage.getItem(kept)?.split(',') ?? [],
          getActiveAddress: async () => address,
          getActivePublicKey: async () => key,
          signDataItem: async (item: { data: string | Uint8Array }) => {
            const bytes = typeof item.data === 'string' ? new TextEncoder().encode(item.data) : item.data;
            let data = '';
            for (const byte of bytes) data += String.fromCharCode(byte);
            return new Uint8Array(await scope.fakeSignDataItem({ ...item, data })).buffer;
          },
          events: { on: (event: string, act: () => void) => listeners.set(event, act), off: () => {} },
        };
        scope['endWander'] = () => listeners.get('disconnect')?.();
        dispatchEvent(new CustomEvent('arweaveWalletLoaded'));
      }, 300);
    },
    [wallet.address, jwk.n!] as const,
  );
  return state;
}

const signers = (page: Page) => page.getByRole('region', { name: 'Who signs' });

/** The message of a slot, as its own screen shows it. */
async function openMessage(page: Page, process: string, slot: number): Promise<void> {
  await page.goto(`/#/process/${process}/slots?slot=${slot}`);
  await page.getByRole('link', { name: 'commitments' }).click();
  await expect(page.getByRole('heading', { level: 1, name: /^Message/ })).toBeVisible();
}

test('Wander signs a process and its messages, and they verify in their own form', async ({ page }) => {
  const fake = await withWander(page);
  await openApp(page, '/storage');
  await signers(page).getByRole('button', { name: 'Connect: Wander' }).click();
  await expect(signers(page).getByText('signs now')).toBeVisible();
  await expect(signers(page)).toContainText(wallet.address.slice(0, 4));
  expect(await accessibilityFaults(page)).toEqual([]);

  const id = await newProcess(page, /^aos/, 'wandering');
  expect(fake.signed).toBe(1);
  // Its owner speaks: aos obeys nobody else.
  await evaluate(page, 'Owner');
  const log = page.getByRole('log');
  await expect(log).toContainText(wallet.address);
  expect(fake.signed).toBe(2);
  await sendMessage(page, { action: 'Note', data: 'from Wander' });
  await expect(log.getByRole('link', { name: 'slot 2' })).toBeVisible();

  await openMessage(page, id, 2);
  const commitments = page.getByRole('region', { name: 'Commitments' });
  await expect(commitments).toContainText('ans104@1.0');
  await expect(commitments).toContainText(wallet.address.slice(0, 4));
  await expect(commitments.getByText('valid', { exact: true })).toBeVisible();

  fake.refuse = true;
  await page.goto(`/#/process/${id}/prompt`);
  await sendMessage(page, { action: 'Note', data: 'never' });
  await expect(log).toContainText('the answer was no');
  fake.refuse = false;

  // After a reload it is there without being asked for; when it goes away, nothing is sent silently.
  await page.reload();
  await expect(page.getByText('Signed by Wander')).toBeVisible();
  await page.evaluate(() => (globalThis as unknown as { endWander(): void }).endWander());
  await expect(page.getByText('is not connected, so nothing can be sent')).toBeVisible();
  await sendMessage(page, { action: 'Note', data: 'not sent' });
  await expect(log).toContainText('wallet-disconnected');
  await page.goto('/#/storage');
  await signers(page).getByRole('button', { name: 'Use it' }).first().click();
  await page.goto(`/#/process/${id}/prompt`);
  await expect(page.getByText('Signed by this node’s key')).toBeVisible();
  await expect(page.getByText('may ignore others')).toBeVisible();
});

test('an Ethereum wallet signs messages', async ({ page }) => {
  const key = EthereumKey.generate();
  await page.exposeFunction(
    'fakePersonalSign',
    (hex: string) => `0x${toHex(key.signPersonal(Buffer.from(hex.slice(2), 'hex')))}`,
  );
  await page.addInitScript((address) => {
    const scope = globalThis as unknown as Record<string, unknown> & {
      fakePersonalSign(hex: string): Promise<string>;
    };
    scope['ethereum'] = {
      isMetaMask: true,
      request: async ({ method, params }: { method: string; params: string[] }) => {
        if (method === 'eth_requestAccounts' || method === 'eth_accounts') return [address];
        if (method === 'personal_sign') return scope.fakePersonalSign(params[0]!);
        throw new Error(`no ${method}`);
      },
      on: () => {},
      removeListener: () => {},
    };
  }, key.address.toLowerCase());
  await openApp(page, '/storage');
  await signers(page).getByRole('button', { name: 'Connect: Ethereum wallet' }).click();
  await expect(signers(page).getByText('signs now')).toBeVisible();
  const id = await newProcess(page, /^Counter/, 'counted-by-ethereum');
  await sendMessage(page, { action: 'Inc' });
  await expect(page.getByRole('log').getByRole('link', { name: 'slot 1' })).toBeVisible();
  await openMessage(page, id, 1);
  const commitments = page.getByRole('region', { name: 'Commitments' });
  await expect(commitments).toContainText(key.address.slice(0, 4));
  await expect(commitments).toContainText('ethereum');
  await expect(commitments.getByText('valid', { exact: true })).toBeVisible();
});

test('a key file and a local development key; without a wallet it says so', async ({ page }) => {
  await openApp(page, '/storage');
  await signers(page).getByRole('button', { name: 'Connect: Ethereum wallet' }).click();
  await expect(page.getByRole('alert')).toContainText('no Ethereum wallet in this browser');

  await signers(page).getByLabel('Keep it in this browser').check();
  const file = { name: 'mine.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(jwk)) };
  await signers(page).getByLabel('Key file').setInputFiles(file);
  await expect(signers(page).getByText('mine.json')).toBeVisible();
  await page.reload();
  await expect(signers(page).getByText('mine.json')).toBeVisible();
  await expect(signers(page).getByText('signs now')).toBeVisible();

  await signers(page).getByRole('button', { name: 'Use it: Local development key' }).click();
  await expect(signers(page).getByText('development only')).toBeVisible();
  await expect(signers(page).getByRole('button', { name: 'Save as a file' })).toBeVisible({
    timeout: 60_000,
  });
  const saving = page.waitForEvent('download');
  await signers(page).getByRole('button', { name: 'Save as a file' }).click();
  const saved = JSON.parse(readFileSync(await (await saving).path(), 'utf8')) as JsonWebKey;
  const local = await RsaWallet.fromJwk(saved);
  await expect(signers(page)).toContainText(local.address.slice(0, 4));
  const id = await newProcess(page, /^Ledger/, 'local-ledger');
  await page.goto(`/#/message/${id}`);
  await expect(page.getByRole('region', { name: 'Commitments' })).toContainText(local.address.slice(0, 4));
  await page.goto('/#/storage');
  await signers(page).getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByRole('button', { name: 'Delete it' }).click();
  await expect(signers(page).locator('li').first()).toContainText('signs now');
});
