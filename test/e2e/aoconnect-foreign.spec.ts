/**
 * The same program of the unmodified `@permaweb/aoconnect` against this node and against a legacynet that is not ours
 * (WAO's local server): what both answer is compared field by field.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@playwright/test';
import { connect, createDataItemSigner } from '@permaweb/aoconnect';
import { startForeignLegacynet, type ForeignLegacynet } from '../setup/foreign-legacynet.mjs';
import { aosHash } from '../setup/modules.mjs';
import { legacyProgram, MODULE_TAGS, type Client, type Seen } from './aoconnect-program.ts';
import { startBridge, type RunningBridge } from './running-bridge.ts';
import { TestWallet } from './wallet.ts';

/** The module that our vectors know as aos 2.0.6, by the ID that the foreign gateway has it under. */
const FOREIGN_MODULE = 'ISShJH1ij-hPPt9St5UFFr_8Ys3Kj5cyg7zrMGt7H9s';
const ACCOUNTS = '.cache/foreign-legacynet/node_modules/wao/esm/accounts.js';

/**
 * Where the foreign server is no measure, and why. It takes every other answer of ours for its own, and this list is not
 * to grow: a new difference is a fault of one of the two.
 */
const NOT_COMPARED: Readonly<Record<string, string>> = {
  print: 'keeps the memory of an evaluation that failed',
  'dryrun again': 'keeps the memory of an evaluation that failed',
  'after dryruns': 'keeps the memory of an evaluation that failed',
  'results from': 'lists evaluations that failed',
  'sent signed again': 'runs the same item twice',
  'its result again': 'runs the same item twice',
  'dryrun after both': 'runs the same item twice',
  spawned: 'does not tell a process of a spawn so that its handlers trust it',
  'results newest first': 'does not tell a process of a spawn so that its handlers trust it',
  assign: 'has no assignments',
  'assign of no message': 'has no assignments',
  monitor: 'fails on its own route',
  unmonitor: 'fails on its own route',
  'result of no message': 'answers nothing, with status 200',
  'results of no process': 'answers an empty list',
  'message to no process': 'takes it',
};

const wallet = TestWallet.make();
let foreign: ForeignLegacynet | undefined;
let bridge: RunningBridge | undefined;

test.afterAll(async () => {
  await foreign?.stop();
  await bridge?.stop();
});

async function hereSeen({ node, url }: RunningBridge): Promise<Seen> {
  const units = `${url}/~legacynet@1.0`;
  const data = readFileSync(join('.cache', 'modules', `${aosHash()}.wasm`));
  const body = new Uint8Array(await wallet.item({ data, tags: MODULE_TAGS }));
  await fetch(`${units}/gateway/tx`, { method: 'POST', body });
  return run(
    { MU_URL: `${units}/mu`, CU_URL: `${units}/cu`, GATEWAY_URL: `${units}/gateway` },
    { module: TestWallet.idOf(body), scheduler: node, authority: node },
  );
}

async function foreignSeen({ messenger, compute, gateway, address }: ForeignLegacynet): Promise<Seen> {
  const { mu } = (await import(pathToFileURL(resolve(ACCOUNTS)).href)) as { mu: { addr: string } };
  return run(
    { MU_URL: messenger, CU_URL: compute, GATEWAY_URL: gateway },
    { module: FOREIGN_MODULE, scheduler: address, authority: mu.addr },
    ['spawned'],
  );
}

function run(
  units: { MU_URL: string; CU_URL: string; GATEWAY_URL: string },
  names: { module: string; scheduler: string; authority: string },
  hopeless: readonly string[] = [],
): Promise<Seen> {
  const ao = connect({ MODE: 'legacy', ...units }) as unknown as Client;
  const setting = { ...names, owner: wallet.address, browserBuild: false, patience: 30_000, hopeless };
  return legacyProgram(ao, createDataItemSigner(wallet.jwk), setting);
}

/** By the name first, in whatever order the tag's own two keys came. */
function tagText(tag: unknown): string {
  const { name, value } = tag as { name: string; value: string };
  return `${name}\n${value}`;
}

/** A table that a program prints: the order of its lines follows from where its memory lies. */
function anyOrder(printed: string): string {
  const lines = printed.split('\n').map((line) => line.replace(/,?\\?$/, ''));
  return lines.sort().join('\n');
}

/** What two runs may differ in taken out: IDs, addresses of memory, and what a cursor says. */
function comparable(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (key === 'cursor' || key === 'error' || key === 'refused') return `<${key}>`;
    const text = value
      .replace(/(?<![\w-])[\w-]{43}(?![\w-])/g, '<id>')
      .replace(/\b0x[0-9a-f]{4,}\b/g, '<address>')
      .replace(/[\w-]{3}\.\.\.[\w-]{3}/g, '<short id>');
    return text.includes('<address>') ? anyOrder(text) : text;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    // A program gives its own tags in a table, whose order follows from where its memory lies.
    return key === 'Tags' ? items.sort((a, b) => (tagText(a) < tagText(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    // The foreign loader counts gas where nothing is metered; the network's compute unit leaves it out. Our refusals say
    // their code beside the sentence.
    .filter(([name, inner]) => !(name === 'GasUsed' && inner === 0) && !(name === 'code' && 'error' in value))
    .map(([name, inner]) => [name, name === 'error' ? '<error>' : comparable(inner, name)]);
  return Object.fromEntries(entries);
}

/** A failed evaluation as the network's compute unit answers it; the foreign one leaves its empty fields out. */
function whole(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('Error' in value)) return value;
  return { Messages: [], Spawns: [], Assignments: [], Output: '', ...value };
}

test('both legacynets answer the same program alike', async () => {
  test.setTimeout(400_000);
  foreign = await startForeignLegacynet();
  bridge = await startBridge();
  // Each runs in a process of its own.
  const [here, there] = await Promise.all([hereSeen(bridge), foreignSeen(foreign)]);
  expect(Object.keys(there).sort()).toEqual(Object.keys(here).sort());
  const ours: Seen = {};
  const theirs: Seen = {};
  for (const step of Object.keys(here).filter((name) => !Object.hasOwn(NOT_COMPARED, name))) {
    ours[step] = comparable(here[step]);
    theirs[step] = whole(comparable(there[step]));
  }
  expect(ours).toEqual(theirs);
  expect(Object.keys(ours).length).toBeGreaterThan(25);
});
