/** Devices over HTTP, as resolver.md §12.5 and §12.6 list them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toBytes, utf8 } from '../../../src/base/bytes.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, type Value } from '../../../src/message/value.ts';
import { handle } from '../../../src/node/http.ts';
import type { HttpRequest } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode, type NodeOptions } from '../../conformance/node.ts';

const m = Message.of;
let context: NodeContext;
beforeAll(async () => {
  context = await testNode();
}, 60_000);

/** A request of the node's operator: marked as the HTTP face marks what it has verified. */
const byOperator = (record: Parameters<typeof m>[0]) =>
  m(record).withPrivate({ signers: [context.identity.address] });

async function ask(target: string, body = '', headers: [string, string][] = []) {
  const request: HttpRequest = {
    method: body === '' ? 'GET' : 'POST',
    target,
    headers: [['accept-bundle', 'true'], ...headers],
    body: toBytes(body),
  };
  const { status, body: bytes } = await handle(request, context);
  return [status, utf8(bytes)] as const;
}

const resolve = async (base: Value, request: Value) => (await context.resolve(base, request)).value;

describe('cache@1.0', () => {
  it('writes for the node itself and nobody else', async () => {
    const written = await resolve(m({ device: 'cache@1.0' }), byOperator({ path: 'write', body: 'hello' }));
    expect((written as Message).get('path')).toBe('data/LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ');
    expect(await ask('/~cache@1.0/write?body=x')).toEqual([403, 'Not authorized to write to the cache.']);
    const refused = async (record: Parameters<typeof m>[0]) =>
      ((await resolve(m({ device: 'cache@1.0' }), byOperator({ path: 'write', ...record }))) as Message).get(
        'body',
      );
    expect(await refused({ body: { a: '1' } })).toBe('Invalid write type.');
    expect(await refused({})).toBe('No body to write.');
    expect(await refused({ type: 'odd', body: 'x' })).toBe('Invalid write type.');
  });

  it('links names, but not over IDs', async () => {
    const path = await context.cache.write('hello');
    const link = byOperator({ path: 'link', source: path, destination: 'my-link' });
    expect(((await resolve(m({ device: 'cache@1.0' }), link)) as Message).get('status')).toBe(200n);
    expect(await ask('/~cache@1.0/read?target=my-link')).toEqual([200, 'hello']);
    const over = byOperator({ path: 'link', source: path, destination: 'A'.repeat(43) });
    expect(((await resolve(m({ device: 'cache@1.0' }), over)) as Message).get('status')).toBe(400n);
    expect((await ask('/~cache@1.0/link?source=a&destination=b'))[0]).toBe(403);
    expect((await ask('/~cache@1.0/read?target=zzz'))[0]).toBe(404);
  });
});

describe('names', () => {
  it('are registered by the operator and found by name@1.0', async () => {
    const register = byOperator({ path: 'register', key: 'mine', value: 'somewhere' });
    expect(await resolve(m({ device: 'local-name@1.0' }), register)).toBe('Registered.');
    expect((await ask('/~local-name@1.0/register?key=x&value=y'))[0]).toBe(403);
    expect(await ask('/~local-name@1.0/mine')).toEqual([200, 'somewhere']);
    expect(await ask('/~local-name@1.0/lookup?key=mine')).toEqual([200, 'somewhere']);
    const named = context.withOptions({ name_resolvers: [m({ device: 'local-name@1.0' })] });
    expect((await named.resolve(m({ device: 'name@1.0' }), m({ path: 'mine', load: 'false' }))).value).toBe(
      'somewhere',
    );
    expect((await named.resolve(m({ device: 'name@1.0' }), 'other')).value).toBe(Atom.notFound);
  });
});

describe('apply@1.0', () => {
  it('runs a path that stands in a message', async () => {
    expect(await resolve(m({ device: 'apply@1.0', body: '/~meta@1.0/build/node' }), 'body')).toBe(
      'HyperBEAM',
    );
    const pair = m({
      device: 'apply@1.0',
      'data-container': { 'data-path': 'no', x: 'DATA' },
      'data-path': 'x',
      base: 'data-container',
      request: 'data-path',
    });
    expect(await resolve(pair, 'pair')).toBe('DATA');
    expect(await ask('/~meta@1.0/build/node~apply@1.0&node=TEST&base=request:&request=base:')).toEqual([
      200,
      'TEST',
    ]);
    expect((await ask('/~apply@1.0/nope'))[0]).toBe(400);
    expect(await ask('/~apply@1.0&source=zz/nope?nope=/a')).toEqual([
      400,
      'Source path `zz` to apply not found.',
    ]);
  });
});

describe('query@1.0', () => {
  it('finds stored messages and shapes what it found', async () => {
    const id = await context.cache.write(m({ basic: 'v', n: 2n, flag: Atom.of('ok') }));
    const find = (path: string) => ask(`/~query@1.0/${path}`);
    expect(await find('only=basic&basic=v?return=first-path')).toEqual([200, id]);
    expect(await find('all?basic=v&return=count')).toEqual([200, '1']);
    expect(await find('all?n+integer=2&flag+atom=ok&return=boolean')).toEqual([200, 'true']);
    expect(await find('only?only=basic&basic=other&return=boolean')).toEqual([200, 'false']);
    expect((await find('only?only=basic&basic=other'))[0]).toBe(404);
    expect((await find('only?only=basic&basic=v&return=odd'))[0]).toBe(400);
  });

  it('answers GraphQL', async () => {
    await context.cache.write(m({ action: 'Transfer', quantity: '100', data: 'abc' }));
    const query =
      '{ transactions(tags: [{name: "Action", values: ["Transfer"]}]) { edges { node { id data { size } tags { name value } } } } }';
    const [status, body] = await ask('/~query@1.0/graphql', JSON.stringify({ query }));
    expect(status).toBe(200);
    const { data } = JSON.parse(body!) as {
      data: { transactions: { edges: { node: { data: { size: string } } }[] } };
    };
    expect(data.transactions.edges).toHaveLength(1);
    expect(data.transactions.edges[0]!.node.data.size).toBe('3');
    const [, wrong] = await ask('/~query@1.0/graphql', JSON.stringify({ query: '{ nothing }' }));
    expect(JSON.parse(wrong!)).toHaveProperty('errors');
    expect((await ask('/~query@1.0/graphql', 'no json'))[0]).toBe(400);
    expect(await resolve(m({ device: 'query@1.0' }), m({ path: 'has-results', body: body! }))).toBe(
      Atom.true,
    );
  });
});

describe('manifest@1.0', () => {
  it('serves pages by the longest path, an index and a fallback', async () => {
    const page = (text: string) => context.cache.write(m({ 'content-type': 'text/html', body: text }));
    const [index, nested, missing] = await Promise.all([
      page('index page'),
      page('nested page'),
      page('no such page'),
    ]);
    const data = JSON.stringify({
      manifest: 'arweave/paths',
      index: { path: 'index.html' },
      paths: { 'index.html': { id: index }, 'a/b.html': { id: nested }, gone: { id: 'B'.repeat(43) } },
    });
    const site = await context.cache.write(m({ device: 'manifest@1.0', data }));
    expect(await ask(`/${site}/index`)).toEqual([200, 'index page']);
    expect(await ask(`/${site}/a/b.html`)).toEqual([200, 'nested page']);
    expect((await ask(`/${site}/zz`))[0]).toBe(404);
    expect((await ask(`/${site}/gone`))[0]).toBe(404);
    const kind = await context.cache.write(
      m({ device: 'manifest@1.0', data: JSON.stringify({ paths: {}, fallback: { id: missing } }) }),
    );
    expect(await ask(`/${kind}/anything`)).toEqual([200, 'no such page']);
  });
});

describe('router@1.0 and relay@1.0', () => {
  const sent: HttpRequest[] = [];
  const config: NodeOptions['config'] = {
    routes: {
      $list: [
        { template: '/raw/.*', node: { prefix: 'https://arweave.net' } },
        { template: { kind: 'special' }, node: 'https://special.example' },
        {
          template: '/near.*',
          strategy: 'Nearest',
          nodes: {
            $list: [
              { prefix: 'https://a.example', wallet: 'A'.repeat(43) },
              { prefix: 'https://z.example', wallet: `${'_'.repeat(42)}8` },
            ],
          },
        },
        { template: '/re.*', node: { match: '^/re', with: 'https://re.example' } },
      ],
    },
  };
  let routing: NodeContext;
  beforeAll(async () => {
    routing = await testNode({
      config,
      capabilities: {
        http: {
          request: (request) => {
            sent.push(request);
            return Promise.resolve({
              status: 200,
              headers: [
                ['x', 'y'],
                ['set-cookie', 'a=b'],
              ],
              body: toBytes('remote body'),
            });
          },
        },
      },
    });
  }, 60_000);
  const route = async (request: Message) =>
    (await routing.resolve(m({ device: 'router@1.0' }), request)).value;

  it('chooses by expression, by message, and by nearness', async () => {
    expect(await route(m({ path: 'route', 'route-path': '/raw/abc' }))).toBe('https://arweave.net/raw/abc');
    expect(await route(m({ path: 'route', 'route-path': '/q', kind: 'special' }))).toBe(
      'https://special.example',
    );
    expect(await route(m({ path: 'route', 'route-path': '/re/x' }))).toBe('https://re.example/x');
    const near = await route(m({ path: 'route', 'route-path': '/near' }));
    expect(['https://a.example/near', 'https://z.example/near']).toContain(near);
    expect(await route(m({ path: 'route', 'route-path': '/near' }))).toBe(near);
    expect(await route(m({ path: 'route', 'route-path': '/zzz' }))).toEqual(Atom.of('no_matches'));
  });

  it('takes routes from those who own them', async () => {
    const added = m({
      path: 'routes',
      method: 'POST',
      route: { template: '/new', node: 'https://new.example', priority: -1n },
    });
    expect(await route(added)).toEqual(Atom.of('not_authorized'));
    expect(await route(added.withPrivate({ signers: [routing.identity.address] }))).toBe('Route added.');
    expect(await route(m({ path: 'route', 'route-path': '/new' }))).toBe('https://new.example');
  });

  it('relays and hands on everything but cookies', async () => {
    const call = m({
      path: 'call',
      'relay-path': 'https://peer.example/x?y=1',
      'relay-method': 'POST',
      'relay-body': 'hi',
    });
    const { status, value } = await routing.resolve(m({ device: 'relay@1.0' }), call);
    expect(status).toBe('ok');
    expect((value as Message).get('body')).toBe('remote body');
    expect((value as Message).has('set-cookie')).toBe(false);
    const last = sent.at(-1)!;
    expect([last.method, last.target, utf8(last.body)]).toEqual(['POST', 'https://peer.example/x?y=1', 'hi']);
    expect((await routing.resolve(m({ device: 'relay@1.0' }), call.with({ path: 'cast' }))).value).toBe('OK');
  });

  it('does not sign for strangers, nor relay what does not verify', async () => {
    const call = m({ path: 'call', 'relay-path': 'https://peer.example/', 'commit-request': true });
    await expect(routing.resolve(m({ device: 'relay@1.0' }), call)).rejects.toMatchObject({ status: 403 });
    expect((await routing.resolve(m({ device: 'relay@1.0' }), 'call')).value).toBe(Atom.notFound);
  });

  it('reports a peer that cannot be reached', async () => {
    const { status, value } = await context.resolve(
      m({ device: 'relay@1.0' }),
      m({ path: 'call', 'relay-path': 'https://x.example/' }),
    );
    expect(status).toBe('failure');
    expect((value as Message).get('status')).toBe(502n);
  });
});

describe('cron@1.0', () => {
  it('runs once, again and again, and stops', async () => {
    let runs = 0;
    context.devices.register({ name: 'ticking@1.0', keys: { tick: () => `${++runs}` } });
    const [status, id] = await ask('/~cron@1.0/every?cron-path=/~ticking@1.0/tick&interval=20-milliseconds');
    expect([status, id]).toEqual([200, expect.stringMatching(/^[\w-]{43}$/)]);
    await ask('/~cron@1.0/once?cron-path=/~ticking@1.0/tick');
    await new Promise((done) => setTimeout(done, 200));
    expect(runs).toBeGreaterThan(2);
    expect((await ask(`/~cron@1.0/stop?task=${id}`))[0]).toBe(200);
    const stopped = runs;
    await new Promise((done) => setTimeout(done, 80));
    expect(runs).toBe(stopped);
    expect(await ask(`/~cron@1.0/stop?task=${id}`)).toEqual([400, 'Task not found.']);
  });
});

describe('others', () => {
  it('say who asks', async () => {
    expect(await ask('/~whois@1.0/echo')).toEqual([200, 'unknown']);
    expect(
      await ask('/~whois@1.0/echo', '', [
        ['ao-peer-port', '99'],
        ['x-real-ip', '9.9.9.9'],
      ]),
    ).toEqual([200, '9.9.9.9:99']);
  });

  it('format messages', async () => {
    const [status, body] = await ask('/~meta@1.0/info/~hyperbuddy@1.0/format');
    expect(status).toBe(200);
    expect(body).toContain('base =>');
  });

  it('serialise in every codec', async () => {
    const base = m({ a: '1', n: 5n, m: { x: 'y' } });
    for (const codec of ['json@1.0', 'flat@1.0', 'httpsig@1.0', 'ans104@1.0', 'structured@1.0']) {
      const encoded = await resolve(
        base.with({ device: codec }),
        m({ path: 'to', bundle: 'true', body: base }),
      );
      const decoded = await resolve(m({ device: codec }), m({ path: 'from', body: encoded }));
      expect((decoded as Message).get('n'), codec).toBe(5n);
    }
  });

  it('are refused with a reason where a tab cannot have them', async () => {
    for (const name of ['greenzone@1.0', 'volume@1.0', 'cacheviz@1.0'])
      expect((await ask(`/~${name}/anything`))[0]).toBe(501);
  });
});
