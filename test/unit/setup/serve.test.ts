import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type Served } from '../../setup/serve.mjs';

const folder = mkdtempSync(join(tmpdir(), 'dist-'));
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
const id = 'a'.repeat(43);
let server: Served;

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'));
  writeFileSync(
    join(folder, 'index.html'),
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>shell</title>`,
  );
  writeFileSync(join(folder, 'assets', 'a.js'), 'export {}');
  writeFileSync(join(folder, 'service-worker.js'), '');
  writeFileSync(join(folder, 'aos.wasm'), 'wasm');
  server = await serve({ port: 0, directory: folder });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Not `fetch`: it would say of itself that it is no navigation. */
function get(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  origin = server.origin,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    request({ hostname, port, path, method, headers }, (response) => {
      let text = '';
      response.on('data', (part) => (text += part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    })
      .on('error', reject)
      .end();
  });
}

const NAVIGATION = { 'sec-fetch-mode': 'navigate', accept: 'text/html' };

describe('the static server', () => {
  it('hands out files with their type, the policy and how long they last', async () => {
    const script = await get('/assets/a.js');
    expect(script.headers['content-type']).toMatch('text/javascript');
    expect(script.headers['content-security-policy']).toBe(POLICY);
    expect(script.headers['cache-control']).toMatch('immutable');
    for (const path of ['/', '/index.html', '/service-worker.js'])
      expect((await get(path)).headers['cache-control']).toBe('no-cache');
  });

  it('answers navigations with the shell, AO paths included', async () => {
    for (const path of ['/', `/${id}~process@1.0/now`, '/~meta@1.0/info', '/anything'])
      expect((await get(path, NAVIGATION)).text).toMatch('<title>shell');
  });

  it('never answers anything else with the shell', async () => {
    for (const path of [`/${id}~process@1.0/now`, '/~meta@1.0/info', `/${id}/key`, '/anything', '/(a/b)'])
      for (const headers of [{}, { accept: '*/*' }, { 'sec-fetch-mode': 'cors', accept: 'text/html' }])
        for (const method of ['GET', 'POST', 'HEAD']) {
          const answer = await get(path, headers as Record<string, string>, method);
          expect(answer.status).toBe(503);
          expect(answer.headers['content-type']).toBe('application/json');
        }
    for (const path of ['/assets/none.js', '/modules/aos.wasm']) expect((await get(path)).status).toBe(404);
  });

  it('stays inside its directory', async () => {
    for (const path of ['/..%2f..%2fetc/passwd', '/%2e%2e/x', '/assets/%2e%2e/%2e%2e/x', '/%00', '/%E0%A4%A'])
      expect((await get(path)).status).toBeGreaterThanOrEqual(400);
  });

  it('offers the aos module only where it is there', async () => {
    expect((await get('/modules/index.json')).text).toBe('{}');
    const other = await serve({ port: 0, directory: folder, aos: join(folder, 'aos.wasm') });
    const ask = (path: string) => get(path, {}, 'GET', other.origin);
    const index = JSON.parse((await ask('/modules/index.json')).text) as { aos: { path: string } };
    const module = await ask(index.aos.path);
    expect(module.headers['content-type']).toBe('application/wasm');
    expect(module.text).toBe('wasm');
    await other.close();
  });
});
