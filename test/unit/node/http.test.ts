import { beforeAll, describe, expect, it } from 'vitest';
import { toBytes, utf8 } from '../../../src/base/bytes.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { encodeHttp } from '../../../src/commitment/http.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { committers } from '../../../src/commitment/select.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, binaryBytes } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import type { HttpRequest, HttpResponse } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { testNode } from '../../conformance/node.ts';
import { fromBytes } from '../../../src/base/bytes.ts';

let node: NodeContext;
beforeAll(async () => {
  node = await testNode();
}, 60_000);

interface Options {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

function request(target: string, { method = 'GET', headers = {}, body = '' }: Options = {}): HttpRequest {
  return {
    method,
    target,
    headers: Object.entries({ 'accept-bundle': 'true', ...headers }),
    body: typeof body === 'string' ? toBytes(body) : body,
  };
}

const ask = (target: string, options: Options = {}, context = node) =>
  handle(request(target, options), context);
const text = ({ body }: HttpResponse) => utf8(body);
const header = ({ headers }: HttpResponse, name: string) => headers.find(([one]) => one === name)?.[1];

async function signed(message: Message, wallet: RsaWallet): Promise<Options> {
  const committed = await commitHttpsig(message, wallet);
  const form = await encodeHttp(committed, { bundle: true });
  return {
    headers: Object.fromEntries(
      [...form.headers].map(([name, value]) => [name, fromBytes(binaryBytes(value))]),
    ),
    body: form.body ?? '',
    method: message.text('method') ?? 'POST',
  };
}

describe('HTTP basics (resolver.md §12.3)', () => {
  it('redirects the root and answers preflights', async () => {
    const root = await ask('/');
    expect([root.status, header(root, 'location')]).toEqual([302, '/~hyperbuddy@1.0/dashboard']);
    const options = await ask('/a', { method: 'OPTIONS' });
    expect([options.status, header(options, 'access-control-allow-origin')]).toEqual([204, '*']);
    const empty = await ask('/?x=1');
    expect(empty.status).toBe(500);
    expect(text(empty)).toContain('empty message sequence');
  });

  const bodies: [string, number, string, Options?][] = [
    ['/~meta@1.0/build/node', 200, 'HyperBEAM'],
    ['/~meta@1.0/info/scheduling_mode', 200, 'local_confirmation'],
    ['/~meta@1.0/info/wasm_allow_aot', 200, 'false'],
    ['/a', 404, 'not_found'],
    ['/a?a=5', 200, '5'],
    ['/a?a+integer=5', 200, '5'],
    ['/~test-device@1.0/load?name=dogs', 200, ''],
    ['/test_func?device=test-device@1.0', 200, 'GOOD_FUNCTION'],
    ['/~test-device@1.0/test_func~message@1.0?test_func=abc', 200, 'abc'],
    ['/k', 200, 'v', { method: 'PUT', headers: { k: 'v' } }],
    ['/method', 200, 'PATCH', { method: 'PATCH' }],
    [
      '/a/b/3',
      200,
      'x',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":{"b":[1,2,"x"]}}' },
    ],
    [
      '/a',
      200,
      '1',
      { method: 'POST', headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{"a":"1"}' },
    ],
    [
      '/a',
      200,
      '9',
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"path":"/b","b":"9"}' },
    ],
    [
      '/a?a=query',
      200,
      'query',
      { method: 'POST', headers: { a: 'header', 'content-type': 'application/json' }, body: '{"a":"body"}' },
    ],
    ['/a?path=/b&b=7', 200, '7'],
    ['/a?b=7', 200, '7', { headers: { path: '/b' } }],
    ['/a?a+atom=created', 201, 'created'],
    ['/a?a+atom=failure', 500, 'failure'],
    ['/a?a=created', 200, 'created'],
    ['/~message@1.0/x?0.x=3', 200, '3'],
    ['/~message@1.0/x?1.x=3', 404, 'not_found'],
    ['/priv_wallet?priv_wallet=x', 404, 'not_found'],
    ['/~message@1.0&k=(~meta@1.0/build/node)/k', 200, 'HyperBEAM'],
    ['/(~meta@1.0/build)/node', 200, 'HyperBEAM'],
    ['/~meta@1.0/build/~message@1.0/node', 200, 'HyperBEAM'],
    ['/~greenzone@1.0/join', 501, 'greenzone@1.0 does not run in a browser'],
  ];
  for (const [path, status, body, options] of bodies)
    it(`${options?.method ?? 'GET'} ${path}`, async () => {
      const got = await ask(path, options);
      expect(got.status).toBe(status);
      expect(text(got)).toContain(body);
    });

  it('takes a status from a message, and knows words for some', async () => {
    const status = async (value: string) => (await ask(`/~test-device@1.0/load?status=${value}`)).status;
    expect([await status('418'), await status('created'), await status('zzz')]).toEqual([418, 201, 200]);
  });

  it('shows people pages and programs messages', async () => {
    const html = await ask('/nothing', { headers: { 'accept-bundle': 'false' } });
    expect([html.status, header(html, 'content-type'), header(html, 'ao-result')]).toEqual([
      404,
      'text/html',
      undefined,
    ]);
    const json = await ask('/nothing', { headers: { accept: 'application/json' } });
    expect(json.status).toBe(404);
    expect(JSON.parse(text(json)!)).toMatchObject({ body: 'not_found', 'ao-types': 'body="atom"' });
    const page = await handle(
      request('/~message@1.0&greeting=hi/set', { headers: { 'accept-bundle': 'false' } }),
      node.withOptions({ generate_index: Atom.true }),
    );
    expect(header(page, 'content-type')).toBe('text/html');
    expect(text(page)).toContain('greeting');
  });

  it('answers in the codec that is asked for', async () => {
    for (const accept of [
      'json@1.0',
      'device/json@1.0',
      'application/json',
      'application/json, text/plain, */*',
    ])
      expect(header(await ask('/~meta@1.0/build', { headers: { accept } }), 'content-type')).toBe(
        'application/json',
      );
    const item = await ask('/~meta@1.0/build', { headers: { accept: 'application/ans104' } });
    expect(header(item, 'content-type')).toBe('application/ans104');
    expect(decodeReply(item).get('node')).toBe('HyperBEAM');
    expect((await ask('/a?a=1', { headers: { accept: 'application/bogus' } })).status).toBe(200);
    expect((await ask('/a?a=1', { headers: { accept: 'bogus@1.0' } })).status).toBe(415);
  });

  it('signs every answer with the hashpath, and repeats a signature for an equal answer', async () => {
    const once = await ask('/~message@1.0&a=1/a');
    const again = await ask('/~message@1.0&a=1/a');
    const reply = decodeReply(once);
    expect(committers(reply)).toEqual([node.identity.address]);
    expect(await verifyMessage(reply)).toBe(true);
    expect(header(once, 'signature-input')).toContain(';tag="');
    expect(header(again, 'signature')).toBe(header(once, 'signature'));
    expect(header(await ask('/~message@1.0&a=2/a'), 'signature')).not.toBe(header(once, 'signature'));
  });

  it('answers HEAD without a body', async () => {
    const got = await ask('/~meta@1.0/build/node', { method: 'HEAD' });
    expect([got.status, got.body.length]).toEqual([200, 0]);
  });

  it('echoes the headers that a preflight asks for', async () => {
    const got = await ask('/a', { headers: { 'access-control-request-headers': 'x-foo' } });
    expect(header(got, 'access-control-allow-headers')).toBe('x-foo');
  });
});

describe('refusals', () => {
  const refused: [string, number, Options?][] = [
    ['/~nodev@1.0/x', 500],
    ['/a?x.y=1', 400],
    [`/${'a'.repeat(600)}`, 400],
    [`/a?${'a'.repeat(300_000)}`, 414],
    ['/a', 400, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }],
    ['/a', 400, { method: 'POST', headers: { 'content-type': 'application/ans104' }, body: 'nonsense' }],
    [
      '/a',
      400,
      { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary="x"' }, body: 'none' },
    ],
    ['/a', 400, { headers: { 'accept-bundle': 'maybe' } }],
    ['/a', 400, { method: 'POST', headers: { 'content-digest': 'sha-256=:AAAA:' }, body: 'x' }],
    [`/${'('.repeat(200)}${')'.repeat(200)}`, 400],
    ['/a%zz', 400],
    ['/a?=x', 400],
  ];
  for (const [path, status, options] of refused)
    it(`${path.slice(0, 30)} is ${status}`, async () => {
      const got = await ask(path, options);
      expect(got.status).toBe(status);
      expect(text(got)).not.toContain('at ');
    });

  it('says no to a body that is too large', async () => {
    const got = await handle(request('/body', { method: 'POST', body: 'x'.repeat(100) }), node, {
      maxBody: 99,
    });
    expect(got.status).toBe(413);
  });

  it('asks for credentials where a message shall be signed', async () => {
    for (const path of ['/a?!=true', '/a&!?a=1']) {
      const got = await ask(path);
      expect([got.status, header(got, 'www-authenticate')]).toEqual([401, 'Basic']);
    }
    expect((await ask('/a?a=1', { headers: { authorization: 'Bearer x' } })).status).toBe(400);
  });

  it('signs for the same credentials with the same wallet', async () => {
    const authorization = `Basic ${btoa('user:pass')}`;
    const first = await ask('/committers?a=1', { headers: { authorization } });
    const second = await ask('/committers?a=2', { headers: { authorization } });
    expect(decodeReply(first).get('1')).toMatch(/^[\w-]{43}$/);
    expect(decodeReply(second).get('1')).toBe(decodeReply(first).get('1'));
  }, 60_000);
});

describe('signed requests', () => {
  let wallet: RsaWallet;
  beforeAll(async () => {
    wallet = await RsaWallet.generate();
  }, 60_000);

  it('keep what was signed and can be read by their IDs afterwards', async () => {
    const message = Message.of({ k: 'v3', n: 5n, deep: { z: 'zz' }, method: 'POST' });
    const exchange = await signed(message, wallet);
    const got = await ask('/k', { ...exchange, headers: { ...exchange.headers, extra: 'unsigned' } });
    expect(text(got)).toBe('v3');
    expect(
      (await ask('/extra', { ...exchange, headers: { ...exchange.headers, extra: 'unsigned' } })).status,
    ).toBe(404);
    const id = [...(await commitHttpsig(message, wallet)).message('commitments')!.keys()];
    const committed = await commitHttpsig(message, wallet);
    expect(id.length).toBe(2);
    const post = await encodeHttp(committed, { bundle: true });
    await ask('/k', {
      method: 'POST',
      headers: Object.fromEntries(
        [...post.headers].map(([name, value]) => [name, fromBytes(binaryBytes(value))]),
      ),
      body: post.body ?? '',
    });
    for (const one of committed.message('commitments')!.keys()) {
      expect(text(await ask(`/${one}/k`))).toBe('v3');
      expect(text(await ask(`/${one}/deep/z`))).toBe('zz');
      expect(text(await ask(`/${one}~message@1.0/n`))).toBe('5');
    }
  });

  it('are refused once a signed key was changed', async () => {
    const exchange = await signed(Message.of({ k: 'v', method: 'POST' }), wallet);
    const got = await ask('/k', { ...exchange, headers: { ...exchange.headers, k: 'w' } });
    expect([got.status, header(got, 'code')]).toEqual([400, 'bad-signature']);
  });

  it('change the node only for its operator, and not where the query overrides what was signed', async () => {
    const context = await testNode({ config: { operator: wallet.address } });
    const change = (message: Message, path = '/~meta@1.0/info') =>
      signed(message, wallet).then((exchange) => ask(path, exchange, context));
    const stranger = await ask('/~meta@1.0/info', { method: 'POST', headers: { 'test-x': '1' } }, context);
    expect([stranger.status, text(stranger)]).toEqual([400, 'Unauthorized']);
    const overridden = await change(
      Message.of({ 'test-x': '1', method: 'POST' }),
      '/~meta@1.0/info?test-x=evil',
    );
    expect(overridden.status).toBe(400);
    expect((await change(Message.of({ 'test-x': '1', 'short-trace-len': '7', method: 'POST' }))).status).toBe(
      200,
    );
    expect(text(await ask('/~meta@1.0/info/test-x', {}, context))).toBe('1');
    expect(text(await ask('/~meta@1.0/info/short_trace_len', {}, context))).toBe('7');
    expect((await ask('/~meta@1.0/info/accept', {}, context)).status).toBe(404);
    expect((await change(Message.of({ initialized: 'permanent', method: 'POST' }))).status).toBe(200);
    const late = await change(Message.of({ 'test-x': '2', method: 'POST' }));
    expect([late.status, text(late)]).toEqual([
      400,
      'The node message of this machine is already permanent. It cannot be changed.',
    ]);
    expect(text(await ask('/~meta@1.0/info/test-x', {}, context))).toBe('1');
  });

  it('let the first who comes have a node that nobody owns', async () => {
    const context = await testNode({ config: { operator: 'unclaimed' } });
    const exchange = await signed(Message.of({ operator: wallet.address, method: 'POST' }), wallet);
    expect((await ask('/~meta@1.0/info', exchange, context)).status).toBe(200);
    expect(text(await ask('/~meta@1.0/info/operator', {}, context))).toBe(wallet.address);
    expect((await ask('/~meta@1.0/info', { method: 'POST', headers: { x: '1' } }, context)).status).toBe(400);
  });
});

describe('options of the node', () => {
  it('serve nothing before the node is initialised', async () => {
    const context = await testNode({ config: { initialized: { $atom: 'false' } } });
    const got = await ask('/key1?1.key1=value1', {}, context);
    expect([got.status, text(got)]).toEqual([400, 'Node must be initialized before use.']);
    expect((await ask('/~meta@1.0/info', {}, context)).status).toBe(200);
  });

  it('run hooks before and after', async () => {
    const context = await testNode({
      config: { on: { request: { device: 'marking@1.0' }, response: { device: 'marking@1.0' } } },
    });
    const seen: string[] = [];
    context.devices.register({
      name: 'marking@1.0',
      keys: {
        request: (_base, hook) => {
          seen.push('request');
          const [base, ...rest] = hook.get('body') as Message[];
          return hook.with({ body: [base!.with({ added: 'value' }), ...rest] });
        },
        response: (_base, hook) => (seen.push('response'), hook),
      },
    });
    expect(text(await ask('/added', {}, context))).toBe('value');
    expect(seen).toEqual(['request', 'response']);
  });

  it('turn what a hook throws into a 500 and nothing else', async () => {
    const context = await testNode({ config: { on: { request: { device: 'throwing@1.0' } } } });
    context.devices.register({
      name: 'throwing@1.0',
      keys: {
        request: () => {
          throw new Error('secret details');
        },
      },
    });
    expect((await ask('/a?a=1', {}, context)).status).toBe(500);
  });
});
