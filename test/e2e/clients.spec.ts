/**
 * Clients of HyperBEAM, unmodified, against `npm run bridge` on loopback: curl, ao-core-libs, aoconnect in mainnet mode
 * with both ways of signing, and the HTTP client of hbsig.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import AOCore, { createSigner as coreSigner } from '@permaweb/ao-core-libs';
import { connect, createSigner } from '@permaweb/aoconnect';
import { ArweaveSigner, createData } from 'arbundles';
import { createSigner as hbSigner, send } from 'hbsig';
import { aosHash } from '../setup/modules.mjs';
import { startBridge, type RunningBridge } from './running-bridge.ts';

const jwk = generateKeyPairSync('rsa', { modulusLength: 4096, publicExponent: 65537 }).privateKey.export({
  format: 'jwk',
});
const FORMATS = ['httpsig', 'ans104'] as const;

type Call = (parameters: Record<string, unknown>) => Promise<unknown>;
interface UnitResult {
  Output: { data?: string };
  Messages: { Target: string; Tags: { name: string; value: string }[] }[];
  Spawns: unknown[];
  Assignments: unknown[];
}

let bridge: RunningBridge;
let ao: Record<'request' | 'spawn' | 'message' | 'result' | 'results' | 'dryrun', Call>;
/** The real aos module, uploaded as an item. */
let aos = '';

test.describe.configure({ mode: 'serial' });
test.setTimeout(180_000);

test.beforeAll(async () => {
  test.setTimeout(180_000);
  bridge = await startBridge();
  ao = connect({ MODE: 'mainnet', URL: bridge.url, signer: createSigner(jwk) } as never) as never;
  aos = await upload(readFileSync(join('.cache', 'modules', `${aosHash()}.wasm`)), {
    Type: 'Module',
    'Module-Format': 'wasm64-unknown-emscripten-draft_2024_02_15',
    'Input-Encoding': 'JSON-1',
    'Output-Encoding': 'JSON-1',
    'Memory-Limit': '1-gb',
    'Compute-Limit': '9000000000000',
    'Content-Type': 'application/wasm',
  });
});
test.afterAll(() => bridge.stop());

const tags = (record: Record<string, string>) =>
  Object.entries(record).map(([name, value]) => ({ name, value }));

/** Gives the node an item, as one gives it to a bundler; answers its ID. */
async function upload(data: Uint8Array, named: Record<string, string>): Promise<string> {
  const signer = new ArweaveSigner(jwk as ConstructorParameters<typeof ArweaveSigner>[0]);
  const item = createData(data, signer, {
    tags: tags({ 'Data-Protocol': 'ao', Variant: 'ao.TN.1', ...named }),
  });
  await item.sign(signer);
  const answer = await fetch(`${bridge.url}/~legacynet@1.0/gateway/tx`, {
    method: 'POST',
    body: new Uint8Array(item.getRaw()),
  });
  expect(await answer.json()).toMatchObject({ id: item.id });
  return item.id;
}

const curl = async (...args: string[]) => (await promisify(execFile)('curl', ['-s', '-g', ...args])).stdout;

test('curl', async () => {
  const { url, node } = bridge;
  expect(await curl(`${url}/~meta@1.0/info/address`)).toBe(node);
  expect(await curl(`${url}/~message@1.0&greeting=hello&n+integer=2/greeting`)).toBe('hello');
  const json = ['-H', 'content-type: application/json; charset=utf-8'];
  expect(await curl('-d', '{"a":[1,{"b":"deep"}]}', ...json, `${url}/a/2/b`)).toBe('deep');
  // What is accepted is a list, with parameters.
  for (const accept of [
    'application/json',
    'application/json;q=0.9, */*;q=0.1',
    'text/plain, application/json',
  ])
    expect(JSON.parse(await curl('-H', `accept: ${accept}`, `${url}/~meta@1.0/build`))).toMatchObject({
      status: 200,
    });
  expect(await curl('-I', `${url}/~meta@1.0/build/node`)).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(await curl('-X', 'OPTIONS', '-i', `${url}/~meta@1.0/info`)).toMatch(/^HTTP\/1\.1 204 /);
  expect(await curl('-X', 'PATCH', `${url}/method`)).toBe('PATCH');
  expect(await curl('-o', '/dev/null', '-w', '%{http_code}', `${url}/~meta@1.0/info/no-such-key`)).toBe(
    '404',
  );
  expect(await curl('-H', 'x-note: from curl', `${url}/x-note`)).toBe('from curl');
});

for (const format of FORMATS)
  test(`ao-core-libs signs with ${format}`, async () => {
    const core = AOCore.init({ url: bridge.url, signer: coreSigner(jwk) });
    const ask = async (path: string, fields: Record<string, unknown> = {}) => {
      const answer = await core.request({ path, method: 'POST', 'signing-format': format, ...fields });
      return [answer.status, await answer.text()];
    };
    expect(await ask('/~message@1.0/k', { k: 'hello' })).toEqual([200, 'hello']);
    // The node knows who signed.
    const address = String((await ask('/~message@1.0/committers/1', { k: 'hello' }))[1]);
    const owner = createData('', new ArweaveSigner(jwk as never)).rawOwner;
    const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(owner));
    expect(address).toBe(Buffer.from(digest).toString('base64url'));
    expect(await ask('/~message@1.0/verify', { k: 'hello' })).toEqual([200, 'true']);
  });

for (const format of FORMATS)
  test(`aoconnect's own requests, each signed with ${format}`, async () => {
    const base = { method: 'POST', 'signing-format': format, 'accept-bundle': 'true' };
    const http = { ...base, 'accept-codec': 'httpsig@1.0' };
    const json = { ...base, 'require-codec': 'application/json' };
    const protocol = { 'Data-Protocol': 'ao', Variant: 'ao.N.1' };
    const request = async (parameters: Record<string, unknown>) => {
      const answer = (await ao.request(parameters)) as Response;
      const text = await answer.text();
      expect(answer.status, text).toBe(200);
      return { answer, text };
    };
    const read = async (parameters: Record<string, unknown>) => {
      const { answer, text } = await request({ ...json, ...parameters });
      return { headers: answer.headers, said: JSON.parse(text) as Record<string, unknown> };
    };

    const spawned = await request({
      path: '/push',
      device: 'process@1.0',
      'scheduler-device': 'scheduler@1.0',
      'push-device': 'push@1.0',
      'execution-device': 'genesis-wasm@1.0',
      Authority: bridge.node,
      Scheduler: bridge.node,
      Module: aos,
      data: '1984',
      Name: `by ${format}`,
      Type: 'Process',
      ...protocol,
      ...http,
    });
    const process = spawned.answer.headers.get('process')!;
    expect(process).toMatch(/^[\w-]{43}$/);

    const message = (data: string) =>
      read({
        path: `/${process}~process@1.0/push`,
        target: process,
        data,
        Action: 'Eval',
        Type: 'Message',
        ...protocol,
      });
    const count = 'Count = (Count or 0) + 1; return Count';
    const sent = await message(count);
    expect(sent.said).toMatchObject({ slot: 1, process, raw: { Output: { data: '1' } } });
    expect(sent.headers.get('message')).toMatch(/^[\w-]{43}$/);
    expect((await message(count)).said).toMatchObject({ slot: 2, raw: { Output: { data: '2' } } });

    const result = await read({ path: `/${process}~process@1.0/compute/results=1`, target: process });
    expect(result.said).toMatchObject({ raw: { Output: { data: '1' }, Messages: [], Spawns: [] } });
    expect((await request({ ...http, path: `/${process}/slot/current` })).text).toBe('2');
    const results = await read({ path: `/${process}/compute/results=2` });
    expect(results.said).toMatchObject({ raw: { Output: { data: '2' } } });

    const dry = (data: string) =>
      read({ path: `/${process}~process@1.0/as=execution/compute&Action=Eval`, target: process, data });
    expect((await dry('Count = 99; return Count')).said).toMatchObject({ raw: { Output: { data: '99' } } });
    expect((await dry('return Count')).said).toMatchObject({ raw: { Output: { data: '2' } } });

    const get = { path: `/${process}~process@1.0/slot/current`, method: 'GET', 'signing-format': format };
    expect((await request(get)).text).toBe('2');
  });

test('aoconnect: spawn, message, result, results and dryrun on aos', async () => {
  const process = String(await ao.spawn({ module: aos, tags: tags({ Name: 'mainnet' }) }));
  expect(process).toMatch(/^[\w-]{43}$/);
  const say = (data: string, more: Record<string, unknown> = {}) =>
    ao.message({ process, tags: tags({ Action: 'Eval' }), data, ...more });
  const count = 'Count = (Count or 0) + 1; return Count';
  expect(await say(count)).toBe(1);
  const id = String(await say(count, { returnMessageId: true }));
  expect(id).toMatch(/^[\w-]{43}$/);
  // It is the message's ID: the node has the message under it.
  expect(await (await fetch(`${bridge.url}/${id}/data`)).text()).toBe(count);
  expect(await say(count, { returnMessageId: true, returnAssignmentSlot: true })).toMatchObject({ slot: 3 });
  expect(await say(count, { opts: { fullResponse: true } })).toMatchObject({ Output: { data: '4' } });
  expect(await ao.result({ process, message: 2 })).toMatchObject({ Output: { data: '2' }, Messages: [] });
  expect(await ao.results({ process })).toMatchObject({
    edges: [{ cursor: '4', node: { Output: { data: '4' } } }],
  });
  const dry = { process, tags: tags({ Action: 'Eval' }), data: 'return Count' };
  expect(await ao.dryrun(dry)).toMatchObject({ Output: { data: '4' } });
});

const LEDGER = `
function compute(base, req)
  base.count = (base.count or 0) + 1
  base.results = {
    data = 'count ' .. base.count,
    outbox = { ['1'] = { target = 'nobody', action = 'Counted', data = 'x' } }
  }
  return base
end`;

for (const format of FORMATS)
  test(`aoconnect on a native process, signed with ${format}`, async () => {
    const module = await upload(Buffer.from(LEDGER), { 'Content-Type': 'application/lua' });
    const answer = (await ao.request({
      path: '/push',
      method: 'POST',
      'signing-format': format,
      'accept-codec': 'httpsig@1.0',
      device: 'process@1.0',
      'scheduler-device': 'scheduler@1.0',
      'push-device': 'push@1.0',
      'execution-device': 'lua@5.3a',
      Authority: bridge.node,
      Scheduler: bridge.node,
      Module: module,
      Type: 'Process',
      'Data-Protocol': 'ao',
      Variant: 'ao.N.1',
      data: '1984',
    })) as Response;
    const process = answer.headers.get('process')!;
    expect(process).toMatch(/^[\w-]{43}$/);
    const full = await ao.message({ process, tags: [], data: 'x', opts: { fullResponse: true } });
    expect(full).toMatchObject({ Output: { data: 'count 2' } });
    const result = (await ao.result({ process, message: 1 })) as UnitResult;
    expect(result).toMatchObject({ Output: { data: 'count 2' }, Spawns: [], Assignments: [] });
    expect(result.Messages).toEqual([
      { Target: 'nobody', Data: 'x', Tags: [{ name: 'action', value: 'Counted' }] },
    ]);
    expect(await ao.results({ process })).toMatchObject({
      edges: [{ node: { Output: { data: 'count 2' } } }],
    });
  });

test('hbsig sends typed, nested and large values', async () => {
  const sign = hbSigner(jwk, bridge.url);
  const ask = async (fields: Record<string, unknown>) => {
    const { out, status, body } = await send(await sign(fields, { path: false }));
    return [status, String(out ?? body)];
  };
  expect(await ask({ path: '/~message@1.0/n', n: 5, b: true })).toEqual([200, '5']);
  expect(await ask({ path: '/~message@1.0/m/q', m: { q: 'r', n: 3 } })).toEqual([200, 'r']);
  expect(await ask({ path: '/~message@1.0/l/2', l: [1, 'two', { a: 'b' }] })).toEqual([200, 'two']);
  expect(await ask({ path: '/~message@1.0/body', body: 'raw body' })).toEqual([200, 'raw body']);
  const large = 'x'.repeat(300_000);
  expect(await ask({ path: '/~message@1.0/k', k: large })).toEqual([200, large]);
  // A signature over other content is refused, not passed over.
  const signed = await sign({ path: '/~message@1.0/k', k: 'mine' }, { path: false });
  const forged = await send({ ...signed, headers: { ...signed.headers, k: 'yours' } }).catch(
    (thrown: unknown) => thrown as { status?: number },
  );
  expect(forged.status ?? 400).toBe(400);
});
