/** The unmodified `@permaweb/aoconnect` against `npm run bridge`: mainnet mode, and legacy mode against the units. */
import { generateKeyPairSync } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { connect, createDataItemSigner, createSigner } from '@permaweb/aoconnect';
import { ArweaveSigner, createData } from 'arbundles';
import { aosHash } from '../setup/modules.mjs';

const profile = mkdtempSync(join(tmpdir(), 'beamlet-aoconnect-'));
const jwk = generateKeyPairSync('rsa', { modulusLength: 4096, publicExponent: 65537 }).privateKey.export({
  format: 'jwk',
});
let bridge: ChildProcess | undefined;
let url = '';
let node = '';
let moduleId = '';

test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  test.setTimeout(180_000);
  const command = join('node_modules', 'tsx', 'dist', 'cli.mjs');
  bridge = spawn(process.execPath, [command, 'src/command/bridge.ts', '--port', '0', '--profile', profile]);
  let said = '';
  bridge.stderr!.on('data', (part) => (said += String(part)));
  for await (const part of bridge.stdout!) {
    said += String(part);
    const ready = /The node (\S{43}) answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(said);
    if (ready) {
      [, node, url] = ready as unknown as [string, string, string];
      break;
    }
  }
  if (!url) throw new Error(`The bridge ended: ${said}`);
  moduleId = await uploadModule();
});

test.afterAll(async () => {
  if (bridge && bridge.exitCode === null) {
    const ended = once(bridge, 'exit');
    bridge.kill('SIGTERM');
    await ended;
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** The aos module as an item, given to the node as to a bundler. */
async function uploadModule(): Promise<string> {
  const signer = new ArweaveSigner(jwk as ConstructorParameters<typeof ArweaveSigner>[0]);
  const file = readFileSync(join('.cache', 'modules', `${aosHash()}.wasm`));
  const item = createData(file, signer, {
    tags: tags({
      'Data-Protocol': 'ao',
      Variant: 'ao.TN.1',
      Type: 'Module',
      'Module-Format': 'wasm64-unknown-emscripten-draft_2024_02_15',
      'Input-Encoding': 'JSON-1',
      'Output-Encoding': 'JSON-1',
      'Memory-Limit': '1-gb',
      'Compute-Limit': '9000000000000',
      'Content-Type': 'application/wasm',
    }),
  });
  await item.sign(signer);
  const answer = await fetch(`${url}/~legacynet@1.0/gateway/tx`, {
    method: 'POST',
    body: new Uint8Array(item.getRaw()),
  });
  const { id } = (await answer.json()) as { id: string };
  expect(id).toBe(item.id);
  return id;
}

function tags(record: Record<string, string>): { name: string; value: string }[] {
  return Object.entries(record).map(([name, value]) => ({ name, value }));
}

const EVAL = tags({ Action: 'Eval' });
const outputOf = (result: unknown) => (result as { Output: { data: string } }).Output.data;

test('mainnet mode: spawn, message, result, results, dryrun, request', async () => {
  const ao = connect({ MODE: 'mainnet', URL: url, signer: createSigner(jwk) } as never) as unknown as Record<
    string,
    (args: Record<string, unknown>) => Promise<unknown>
  >;
  const process = String(await ao.spawn!({ module: moduleId, tags: tags({ Name: 'mainnet' }) }));
  expect(process).toMatch(/^[\w-]{43}$/);

  const data = 'Count = (Count or 0) + 1; return Count';
  expect(await ao.message!({ process, tags: EVAL, data })).toBe(1);
  expect(await ao.message!({ process, tags: EVAL, data })).toBe(2);
  const first = await ao.result!({ process, message: 1 });
  expect(outputOf(first)).toBe('1');
  expect(first).toMatchObject({ Messages: [], Spawns: [], Assignments: [] });
  expect(outputOf(await ao.result!({ process, slot: 2 }))).toBe('2');

  const { edges } = (await ao.results!({ process })) as { edges: { cursor: string; node: unknown }[] };
  expect(edges.map(({ cursor, node: result }) => [cursor, outputOf(result)])).toEqual([['2', '2']]);

  const dry = { process, tags: EVAL, data: 'Count = 99; return Count' };
  expect(outputOf(await ao.dryrun!(dry))).toBe('99');
  expect(outputOf(await ao.dryrun!({ ...dry, data: 'return Count' }))).toBe('2');

  for (const format of ['httpsig', 'ans104']) {
    const response = (await ao.request!({
      path: `/${process}~process@1.0/slot/current`,
      method: 'GET',
      'signing-format': format,
    })) as Response;
    expect([response.status, await response.text()]).toEqual([200, '2']);
  }
});

test('legacy mode: spawn, message, result, results, dryrun, assign, monitor', async () => {
  const units = `${url}/~legacynet@1.0`;
  const ao = connect({
    MODE: 'legacy',
    MU_URL: `${units}/mu`,
    CU_URL: `${units}/cu`,
    GATEWAY_URL: `${units}/gateway`,
  });
  const signer = createDataItemSigner(jwk);
  const make = (name: string) =>
    ao.spawn({ module: moduleId, scheduler: node, signer, tags: tags({ Name: name, Authority: node }) });
  const [one, two] = [await make('one'), await make('two')];
  const say = async (process: string, data: string) => {
    const message = String(await ao.message({ process, signer, tags: EVAL, data }));
    return { message, result: await ao.result({ process, message }) };
  };
  const unit = async (path: string) => (await fetch(units + path)).json() as Promise<Record<string, never>>;

  const counted = await say(one, 'Count = (Count or 0) + 1; return Count');
  expect(outputOf(counted.result)).toBe('1');

  // A dry run sees the process and leaves nothing behind.
  const { owner } = await unit(`/su/processes/${one}`);
  const Owner = (owner as unknown as { address: string }).address;
  const dry = (data: string) => ao.dryrun({ process: one, Owner, tags: EVAL, data } as never);
  expect(outputOf(await dry('Count = 99; return Count'))).toBe('99');
  expect(outputOf(await dry('return Count'))).toBe('1');
  expect(outputOf((await say(one, 'return Count')).result)).toBe('1');

  // From one process to the other and back.
  await say(
    two,
    `Handlers.add('ping', 'Ping', function (m) m.reply({ Action = 'Pong', Data = 'got ' .. m.Data }) end)`,
  );
  await say(one, `Handlers.add('pong', 'Pong', function (m) Got = m.Data end)`);
  const { result } = await say(one, `Send({ Target = '${two}', Action = 'Ping', Data = 'hello' })`);
  expect(result.Messages).toHaveLength(1);
  await expect.poll(async () => outputOf(await dry('return tostring(Got)'))).toBe('got hello');

  // A spawn from within, which the parent is told of.
  await say(one, `Handlers.add('born', 'Spawned', function (m) Child = m.Process end)`);
  await say(one, `Spawn('${moduleId}', { Tags = { Authority = '${node}' } })`);
  await expect.poll(async () => outputOf(await dry('return tostring(Child)'))).toMatch(/^[\w-]{43}$/);

  const page = await ao.results({ process: one, limit: 2 });
  expect(page.edges).toHaveLength(2);
  const after = await ao.results({ process: one, limit: 1, from: page.edges[1]!.cursor });
  expect(JSON.parse(Buffer.from(after.edges[0]!.cursor, 'base64').toString())).toMatchObject({
    ordinate: '2',
  });
  const newest = await ao.results({ process: one, limit: 1, sort: 'DESC' });
  expect(newest.edges).toHaveLength(1);

  expect(await ao.assign({ process: two, message: counted.message })).toBe(counted.message);
  expect(await ao.monitor({ process: one, signer })).toMatch(/^[\w-]{43}$/);
  expect(await ao.unmonitor({ process: one, signer })).toMatch(/^[\w-]{43}$/);

  // The schedule by nonces: the process message first, then what came after it.
  const schedule = (await unit(`/su/${one}?process-id=${one}&from-nonce=-1&limit=2`)) as unknown as {
    page_info: { has_next_page: boolean };
    edges: { cursor: string; node: { message: { id: string } } }[];
  };
  expect(schedule.edges.map(({ cursor, node: { message } }) => [cursor, message.id])).toEqual([
    ['0', one],
    ['1', counted.message],
  ]);
  expect(schedule.page_info.has_next_page).toBe(true);
  const missing = await fetch(`${units}/cu/result/${'a'.repeat(43)}?process-id=${one}`);
  expect(missing.status).toBe(404);
});
