/** `npm run verify` against a real HTTP node (a bridge), and against one that changes what that node says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { bytesToLatin1, toBytes } from '../../src/base/bytes.ts';
import { encodeHttp } from '../../src/commitment/http.ts';
import { commitHttpsig } from '../../src/commitment/httpsig.ts';
import { messageId } from '../../src/commitment/id.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { Message } from '../../src/message/message.ts';
import { binaryBytes } from '../../src/message/value.ts';
import type { Report } from '../../src/verify/report.ts';

const folder = mkdtempSync(join(tmpdir(), 'beamlet-verify-'));
const tsx = join('node_modules', 'tsx', 'dist', 'cli.mjs');
let bridge: ChildProcess;
let node = '';
let origin = '';
let liar: Server;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  bridge = spawn(process.execPath, [tsx, 'src/command/bridge.ts', '--port', '0']);
  let said = '';
  for await (const part of bridge.stdout!) {
    said += String(part);
    const ready = /The node (\S{43}) answers at (http:\/\/\S+)/.exec(said);
    if (!ready) continue;
    [, node, origin] = ready as unknown as [string, string, string];
    break;
  }
  expect(origin).not.toBe('');
});

test.afterAll(async () => {
  liar?.close();
  const ended = once(bridge, 'exit');
  bridge.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

/** Posts a signed message in the body of a request, where the request's own keys cannot mix with it. */
async function post(path: string, message: Message): Promise<void> {
  const { headers, body } = await encodeHttp(Message.of({ body: message }), { bundle: true });
  const fields = [...headers].map(([name, value]): [string, string] => [
    name,
    bytesToLatin1(binaryBytes(value)),
  ]);
  const answer = await fetch(origin + path, {
    method: 'POST',
    headers: fields,
    body: (body ?? toBytes('')) as Uint8Array<ArrayBuffer>,
  });
  expect({ status: answer.status, text: await answer.text() }).toMatchObject({ status: 200 });
}

/** A process with three slots beside its definition. */
async function makeProcess(): Promise<string> {
  const wallet = await RsaWallet.generate();
  const source = `function compute(base, request)
    base.count = (base.count or 0) + 1
    base.results = { output = { data = 'counted' }, outbox = {} }
    return base
  end`;
  const definition = await commitHttpsig(
    Message.of({
      device: 'process@1.0',
      type: 'Process',
      'execution-device': 'lua@5.3a',
      'scheduler-device': 'scheduler@1.0',
      scheduler: node,
      authority: node,
      module: [{ name: 'main', body: source }],
      'data-protocol': 'ao',
      variant: 'ao.N.1',
    }),
    wallet,
    { bundle: true },
  );
  const id = messageId(definition, 'signed');
  await post('/~scheduler@1.0/schedule', definition);
  for (let index = 0; index < 3; index++)
    await post(
      `/${id}~process@1.0/schedule`,
      await commitHttpsig(
        Message.of({ action: 'Count', target: id, type: 'Message', index: String(index) }),
        wallet,
      ),
    );
  return id;
}

/** Runs a command; its exit code and what it printed. */
async function run(command: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [tsx, `src/command/${command}`, ...args]);
  let said = '';
  child.stdout.on('data', (part) => (said += String(part)));
  child.stderr.on('data', (part) => (said += String(part)));
  await once(child, 'close');
  return { code: child.exitCode, said };
}

/** The same with the report that it wrote. */
async function verify(...args: string[]): Promise<{ code: number | null; said: string; report: Report }> {
  const json = join(folder, 'report.json');
  const { code, said } = await run('verify.ts', ...args, '--json', json);
  return { code, said, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('proves what an honest node says, and catches one that does not', async () => {
  test.setTimeout(240_000);
  const id = await makeProcess();
  const honest = await verify(`${origin}/${id}~process@1.0/now/count`);
  expect(honest.said).toContain('level: replayed');
  expect(honest.report.reached).toEqual(expect.arrayContaining(['signed', 'audited', 'replayed']));
  expect(honest.report.facts.audited).toMatchObject({ from: 0, to: 3, scheduler: [node] });
  expect(honest.code).toBe(0);

  const strict = join(folder, 'trust.json');
  writeFileSync(strict, JSON.stringify({ keys: ['x'.repeat(43)] }));
  const stranger = await verify(
    `${origin}/${id}~process@1.0/now/count`,
    '--level',
    'signed',
    '--trust',
    strict,
  );
  expect(stranger.said).toContain('key-not-trusted');
  expect(stranger.code).toBe(1);

  // Everything as the node says it, but one word of the state, without the signature that would give it away.
  liar = createServer((request, response) => {
    const accept = request.headers.accept ?? '*/*';
    void fetch(origin + request.url, { headers: { 'accept-bundle': 'true', accept } }).then(
      async (answer) => {
        const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
        const computed = /\/compute/.test(request.url ?? '');
        for (const [name, value] of answer.headers)
          if (
            name !== 'transfer-encoding' &&
            !(computed && /^(signature|content-digest|content-length)/.test(name))
          )
            response.setHeader(name, value);
        response.writeHead(answer.status);
        response.end(Buffer.from(computed ? text.replaceAll('counted', 'cheated') : text, 'latin1'));
      },
    );
  });
  const lied = await verify(`${await listen(liar)}/${id}~process@1.0/compute&slot=2/results/output/data`);
  expect(lied.code).toBe(1);
  expect(lied.report.level).toBe('contradicted');
  const problem = lied.report.problems.find(({ code }) => code === 'answer-differs');
  expect(problem).toMatchObject({ contradiction: true });
  const file = join(folder, `report.json.${problem!.evidence}.evidence.json`);
  const checked = await run('verify-evidence.ts', file);
  expect(checked.said).toContain('It holds nobody to it.');
  expect(checked.code).toBe(0);
  const changed = join(folder, 'changed.json');
  writeFileSync(changed, readFileSync(file, 'utf8').replace('"slot": ', '"slot": 1'));
  expect((await run('verify-evidence.ts', changed)).code).toBe(1);
});

test('gives up on a node that wastes its time, and says why', async () => {
  test.setTimeout(240_000);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const waster = createServer((request, response) => {
    if (request.url?.startsWith(`/${'r'.repeat(43)}`))
      response.writeHead(302, { location: request.url, 'access-control-allow-origin': '*' }).end();
    else
      response.writeHead(200, { 'content-encoding': 'gzip', 'access-control-allow-origin': '*' }).end(bomb);
  });
  const address = await listen(waster);
  try {
    const redirected = await verify(`${address}/${'r'.repeat(43)}~process@1.0/now`);
    expect(redirected.said).toContain('peer-unreachable');
    expect(redirected.code).toBe(1);
    const bombed = await verify(`${address}/${'g'.repeat(43)}~process@1.0/now`);
    expect(bombed.said).toContain('peer-too-large');
    expect(bombed.code).toBe(1);
  } finally {
    waster.close();
  }
});

test('is told when it is called wrongly', async () => {
  test.setTimeout(120_000);
  const wrong = [
    [],
    ['http://a.example/x', 'http://b.example/y'],
    ['http://a.example/x', '--level', 'certain'],
    ['http://a.example/x', '--trust', join(folder, 'nowhere.json')],
    ['http://a.example/x', '--sample', 'some'],
    ['http://a.example/x', '--unknown'],
  ];
  const codes = await Promise.all([
    ...wrong.map(async (args) => (await run('verify.ts', ...args)).code),
    run('verify-evidence.ts').then(({ code }) => code),
    run('verify-evidence.ts', join(folder, 'nowhere.json')).then(({ code }) => code),
  ]);
  expect(codes).toEqual([...wrong.map(() => 2), 2, 1]);
});
