/** `npm run verify` against a real HTTP node (a bridge), and against one that changes what that node says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Posts a signed message in the body of a request, where the request's own keys can not mix with it. */
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

/** Runs the command; its exit code, what it printed and the report. */
async function verify(...args: string[]): Promise<{ code: number | null; said: string; report: Report }> {
  const json = join(folder, 'report.json');
  const child = spawn(process.execPath, [tsx, 'src/command/verify.ts', ...args, '--json', json]);
  let said = '';
  child.stdout.on('data', (part) => (said += String(part)));
  child.stderr.on('data', (part) => (said += String(part)));
  await once(child, 'close');
  return { code: child.exitCode, said, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

test('proves what an honest node says, and catches one that does not', async () => {
  test.setTimeout(240_000);
  const id = await makeProcess();
  const honest = await verify(`${origin}/${id}~process@1.0/now/count`);
  expect(honest.said).toContain('level: replayed');
  expect(honest.report.reached).toEqual(expect.arrayContaining(['signed', 'audited', 'replayed']));
  expect(honest.report.facts.audited).toMatchObject({ from: 0, to: 3, scheduler: [node] });
  expect(honest.code).toBe(0);

  // Everything as the node says it, but one word of the state: no signature covers that any more.
  liar = createServer((request, response) => {
    void fetch(origin + request.url, { headers: { 'accept-bundle': 'true' } }).then(async (answer) => {
      const text = Buffer.from(await answer.arrayBuffer()).toString('latin1');
      const changed = /\/compute/.test(request.url ?? '') ? text.replaceAll('counted', 'cheated') : text;
      for (const [name, value] of answer.headers)
        if (name !== 'transfer-encoding') response.setHeader(name, value);
      response.writeHead(answer.status);
      response.end(Buffer.from(changed, 'latin1'));
    });
  });
  await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
  const lied = await verify(
    `http://127.0.0.1:${(liar.address() as AddressInfo).port}/${id}~process@1.0/compute&slot=2/results`,
  );
  expect(lied.code).toBe(1);
  expect(lied.report.reached).not.toContain('replayed');
});
