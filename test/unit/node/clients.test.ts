/**
 * Clients of HyperBEAM, unmodified, against the node's HTTP face on a real loopback port: curl, ao-core-libs,
 * aoconnect in mainnet mode, hbsig. What they send is what such clients send in the wild.
 */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import AOCore, { createSigner as coreSigner } from '@permaweb/ao-core-libs';
import { connect, createSigner } from '@permaweb/aoconnect';
import { createSigner as hbSigner, send } from 'hbsig';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes } from '../../../src/base/bytes.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';

const COUNTER = `
function compute(base, req)
  base.count = (base.count or 0) + 1
  base.results = { output = { data = "count " .. base.count }, outbox = {} }
  return base
end`;

let context: NodeContext;
let server: Server;
let url: string;
let jwk: JsonWebKey;

/** The node behind Node's own HTTP server, headers as octets. */
async function serve(): Promise<Server> {
  const listening = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const raw = request.rawHeaders;
      const headers: [string, string][] = [];
      for (let at = 0; at + 1 < raw.length; at += 2)
        headers.push([raw[at]!, fromBytes(latin1ToBytes(raw[at + 1]!))]);
      const body = new Uint8Array(Buffer.concat(parts));
      void handle({ method: request.method!, target: request.url!, headers, body }, context).then(
        (answer) => {
          response.writeHead(
            answer.status,
            answer.headers.flatMap(([name, value]) => [name, bytesToLatin1(toBytes(value))]),
          );
          response.end(answer.body);
        },
      );
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return listening;
}

beforeAll(async () => {
  context = await testNode();
  jwk = await (await RsaWallet.generate({ extractable: true })).toJwk();
  server = await serve();
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 60_000);
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('curl', () => {
  it('reads and posts', async () => {
    const curl = async (...args: string[]) =>
      (await promisify(execFile)('curl', ['-s', '-g', ...args])).stdout;
    expect(await curl(`${url}/~message@1.0&greeting=hello/greeting`)).toBe('hello');
    expect(
      await curl('-d', '{"a":[1,{"b":"deep"}]}', '-H', 'content-type: application/json', `${url}/a/2/b`),
    ).toBe('deep');
    expect(JSON.parse(await curl('-H', 'accept: application/json', `${url}/~meta@1.0/build`))).toMatchObject({
      status: 200,
    });
    expect(await curl('-I', `${url}/~meta@1.0/build/node`)).toContain('200 OK');
  });
});

describe('ao-core-libs', () => {
  for (const format of ['httpsig', 'ans104'] as const)
    it(`signs with ${format}`, async () => {
      const core = AOCore.init({ url, signer: coreSigner(jwk) });
      const ask = async (path: string) => {
        const response = await core.request({
          path,
          method: 'POST',
          k: 'hello',
          'signing-format': format,
        });
        return response.text();
      };
      expect(await ask('/~message@1.0/k')).toBe('hello');
    });
});

describe('aoconnect in mainnet mode', () => {
  it('spawns, sends, and reads what came out', async () => {
    const address = await (await fetch(`${url}/~meta@1.0/info/address`)).text();
    expect(address).toBe(context.identity.address);
    const signer = createSigner(jwk as never);
    const ao = connect({
      MODE: 'mainnet',
      URL: url,
      SCHEDULER: address,
      signer,
    } as never) as unknown as Record<
      'request' | 'spawn' | 'message' | 'result' | 'results' | 'dryrun',
      (parameters: unknown) => Promise<unknown>
    >;
    const module = await context.cache.write(
      Message.of({ 'content-type': 'application/lua', body: COUNTER }),
    );
    const spawned = (await ao.request({
      path: '/push',
      method: 'POST',
      type: 'Process',
      device: 'process@1.0',
      'scheduler-device': 'scheduler@1.0',
      'push-device': 'push@1.0',
      'execution-device': 'lua@5.3a',
      'scheduler-location': address,
      scheduler: address,
      authority: address,
      module,
      data: '1984',
      'accept-codec': 'httpsig@1.0',
      'signing-format': 'ans104',
    })) as Response;
    const process = spawned.headers.get('process')!;
    expect(process).toMatch(/^[\w-]{43}$/);
    const message = { process, tags: [{ name: 'Action', value: 'Count' }], data: 'x', signer };
    expect(Number(await ao.message(message))).toBe(1);
    expect(Number(await ao.message(message))).toBe(2);
    expect(await ao.result({ process, message: '1' })).toHaveProperty('Messages');
    expect(await ao.results({ process, limit: 1 })).toMatchObject({ edges: [{ cursor: '2' }] });
    expect(await ao.dryrun({ process, tags: [], data: '' })).toHaveProperty('Output');
    // The process itself is slot 0.
    expect(await (await fetch(`${url}/${process}~process@1.0/now/count`)).text()).toBe('3');
  });

  it('spawns with the device that it takes for granted', async () => {
    const address = context.identity.address;
    const ao = connect({
      MODE: 'mainnet',
      URL: url,
      SCHEDULER: address,
      signer: createSigner(jwk as never),
    } as never);
    const spawn = ao.spawn as unknown as (parameters: unknown) => Promise<string>;
    expect(await spawn({ module: 'A'.repeat(43), scheduler: address, authority: address, tags: [] })).toMatch(
      /^[\w-]{43}$/,
    );
  });
});

describe('hbsig', () => {
  it('sends typed, nested and large values', async () => {
    const sign = hbSigner(jwk, url);
    const ask = async (fields: Record<string, unknown>) => {
      const { out, status, body } = await send(await sign(fields, { path: false }));
      return [status, String(out ?? body)];
    };
    expect(await ask({ path: '/~message@1.0/n', n: 5, b: true })).toEqual([200, '5']);
    expect(await ask({ path: '/~message@1.0/m/q', m: { q: 'r', n: 3 } })).toEqual([200, 'r']);
    expect(await ask({ path: '/~message@1.0/l/2', l: [1, 'two', { a: 'b' }] })).toEqual([200, 'two']);
    expect(await ask({ path: '/~message@1.0/body', body: 'raw body' })).toEqual([200, 'raw body']);
  });
});
