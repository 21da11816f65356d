import { beforeAll, describe, expect, it } from 'vitest';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Atom } from '../../../src/message/value.ts';
import type { Device } from '../../../src/resolver/device.ts';
import { createContext, type NodeContext } from '../../../src/resolver/node-context.ts';
import { builtInDevices } from '../../../src/device/index.ts';
import { testNode } from '../../setup/test-node.ts';

/** Appends its name, and what it sees of the prefixes, to `trail`. */
function tracer(name: string, keys: readonly string[]): Device {
  const run: Device['keys'][string] = (base) => {
    const seen = [name, base.text('output-prefix'), String(base.get('device-key'))].filter(Boolean).join(':');
    return base.with({ trail: `${base.text('trail') ?? ''}${seen} ` });
  };
  return { name, info: { exports: keys }, keys: Object.fromEntries(keys.map((key) => [key, run])) };
}

let context: NodeContext;
beforeAll(async () => {
  const node = await testNode();
  const { store, engines, http, clock, identity, report } = node.context;
  context = await createContext({ store, engines, http, clock, identity, report }, Message.empty, [
    ...builtInDevices,
    tracer('one@1.0', ['compute', 'init']),
    tracer('two@1.0', ['init']),
    tracer('three@1.0', ['compute']),
    { name: 'says@1.0', keys: { compute: () => 'a word' } },
    { name: 'fails@1.0', keys: { compute: () => ({ status: 'error', value: Message.of({ body: 'no' }) }) } },
  ]);
}, 60_000);

async function resolve(base: Readonly<Record<string, ValueInput>>, path: string) {
  return context.resolve(Message.of({ device: 'stack@1.0', ...base }), path);
}

describe('stack@1.0', () => {
  it('folds over the devices in order, passing over those that do not know the key', async () => {
    const { status, value } = await resolve(
      { 'device-stack': ['one@1.0', 'two@1.0', 'three@1.0'], 'output-prefixes': ['', '', 'x'], foo: 'bar' },
      'compute',
    );
    expect(status).toBe('ok');
    const out = value as Message;
    expect(out.text('trail')).toBe('one@1.0:1 three@1.0:x:3 ');
    expect(out.text('device')).toBe('stack@1.0');
    expect(out.has('device-key')).toBe(false);
    expect(out.has('pass')).toBe(false);
    expect(Atom.of('dev_message').is(out.get('previous-device'))).toBe(true);
  });

  it('answers only the keys of `stack-keys`; others are read from the message', async () => {
    const base = { 'device-stack': ['one@1.0'], 'stack-keys': ['init'], foo: 'bar' };
    expect((await resolve(base, 'foo')).value).toBe('bar');
    expect((await resolve(base, 'compute')).status).toBe('error');
    expect(((await resolve(base, 'init')).value as Message).text('trail')).toBe('one@1.0:1 ');
  });

  it('runs again as often as multipass asks', async () => {
    const { value } = await resolve({ 'device-stack': ['one@1.0', 'multipass@1.0'], passes: 3n }, 'compute');
    expect((value as Message).text('trail')).toBe('one@1.0:1 one@1.0:1 one@1.0:1 ');
  });

  it('ends with what is no message', async () => {
    const { status, value } = await resolve(
      { 'device-stack': ['one@1.0', 'says@1.0', 'three@1.0'] },
      'compute',
    );
    expect([status, value]).toEqual(['ok', 'a word']);
  });

  it('ends at a subject that dedup has seen, with the state as it was', async () => {
    const stack = { device: 'stack@1.0', 'device-stack': ['dedup@1.0', 'one@1.0'] };
    const request = Message.of({ path: 'compute', body: { text: 'hello' } });
    const first = await context.resolve(Message.of(stack), request);
    const second = await context.resolve((first.value as Message).with({ device: 'stack@1.0' }), request);
    expect((first.value as Message).text('trail')).toBe('one@1.0:2 ');
    expect((second.value as Message).text('trail')).toBe('one@1.0:2 ');
    expect((second.value as Message).get('dedup')).toHaveLength(1);
    const other = Message.of({ path: 'compute', body: { text: 'other' } });
    const third = await context.resolve((second.value as Message).with({ device: 'stack@1.0' }), other);
    expect((third.value as Message).get('dedup')).toHaveLength(2);
  });

  it('throws for a device that fails, or answers it where the node says so', async () => {
    await expect(resolve({ 'device-stack': ['fails@1.0'] }, 'compute')).rejects.toMatchObject({
      code: 'stack-call-failed',
      status: 500,
    });
    const gentle = context.withOptions({ 'error-strategy': 'stop' });
    const base = Message.of({ device: 'stack@1.0', 'device-stack': ['fails@1.0'] });
    expect((await gentle.resolve(base, 'compute')).status).toBe('error');
  });

  it('maps: each device by itself, only what went well', async () => {
    const { value } = await resolve(
      { 'device-stack': ['one@1.0', 'two@1.0', 'says@1.0'], mode: 'Map' },
      'compute',
    );
    expect([...(value as Message).keys()]).toEqual(['1', '3']);
  });

  it('gives one entry by itself under `transform`', async () => {
    const { value } = await resolve({ 'device-stack': ['one@1.0', 'three@1.0'] }, 'transform/2/compute');
    expect((value as Message).text('trail')).toBe('three@1.0:2 ');
  });

  it('refuses a message without a stack', async () => {
    await expect(resolve({ foo: 'bar' }, 'compute')).rejects.toMatchObject({ code: 'no-device-stack' });
    const { value } = await resolve({ 'device-stack': [], foo: 'bar' }, 'compute');
    expect((value as Message).text('foo')).toBe('bar');
  });

  it('looks for what dedup compares at a path', async () => {
    const base = Message.of({ device: 'dedup@1.0', 'dedup-subject': 'a/b', a: { b: 'q' } });
    const first = await context.resolve(base, 'compute');
    expect(first.status).toBe('ok');
    expect((first.value as Message).get('dedup')).toHaveLength(1);
    expect((await context.resolve(first.value, 'compute')).status).toBe('skip');
  });

  it('refuses a stack that never ends and a mode that does not exist', async () => {
    await expect(
      resolve({ 'device-stack': ['multipass@1.0'], passes: 10_000_000n }, 'compute'),
    ).rejects.toMatchObject({ code: 'stack-endless' });
    await expect(resolve({ 'device-stack': ['one@1.0'], mode: 'fold' }, 'compute')).rejects.toMatchObject({
      code: 'bad-stack-mode',
    });
  });
});
