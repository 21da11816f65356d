/** A process of a legacynet that is not ours, run here: the same results for every message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connect, createDataItemSigner } from '@permaweb/aoconnect';
import Arweave from 'arweave';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { buildPage, servePage, type PageServer } from '../setup/bundle.ts';
import { startForeignLegacynet, type ForeignLegacynet } from '../setup/foreign-legacynet.mjs';
import { aosHash } from '../setup/modules.mjs';
import { ForeignFront } from './foreign-front.ts';
import { TestWallet } from './wallet.ts';

/** What is used of the client. */
interface Sender {
  spawn(process: unknown): Promise<string>;
  message(message: unknown): Promise<string>;
}

const PORT = 5200;
const wallet = TestWallet.make();
let net: ForeignLegacynet | undefined;
let front: ForeignFront | undefined;
let page: PageServer | undefined;
let urls = { gateway: '', scheduler: '' };
let scheduler = '';

test.describe.configure({ mode: 'serial' });
test.beforeAll(async () => {
  test.setTimeout(600_000);
  net = await startForeignLegacynet({ port: PORT });
  const key = await RsaWallet.generate();
  scheduler = key.address;
  front = new ForeignFront(net, key);
  urls = await front.listen();
  page = await servePage(await buildPage('test/e2e/follow-page.html'));
});
test.afterAll(async () => {
  await page?.close();
  await front?.close();
  await net?.stop();
});

/** The aos module as a signed transaction, which the foreign gateway takes. */
async function uploadModule(): Promise<string> {
  const arweave = Arweave.init({});
  const key = wallet.jwk as Parameters<typeof arweave.transactions.sign>[1];
  const data = readFileSync(join('.cache', 'modules', `${aosHash()}.wasm`));
  const transaction = await arweave.createTransaction(
    { data: new Uint8Array(data), last_tx: 'AAAA', reward: '1' },
    key,
  );
  const tags = {
    'Data-Protocol': 'ao',
    Variant: 'ao.TN.1',
    Type: 'Module',
    'Module-Format': 'wasm64-unknown-emscripten-draft_2024_02_15',
    'Input-Encoding': 'JSON-1',
    'Output-Encoding': 'JSON-1',
    'Memory-Limit': '1-gb',
    'Compute-Limit': '9000000000000',
    'Content-Type': 'application/wasm',
  };
  for (const [name, value] of Object.entries(tags)) transaction.addTag(name, value);
  await arweave.transactions.sign(transaction, key);
  await front!.post(transaction.toJSON() as unknown as Record<string, unknown>);
  return transaction.id;
}

const named = (tags: Record<string, string>) =>
  Object.entries(tags).map(([name, value]) => ({ name, value }));

/**
 * What is sent: nothing that depends on clocks and IDs, or on the order of tables, which follows from the bytes of every
 * message so far. The foreign legacynet writes messages with other members than compute units do.
 */
const PROGRAM: { action: string; data: string; tags?: Record<string, string> }[] = [
  { action: 'Eval', data: 'return 1 + 1' },
  { action: 'Eval', data: 'Balances = { alice = 10, bob = 20 } return Balances.bob' },
  {
    action: 'Eval',
    data: `Handlers.add('Add', 'Add', function (msg)
      Balances[msg.Tags.Who] = (Balances[msg.Tags.Who] or 0) + tonumber(msg.Tags.Amount)
      Send({ Target = msg.Tags.Back, Action = 'Added', Data = tostring(Balances[msg.Tags.Who]), Who = msg.Tags.Who })
      print('added ' .. msg.Tags.Amount)
    end)`,
  },
  { action: 'Add', data: ' ', tags: { Who: 'alice', Amount: '5', Back: 'B'.repeat(43) } },
  { action: 'Add', data: ' ', tags: { Who: 'carol', Amount: '7', Back: 'B'.repeat(43) } },
  { action: 'Eval', data: 'return require("json").encode({ Balances.alice, Balances.bob, Balances.carol })' },
  { action: 'Eval', data: 'error("on purpose")' },
  { action: 'Eval', data: 'return Balances.alice' },
  { action: 'Nobody-Handles-This', data: 'x' },
  { action: 'Eval', data: 'return #Inbox' },
  { action: 'Eval', data: 'return "größer € 𝔘"' },
];

test('gives the same results for every message', async ({ browser }) => {
  test.setTimeout(600_000);
  const module = await uploadModule();
  const ao = connect({
    MODE: 'legacy',
    MU_URL: net!.messenger,
    CU_URL: net!.compute,
    GATEWAY_URL: net!.gateway,
  }) as unknown as Sender;
  const signer = createDataItemSigner(wallet.jwk);
  const authority = await messengerOf(module, ao, signer);
  const process = await ao.spawn({
    module,
    scheduler: net!.address,
    signer,
    tags: named({ Authority: authority, Scheduler: scheduler, Name: 'foreign' }),
    data: '1984',
  });
  for (const { action, data, tags = {} } of PROGRAM)
    await ao.message({ process, signer, data, tags: named({ Action: action, ...tags }) });
  const theirs = await front!.results(process);
  expect(theirs.map(({ id }) => id)[0]).toBe(process);
  expect(theirs).toHaveLength(PROGRAM.length + 1);

  const tab = await browser.newPage();
  await tab.goto(`${page!.origin}/test/e2e/follow-page.html`);
  const followed = await tab.evaluate(
    ([id, gateway, at]) => window.follow(id!, gateway!, at),
    [process, urls.gateway, urls.scheduler],
  );
  expect(followed).toMatchObject({ state: 'waiting', audited: PROGRAM.length, computed: PROGRAM.length });
  for (const { id, result } of theirs) {
    const ours = (await tab.evaluate(([p, m]) => window.resultOf(p!, m!), [process, id])) as Record<
      string,
      unknown
    >;
    expect(comparable(ours)).toEqual(comparable(result));
  }
  await tab.close();
});

/** The foreign messenger's address: whoever signs its assignments. */
async function messengerOf(
  module: string,
  ao: Sender,
  signer: ReturnType<typeof createDataItemSigner>,
): Promise<string> {
  const process = await ao.spawn({ module, scheduler: net!.address, signer });
  await ao.message({ process, signer, data: ' ' });
  const [found] = await front!.query(
    'query($process: String!) { transactions(tags: [{ name: "Process", values: [$process] }], first: 1) { edges { node { id owner { address } } } } }',
    { process },
  );
  return (found!.owner as { address: string }).address;
}

/** A result without what a compute unit may leave out; tags by name, since a program's table has no order of its own. */
function comparable(result: Record<string, unknown>): Record<string, unknown> {
  const { Output = '', Messages = [], Spawns = [], Assignments = [], Error } = result;
  const sorted = (Messages as { Tags: { name: string }[] }[]).map((message) => ({
    ...message,
    Tags: message.Tags.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  }));
  return { Output, Messages: sorted, Spawns, Assignments, Error };
}
