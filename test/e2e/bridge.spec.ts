/** `npm run bridge`: a node in headless Chromium that unmodified HTTP clients can talk to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';

const profile = mkdtempSync(join(tmpdir(), 'beamlet-bridge-'));
let bridge: ChildProcess | undefined;

test.afterEach(() => stop());
test.afterAll(() => rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

/** Starts a bridge on the profile; answers the node's address and the port. */
async function start(): Promise<{ node: string; port: number }> {
  const command = join('node_modules', 'tsx', 'dist', 'cli.mjs');
  bridge = spawn(process.execPath, [command, 'src/command/bridge.ts', '--port', '0', '--profile', profile]);
  let said = '';
  bridge.stderr!.on('data', (part) => (said += String(part)));
  for await (const part of bridge.stdout!) {
    said += String(part);
    const ready = /The node (\S{43}) answers at http:\/\/127\.0\.0\.1:(\d+)/.exec(said);
    if (ready) return { node: ready[1]!, port: Number(ready[2]) };
  }
  throw new Error(`The bridge ended: ${said}`);
}

async function stop(): Promise<void> {
  if (!bridge || bridge.exitCode !== null) return;
  const ended = once(bridge, 'exit');
  bridge.kill('SIGTERM');
  await ended;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    })
      .on('error', reject)
      .end(body);
  });
}

test('answers HTTP clients, and is the same node again on the same profile', async () => {
  const first = await start();
  expect(await ask(first.port, '/~meta@1.0/info/address')).toMatchObject({ status: 200, text: first.node });

  const value = await ask(first.port, '/~message@1.0&greeting=hello%20world/greeting');
  expect(value).toMatchObject({ status: 200, text: 'hello world' });
  expect(value.headers['signature-input']).toContain('rsa-pss-sha512');

  // Keys of the request that a browser could not send.
  const host = await ask(first.port, '/host', { headers: { host: 'somewhere.else' } });
  expect(host).toMatchObject({ status: 200, text: 'somewhere.else' });
  const body = await ask(first.port, '/body', { headers: { 'content-length': '3' }, body: 'abc' });
  expect(body).toMatchObject({ status: 200, text: 'abc' });

  expect((await ask(first.port, '/~no-such-device@1.0/x')).status).toBeGreaterThanOrEqual(400);
  await stop();
  expect(bridge?.exitCode).toBe(0);

  const second = await start();
  expect(second.node).toBe(first.node);
});
