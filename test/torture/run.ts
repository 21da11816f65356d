/**
 * `npm run torture -- --kills N [--seed S]`
 *
 * Kills the browser at random moments, N times, on one profile, while messages are sent to processes of every kind,
 * tokens go round a ring, machines are stopped, storage is given back, and one process is taken in and off again and
 * again. Some kills are made worse: the log of the browser's database ends with half a record, as after a kill in the
 * middle of a write. Each time it is started again the database has to hold together. In the end every message that was
 * acknowledged has to be in its slot, every token has to have come round exactly once, and every slot has to answer
 * what a node answers that computed the same schedule undisturbed.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { SendOptions } from '../../src/protocol/api.ts';
import { Random } from '../fuzz/random.ts';
import { buildPage, root, servePage, type Route } from '../setup/bundle.ts';
import { aosHash, moduleIndex } from '../setup/modules.mjs';
import { Victim } from './browser.ts';
import { logState, tearLog } from './leveldb.ts';
import type { Note, SlotState } from './wire.ts';

const { values: options } = parseArgs({ options: { kills: { type: 'string' }, seed: { type: 'string' } } });
const kills = Number(options.kills ?? 5);
const seed = Number(options.seed ?? Date.now() % 1_000_000);
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  console.error('Usage: npm run torture -- --kills N [--seed S]');
  process.exit(2);
}

const PAGE = 'test/torture/page.html';
/** Milliseconds from the moment the node is there to the kill, at most. */
const LIFE = 5000;
const RING_SIZE = 3;
const HOPS = 6;
const LOADS: Record<string, SendOptions[]> = {
  counter: [{ action: 'Inc' }, { action: 'Inc', tags: { By: '7' } }, { action: 'Get' }],
  ledger: [
    { action: 'Mint', tags: { Quantity: '1000' } },
    { action: 'Transfer', tags: { Quantity: '3', Recipient: 'someone' } },
    { action: 'Transfer', tags: { Quantity: '99999999', Recipient: 'nobody' } },
    { action: 'Balance' },
  ],
  aos: [
    { action: 'Eval', data: 'n = (n or 0) + 1; return n' },
    { action: 'Eval', data: 't = t or {}; table.insert(t, string.rep("x", 20000)); return #t' },
    { action: 'Eval', data: 'error("as asked")' },
  ],
};

const aos = join(root, '.cache', 'modules', `${aosHash()}.wasm`);
const files: Route = (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const sample = /^\/samples\/[\w.-]+$/.test(pathname) ? join(root, 'public', pathname) : undefined;
  const file = pathname === '/modules/aos.wasm' ? aos : sample;
  if (pathname === '/modules/index.json') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(moduleIndex(existsSync(aos) ? aos : undefined)));
  } else if (file !== undefined && existsSync(file)) {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.end(readFileSync(file));
  } else return false;
  return true;
};

const random = new Random(seed);
const profiles: string[] = [];
const newProfile = () => {
  const profile = mkdtempSync(join(tmpdir(), 'beamlet-torture-'));
  profiles.push(profile);
  return profile;
};
const server = await servePage(await buildPage(PAGE), files);
const acks: Extract<Note, { type: 'sent' }>[] = [];
/** Whether the visiting process has to be here; undefined while it is on its way in or off. */
let visitor: boolean | undefined = false;
const problems: string[] = [];
/** What calls were refused with in this life, and how often. */
const refused = new Map<string, number>();
let victim: Victim | undefined;

function take(note: Note): void {
  if (note.type === 'sent') acks.push(note);
  else visitor = note.type === 'moving' ? undefined : note.type === 'in';
}

async function open(profile: string): Promise<Victim> {
  victim = await Victim.start(profile, server.origin, PAGE);
  return victim;
}

async function ready(opened: Victim, fresh = false): Promise<void> {
  await opened.page.exposeFunction('note', take);
  opened.page.on('console', (message) => {
    if (message.type() === 'warning') refused.set(message.text(), (refused.get(message.text()) ?? 0) + 1);
  });
  // Before the node has opened it, unless it would be made by that.
  if (!fresh) console.log(`  found: ${await opened.page.evaluate(() => window.census())}`);
  const { storage, lost } = await opened.page.evaluate(() => window.openTorture());
  if (storage === 'indexeddb' && !lost) return;
  // All that follows would say so again and again.
  throw new Error(lost ? 'The database is lost.' : `The node keeps its state in ${storage}.`);
}

interface Cast {
  /** Processes under load, by kind. */
  readonly loaded: ReadonlyMap<string, string>;
  readonly ring: readonly string[];
  /** A process that is taken in and off. */
  readonly visitor: { readonly process: string; readonly file: string };
}

async function makeCast(profile: string): Promise<Cast> {
  const opened = await open(profile);
  await ready(opened, true);
  const { page } = opened;
  const make = (kind: string) => page.evaluate((name) => window.makeProcess(name), kind);
  const loaded = new Map<string, string>();
  for (const kind of Object.keys(LOADS))
    if (kind !== 'aos' || (await page.evaluate(() => window.hasAos()))) loaded.set(kind, await make(kind));
  const ring: string[] = [];
  for (let n = 0; n < RING_SIZE; n++) ring.push(await make('ring'));
  await opened.kill();
  const other = await open(newProfile());
  await ready(other, true);
  const process = await other.page.evaluate(() => window.makeProcess('counter'));
  const plan = { process, messages: LOADS['counter']!, seed: 1, senders: 2 };
  await other.page.evaluate((load) => window.startLoad(load), plan);
  await wait(1500);
  const file = await other.page.evaluate((id) => window.exportFile(id), process);
  await other.kill();
  acks.length = 0;
  return { loaded, ring, visitor: { process, file } };
}

/** What the next start finds, for whoever has to see why it lost something: a browser clears away what it gives up. */
function keepCopy(profile: string): void {
  const copy = join(profile, 'before');
  rmSync(copy, { recursive: true, force: true });
  const found = join(profile, 'Default', 'IndexedDB');
  if (existsSync(found)) cpSync(found, copy, { recursive: true });
}

/** One life under load, ended at a random moment: while it starts, while it sends, while it computes. */
async function oneLife(profile: string, cast: Cast, life: number): Promise<void> {
  const opened = await open(profile);
  const { page } = opened;
  const lifetime = random.below(LIFE);
  // Losing nothing of nothing would prove nothing.
  const mustAct = life === kills && acks.length === 0;
  // One in six does not live to see its node start.
  if (random.below(6) === 0 && !mustAct) {
    page.evaluate(() => window.openTorture()).catch(() => {});
    await wait(lifetime / 8);
    await opened.kill();
    return;
  }
  for (const fault of await page.evaluate(() => window.inspect()))
    problems.push(`before life ${life}: ${fault}`);
  await ready(opened);
  const here = await page.evaluate(() => window.processIds());
  if (visitor !== undefined && here.includes(cast.visitor.process) !== visitor)
    problems.push(`before life ${life}: the visiting process is ${visitor ? 'lost' : 'back'}`);
  visitor = here.includes(cast.visitor.process);
  const plans = [...cast.loaded].map(([kind, process]) => ({
    process,
    messages: LOADS[kind]!,
    seed: random.below(1e9),
    senders: 2,
  }));
  await page.evaluate((all) => all.forEach((plan) => window.startLoad(plan)), plans);
  await page.evaluate((plan) => window.startRing(plan), { ring: cast.ring, hops: HOPS, life });
  await page.evaluate((plan) => window.startVisits(plan), cast.visitor);
  await wait(lifetime);
  for (let tries = 0; mustAct && acks.length === 0 && tries < 300; tries++) await wait(100);
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
  await ready(opened, true);
  const id = await opened.page.evaluate((text) => window.importFile(text), file);
  const states = await opened.page.evaluate((process) => window.states(process), id);
  await opened.kill();
  return states;
}

function compareStates(name: string, kept: readonly SlotState[], expected: readonly SlotState[]): number {
  let different = 0;
  for (const [slot, want] of expected.entries()) {
    // The programs never fail: an error on both sides would agree about nothing.
    if (want.status !== 200) problems.push(`${name} slot ${slot}: undisturbed answers ${want.status}`);
    const got = kept[slot];
    if (got && JSON.stringify(got) === JSON.stringify(want)) continue;
    different++;
    const field = want.fields.find((line, index) => got?.fields[index] !== line);
    problems.push(
      `${name} slot ${slot}: status ${got?.status}, undisturbed ${want.status}${field ? `; undisturbed has ${field.slice(0, 120)}` : '; the body differs'}`,
    );
  }
  return different + Math.max(0, kept.length - expected.length);
}

/** Every token that began to go round has come to its end, and nowhere twice. */
function compareRing(arrived: readonly string[]): void {
  const times = new Map<string, number>();
  for (const name of arrived) times.set(name, (times.get(name) ?? 0) + 1);
  for (const [name, count] of times) {
    if (count > 1) problems.push(`ring: ${name} arrived ${count} times`);
    const [token, hop] = name.split('-') as [string, string];
    // Only what was pushed goes on; a token that was sent and not pushed stays where it is.
    const begun = times.has(`${token}-1`);
    if (begun && Number(hop) < HOPS && !times.has(`${token}-${Number(hop) + 1}`))
      problems.push(`ring: ${token} did not come further than hop ${hop}`);
  }
}

try {
  console.log(`Killing the browser ${kills} times, seed ${seed} …`);
  const profile = newProfile();
  const cast = await makeCast(profile);
  console.log(`Processes: ${[...cast.loaded.keys()].join(', ')}, a ring of ${RING_SIZE}, and a visiting one`);
  for (let kill = 1; kill <= kills; kill++) {
    const before = acks.length;
    refused.clear();
    // The first life always begins with a torn log, and ends before the log is full and put away.
    if (kill === 1 || random.below(4) === 0) tearLog(profile);
    keepCopy(profile);
    console.log(`life ${kill}: the log of the database is ${logState(profile)}`);
    await oneLife(profile, cast, kill);
    console.log(`kill ${kill}: ${acks.length - before} messages acknowledged in this life`);
    for (const [text, count] of [...refused].slice(0, 3)) console.log(`  refused ${count} times: ${text}`);
  }
  const last = await open(profile);
  for (const fault of await last.page.evaluate(() => window.inspect())) problems.push(`in the end: ${fault}`);
  await ready(last);
  await last.page.evaluate(() => window.settled());
  const kept = new Map<string, Kept>();
  const all = new Map([...cast.loaded, ...cast.ring.map((id, n): [string, string] => [`ring ${n}`, id])]);
  for (const [name, process] of all) kept.set(name, await survey(last, process));
  const arrived: string[] = [];
  for (const id of cast.ring)
    arrived.push(...(await last.page.evaluate((process) => window.arrived(process), id)));
  compareRing(arrived);
  await last.kill();

  let lost = 0;
  let differs = 0;
  for (const [name, process] of all) {
    const { ids: inSlots, states, file } = kept.get(name)!;
    const own = acks.filter((ack) => ack.process === process);
    const missing = own.filter(({ slot, id }) => inSlots[slot] !== id);
    for (const { slot, id } of missing)
      problems.push(`${name} slot ${slot}: ${id} was acknowledged and is not there`);
    if (new Set(inSlots).size !== inSlots.length)
      problems.push(`${name}: a message is in the schedule twice`);
    lost += missing.length;
    const different = compareStates(name, states, await undisturbed(file));
    differs += different;
    console.log(
      `${name}: ${own.length} acknowledged, ${own.length - missing.length} survived, ${inSlots.length} slots, ${different} differ`,
    );
  }
  console.log(`ring: ${arrived.length} messages arrived`);
  for (const problem of problems.slice(0, 50)) console.log(problem);
  console.log(
    `${acks.length} acknowledged, ${lost} lost, ${differs} slots differ, ${problems.length} problems`,
  );
} catch (error) {
  problems.push(String(error));
  console.error(error instanceof Error ? error.stack : error);
} finally {
  await victim?.kill();
  await server.close();
  const failed = problems.length > 0;
  if (failed) console.log(`The profile of the browser is kept: ${profiles[0]}`);
  for (const profile of profiles.slice(failed ? 1 : 0))
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch {
      // The system clears its temporary folder itself.
    }
}
process.exitCode = problems.length === 0 && acks.length > 0 ? 0 : 1;
