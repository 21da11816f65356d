import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { Message } from '../../../src/message/message.ts';
import { As, Atom, Link, Subpath, type Value } from '../../../src/message/value.ts';
import type { Device } from '../../../src/resolver/device.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { parseSingleton } from '../../../src/resolver/path.ts';
import { testNode } from '../../conformance/node.ts';

const handlerDevice: Device = {
  name: 'handler@1.0',
  info: { handler: (key) => `handled ${key}`, excludes: ['set', 'keys'] },
  keys: { a: () => 'never' },
};
const defaultDevice: Device = {
  name: 'default@1.0',
  info: { default: (key) => `default ${key}` },
  keys: { state_key: () => 'own' },
};
const exportsDevice: Device = {
  name: 'exports@1.0',
  info: { exports: ['test1', 'test2'], handler: () => 'handler value' },
  keys: {},
};

let context: NodeContext;
beforeAll(async () => {
  context = await testNode();
  for (const device of [handlerDevice, defaultDevice, exportsDevice]) context.devices.register(device);
}, 60_000);

const m = (record: Parameters<typeof Message.of>[0]) => Message.of(record);
const run = async (base: Value, request: Value) => context.resolve(base, request);
const sequence = (path: string) => context.resolveSequence(parseSingleton(m({ path })));

describe('resolution (resolver.md §12.1)', () => {
  it('reads keys, the same on repetition', async () => {
    const base = m({ a: 'RESULT' });
    expect(await run(base, 'a')).toEqual({ status: 'ok', value: 'RESULT' });
    expect(await run(base, 'a')).toEqual({ status: 'ok', value: 'RESULT' });
  });

  it('answers IDs and keys, and hides private keys', async () => {
    const { value } = await run(m({ 'test-key': '1' }), 'id');
    expect(value).toMatch(/^[\w-]{43}$/);
    expect((await run(m({ a: '1', priv_a: '2' }), 'keys')).value).toEqual(['a']);
    expect(await run(m({ a: '1', private_key: '2' }), 'private_key')).toEqual({
      status: 'error',
      value: Atom.notFound,
    });
  });

  it('prefers a handler to keys and data', async () => {
    expect((await run(m({ device: 'handler@1.0', x: 'data' }), 'x')).value).toBe('handled x');
    expect((await run(m({ device: 'handler@1.0' }), 'a')).value).toBe('handled a');
  });

  it('leaves excluded keys to message@1.0', async () => {
    const set = await context.set(m({ device: 'handler@1.0' }), { b: '2' });
    expect(set.get('b')).toBe('2');
  });

  it('falls to a default, in any spelling of own keys', async () => {
    const base = m({ device: 'default@1.0' });
    expect((await run(base, 'State-Key')).value).toBe('own');
    expect((await run(base, 'other')).value).toBe('default other');
  });

  it('honours exports', async () => {
    const base = m({ device: 'exports@1.0', test3: 'GOOD3' });
    expect((await run(base, 'test1')).value).toBe('handler value');
    expect((await run(base, 'test3')).value).toBe('GOOD3');
    expect((await run(base, 'test5')).value).toBe(Atom.notFound);
  });

  it('walks deep paths and lists', async () => {
    const deep = m({ key1: 'v', key2: { key4: { key6: { key7: 'value7' } } } });
    expect((await run(deep, 'key2/key4/key6/key7')).value).toBe('value7');
    expect((await run(['A', 'B', 'C', 'D', 'E'], '5')).value).toBe('E');
  });

  it('switches devices with `as`', async () => {
    const steps: Value[] = [new As('test-device@1.0', m({ path: '' })), m({ path: 'test_func' })];
    expect((await context.resolveSequence(steps)).value).toBe('GOOD_FUNCTION');
    const base = m({ device: 'test-device@1.0', test_func: { test_key: 'MESSAGE' } });
    const id = await context.cache.write(base);
    const asMessage = new As('message@1.0', m({ path: id }));
    expect((await context.resolveSequence([asMessage, 'test_func', 'test_key'])).value).toBe('MESSAGE');
    const segment = new As('message@1.0', m({ path: 'test_func' }));
    expect((await context.resolveSequence([base, segment])).value).toBeInstanceOf(Message);
    const lasting = new As('message@1.0', '');
    expect((await context.resolveSequence([base, lasting, 'test_func', 'test_key'])).value).toBe('MESSAGE');
  });

  it('calls the step hook for each step', async () => {
    let steps = 0;
    context.devices.register({
      name: 'watch@1.0',
      keys: { step: (_base, request) => (steps++, request) },
    });
    const watched = context.withOptions({ on: m({ step: { device: 'watch@1.0' } }) });
    expect(await watched.resolve(m({ a: { b: { c: '1' } } }), 'a/b/c')).toEqual({ status: 'ok', value: '1' });
    expect(steps).toBe(3);
  });

  it('does not index literals, unless they are forced to be messages', async () => {
    expect(await run(m({ a: 'x' }), 'a/b')).toEqual({ status: 'error', value: Atom.notFound });
    const forced = context.withSettings({ forceMessage: true });
    const { value } = await forced.resolve(m({ a: 'x' }), 'a/body');
    expect((value as Message).get('body')).toBe('x');
    const list = await forced.resolve(m({ a: [1n, 2n] }), 'a');
    expect((list.value as Message).get('2')).toBe(2n);
  });

  it('refuses what is no sequence', async () => {
    expect((await context.resolveSingleton(m({ x: 1n }))).value).toBe(
      'Attempted to resolve a message without a path.',
    );
    expect(await context.resolveSequence([])).toEqual({
      status: 'failure',
      value: 'Attempted to resolve an empty message sequence.',
    });
    await expect(run(m({ a: '1' }), '')).rejects.toThrow(AoError);
    expect((await run(m({ a: '1' }), '/')).value).toBeInstanceOf(Message);
  });

  it('resolves sub-paths as keys, as values when they are read, and stops where they fail', async () => {
    expect((await sequence('/~message@1.0&v=found/(~message@1.0&k=v/k)')).value).toBe('found');
    expect((await sequence('/~message@1.0&k=(~message@1.0&z=ZZ/z)/k')).value).toBe('ZZ');
    expect((await sequence('/(~message@1.0/nope)/x')).value).toBe(Atom.notFound);
    let reads = 0;
    context.devices.register({ name: 'lazy@1.0', keys: { x: () => `${++reads}` } });
    const lazy = new Message(
      new Map<string, Value>([
        ['k', new Subpath([m({ device: 'lazy@1.0' }), 'x'])],
        ['l', '1'],
      ]),
    );
    await run(lazy, 'l');
    expect(reads).toBe(0);
    expect((await run(lazy, 'k')).value).toBe('1');
  });

  it('reads stored bases only where the cache settings let it', async () => {
    const id = await context.cache.write(m({ k: 'stored' }));
    expect(await run(id, 'k')).toEqual({ status: 'error', value: Atom.notFound });
    const always = context.withSettings({ cacheControl: ['always'] });
    expect((await always.resolve(id, 'k')).value).toBe('stored');
    const { value } = await always.resolve('A'.repeat(43), 'k');
    expect((value as Message).get('status')).toBe(404n);
    const cached = await always.resolve(id, m({ path: 'k', 'cache-control': 'only-if-cached' }));
    expect((cached.value as Message).get('status')).toBe(504n);
  });

  it('runs equal steps of one group once, and different ones in turn', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    context.devices.register({
      name: 'slow@1.0',
      info: { grouper: () => 'one' },
      keys: {
        work: async (_base, request) => {
          runs++;
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, 10));
          running--;
          return request.get('n') ?? 'none';
        },
      },
    });
    const base = m({ device: 'slow@1.0' });
    const work = (n: bigint) => context.resolve(base, m({ path: 'work', n }));
    const results = await Promise.all([work(1n), work(1n), work(2n)]);
    expect(results.map(({ value }) => value)).toEqual([1n, 1n, 2n]);
    expect(runs).toBe(2);
    expect(most).toBe(1);
  });

  it('answers endless recursion with 508', async () => {
    context.devices.register({
      name: 'endless@1.0',
      info: { grouper: () => 'endless' },
      keys: { again: (base, request, inner) => inner.resolve(base, request) },
    });
    const { status, value } = await run(m({ device: 'endless@1.0' }), 'again');
    expect(status).toBe('error');
    expect((value as Message).get('status')).toBe(508n);
  });

  it('bounds recursion that no group sees', async () => {
    context.devices.register({
      name: 'deeper@1.0',
      keys: { again: (base, request, inner) => inner.resolve(base, request) },
    });
    const { value } = await run(m({ device: 'deeper@1.0' }), 'again');
    expect((value as Message).get('status')).toBe(508n);
  });

  it('refuses unknown and foreign devices', async () => {
    await expect(run(m({ device: 'nosuch@1.0' }), 'a')).rejects.toMatchObject({
      code: 'device-not-loadable',
      status: 500,
    });
    await expect(run(m({ device: 'A'.repeat(43) }), 'a')).rejects.toMatchObject({
      code: 'remote-devices-disabled',
    });
  });

  it('answers a lone device with the base and its device', async () => {
    const { value } = await sequence('/~test-device@1.0');
    expect((value as Message).get('device')).toBe('test-device@1.0');
  });

  it('loads links when they are needed and not before', async () => {
    const id = await context.cache.write(m({ leaf: 'L' }));
    const base = new Message(
      new Map<string, Value>([
        ['there', new Link(id)],
        ['gone', new Link('B'.repeat(43))],
      ]),
    );
    expect((await run(base, 'there/leaf')).value).toBe('L');
    expect((await run(base, 'keys')).status).toBe('ok');
    await expect(run(base, 'gone')).rejects.toMatchObject({
      code: 'necessary-message-not-found',
      status: 404,
    });
  });

  it('tells a collector of every step', async () => {
    const seen: string[] = [];
    const traced = context.withSettings({
      trace: ({ device, key, status }) => seen.push(`${device} ${key} ${status}`),
    });
    await traced.resolve(m({ a: { b: '1' } }), 'a/b');
    expect(seen).toEqual(['message@1.0 a ok', 'message@1.0 b ok']);
  });
});

describe('context.set and context.get', () => {
  it('sets deep paths and makes missing levels', async () => {
    const set = await context.set(Message.empty, { 'd/e': '3' });
    expect((set.get('d') as Message).get('e')).toBe('3');
    const both = await context.set(m({ d: { e: '1', f: '2' } }), { 'd/e': '3', g: '4' });
    expect((both.get('d') as Message).get('f')).toBe('2');
    expect(both.get('g')).toBe('4');
  });

  it('reads plainly or through a device', async () => {
    expect(await context.get('a', m({ a: '1' }))).toBe('1');
    expect(await context.get('A', m({ a: '1' }))).toBe('1');
    expect(await context.get('a', m({ A: '1' }))).toBeUndefined();
    expect(await context.get('test-func', m({ device: 'test-device@1.0' }))).toBe('GOOD_FUNCTION');
    expect(await context.get('id', m({ id: 'x' }))).not.toBe('x');
  });
});
