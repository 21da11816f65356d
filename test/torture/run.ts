/**
 * `npm run torture -- --kills N [--seed S]`
 *
 * Kills the browser at random moments under load, N times, on one profile. Then every message that was acknowledged has
 * to be in its slot, and every slot has to answer what a node answers that computed the same schedule undisturbed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SendOptions } from '../../src/protocol/api.ts';
import { Random } from '../fuzz/random.ts';
import { buildPage, root, servePage, type Route } from '../setup/bundle.ts';
import { Victim } from './browser.ts';
import type { Ack, SlotState } from './wire.ts';

const { values: options } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
const kills = Number(options.kills ?? 5);
const seed = Number(options.seed ?? Date.now() % 1_000_000);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run torture -- --kills N [--seed S]');
  process.exit(2);
}

const PAGE = 'test/torture/page.html';
/** Milliseconds from the moment the node is there to the kill, at most. */
const LIFE = 4000;
const LOADS: Record<string, SendOptions[]> = {
  counter: [{ action: 'Inc' }, { action: 'Inc', tags: { By: '7' } }, { action: 'Get' }],
  ledger: [
    { action: 'Mint', tags: { Quantity: '1000' } },
    { action: 'Transfer', tags: { Quantity: '3', Recipient: 'someone' } },
    { action: 'Transfer', tags: { Quantity: '99999999', Recipient: 'nobody' } },
    { action: 'Balance' },
  ],
};

const samples: Route = (request, response) => {
  const file = join(root, 'public', new URL(request.url ?? '/', 'http://localhost').pathname);
  if (!/^\/samples\/[\w.-]+$/.test(request.url ?? '') || !existsSync(file)) return false;
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  response.end(readFileSync(file));
  return true;
};

const random = new Random(seed);
const profiles: string[] = [];
const newProfile = () => {
  const profile = mkdtempSync(join(tmpdir(), 'beamlet-torture-'));
  profiles.push(profile);
  return profile;
};
const server = await servePage(await buildPage(PAGE), samples);
const acks: Ack[] = [];
const problems: string[] = [];
let victim: Victim | undefined;

async function open(profile: string): Promise<Victim> {
  victim = await Victim.start(profile, server.origin, PAGE);
  return victim;
}

async function ready(opened: Victim): Promise<void> {
  await opened.page.exposeFunction('acknowledged', (ack: Ack) => void acks.push(ack));
  await opened.page.evaluate(() => window.openTorture());
}

async function makeProcesses(profile: string): Promise<Map<string, string>> {
  const opened = await open(profile);
  await ready(opened);
  const ids = new Map<string, string>();
  for (const sample of Object.keys(LOADS))
    ids.set(sample, await opened.page.evaluate((name) => window.makeProcess(name), sample));
  await opened.kill();
  return ids;
}

/** One life under load, ended at a random moment: while it starts, while it sends, while it computes. */
async function oneLife(profile: string, ids: ReadonlyMap<string, string>): Promise<void> {
  const opened = await open(profile);
  const lifetime = random.below(LIFE);
  // One in six does not live to see its node start.
  if (random.below(6) === 0) {
    void ready(opened).catch(() => {});
    await wait(lifetime / 8);
    await opened.kill();
    return;
  }
  await ready(opened);
  const loaded = [...ids].map(([sample, process]) => ({
    process,
    messages: LOADS[sample]!,
    seed: random.below(1e9),
  }));
  await opened.page.evaluate((plans) => plans.forEach((plan) => window.startLoad(plan)), loaded);
  await wait(lifetime);
  await opened.kill();
}

const wait = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

interface Kept {
  readonly ids: string[];
  readonly states: SlotState[];
  readonly file: string;
}

async function survey({ page }: Victim, process: string): Promise<Kept> {
  return {
    ids: await page.evaluate((id) => window.messageIds(id), process),
    states: await page.evaluate((id) => window.states(id), process),
    file: await page.evaluate((id) => window.exportFile(id), process),
  };
}

/** What a fresh node makes of the same schedule in one go. */
async function undisturbed(file: string): Promise<SlotState[]> {
  const opened = await open(newProfile());
  await ready(opened);
  const id = await opened.page.evaluate((text) => window.importFile(text), file);
  const states = await opened.page.evaluate((process) => window.states(process), id);
  await opened.kill();
  return states;
}

function compareStates(sample: string, kept: readonly SlotState[], expected: readonly SlotState[]): number {
  let different = 0;
  for (const [slot, want] of expected.entries()) {
    // The samples never fail: an error on both sides would agree about nothing.
    if (want.status !== 200) problems.push(`${sample} slot ${slot}: undisturbed answers ${want.status}`);
    const got = kept[slot];
    if (got && JSON.stringify(got) === JSON.stringify(want)) continue;
    different++;
    const field = want.fields.find((line, index) => got?.fields[index] !== line);
    problems.push(
      `${sample} slot ${slot}: status ${got?.status}, undisturbed ${want.status}${field ? `; undisturbed has ${field.slice(0, 120)}` : '; the body differs'}`,
    );
  }
  return different + Math.max(0, kept.length - expected.length);
}

try {
  console.log(`Killing the browser ${kills} times, seed ${seed} …`);
  const profile = newProfile();
  const ids = await makeProcesses(profile);
  for (let kill = 1; kill <= kills; kill++) {
    const before = acks.length;
    await oneLife(profile, ids);
    console.log(`kill ${kill}: ${acks.length - before} messages acknowledged in this life`);
  }
  const last = await open(profile);
  await ready(last);
  const kept = new Map<string, Kept>();
  for (const [sample, process] of ids) kept.set(sample, await survey(last, process));
  await last.kill();

  let lost = 0;
  let differs = 0;
  for (const [sample, process] of ids) {
    const { ids: inSlots, states, file } = kept.get(sample)!;
    const own = acks.filter((ack) => ack.process === process);
    const missing = own.filter(({ slot, id }) => inSlots[slot] !== id);
    for (const { slot, id } of missing)
      problems.push(`${sample} slot ${slot}: ${id} was acknowledged and is not there`);
    if (new Set(inSlots).size !== inSlots.length)
      problems.push(`${sample}: a message is in the schedule twice`);
    lost += missing.length;
    const different = compareStates(sample, states, await undisturbed(file));
    differs += different;
    console.log(
      `${sample}: ${own.length} acknowledged, ${own.length - missing.length} survived, ${inSlots.length} slots, ${different} differ`,
    );
  }
  for (const problem of problems.slice(0, 50)) console.log(problem);
  console.log(`${acks.length} acknowledged, ${lost} lost, ${differs} slots differ`);
} catch (error) {
  problems.push(String(error));
  console.error(error instanceof Error ? error.stack : error);
} finally {
  await victim?.kill();
  await server.close();
  for (const profile of profiles)
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch {
      // The system clears its temporary folder itself.
    }
}
process.exitCode = problems.length === 0 && acks.length > 0 ? 0 : 1;
