import { beforeAll, describe, expect, it } from 'vitest';
import { divergenceOf } from '../../../src/device/divergence.ts';
import { patch } from '../../../src/device/patch.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Atom, type Value } from '../../../src/message/value.ts';
import { isResult, type Result } from '../../../src/resolver/device.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../setup/test-node.ts';

let context: NodeContext;
beforeAll(async () => {
  ({ context } = await testNode());
}, 60_000);

type Plain = Readonly<Record<string, ValueInput>>;

async function run(key: 'patches' | 'all', base: Plain, request: Plain = {}): Promise<Result> {
  const answer = await patch.keys[key]!(Message.of(base), Message.of(request), context);
  return isResult(answer) ? answer : { status: 'ok', value: answer };
}

async function patched(base: Plain, request: Plain = {}): Promise<Message> {
  const { status, value } = await run('patches', base, request);
  expect(status).toBe('ok');
  return value as Message;
}

const same = (a: Value | undefined, b: ValueInput) =>
  expect(a !== undefined && equalValues(a, Message.of({ b }).get('b')!)).toBe(true);

describe('patch@1.0', () => {
  it('moves what is marked as a patch, by method or device; the rest keeps its index', async () => {
    const out = await patched({
      'patch-from': '/results/outbox',
      prices: { banana: 5n },
      results: {
        outbox: {
          '1': { method: 'PATCH', prices: { apple: 100n } },
          '2': { target: 'x' },
          '3': { device: 'patch@1.0', k: 1n },
        },
      },
    });
    same(out.get('prices'), { apple: 100n, banana: 5n });
    same(out.get('k'), 1n);
    same(out.get('results'), { outbox: { '2': { target: 'x' } } });
    // Every key of a patch lands, the device among them: whoever called puts its own back.
    same(out.get('device'), 'patch@1.0');
  });

  it('puts patches at `patch-to`', async () => {
    const out = await patched({
      'patch-from': '/results/outbox',
      'patch-to': '/state',
      results: { outbox: { '1': { method: 'PATCH', a: { b: '1' } } } },
    });
    same(out.get('state'), { a: { b: '1' } });
    same(out.get('results'), { outbox: {} });
    expect(out.has('a')).toBe(false);
  });

  it('takes only the exact word PATCH', async () => {
    const base = { from: '/in', in: { '1': { method: 'patch', a: '1' } } };
    const out = await patched(base);
    expect(out.has('a')).toBe(false);
    same(out.get('in'), base.in);
  });

  it('replaces scalars by messages and messages by scalars, and reads paths in keys', async () => {
    const out = await patched({
      from: '/in',
      a: 'text',
      b: { deep: 1n },
      in: { '1': { method: 'PATCH', a: { now: 'map' }, b: 'scalar', 'c/d/e': 5n, '/f': 'g' } },
    });
    same(out.get('a'), { now: 'map' });
    same(out.get('b'), 'scalar');
    same(out.get('c'), { d: { e: 5n } });
    same(out.get('f'), 'g');
  });

  it.each([
    [3, '3'],
    [12, '9'],
    [33, '1'],
    [40, '1'],
    [50, '49'],
    [100, '49'],
  ])('of %i patches of one key, number %s is applied last', async (count, winner) => {
    const entries = Array.from({ length: count }, (_, i) => [
      String(i + 1),
      { method: 'PATCH', c: String(i + 1) },
    ]);
    const out = await patched({ from: '/in', in: Object.fromEntries(entries) as Plain });
    expect(out.get('c')).toBe(winner);
  });

  it('says not_found where there is no source, and ok for an empty one', async () => {
    const missing = await run('patches', { from: '/results/outbox' });
    expect(missing.status).toBe('error');
    expect(Atom.notFound.is(missing.value)).toBe(true);
    same((await patched({ from: '/in', in: {} })).get('in'), {});
  });

  it('`all` moves everything and leaves no source', async () => {
    const { value } = await run('all', { from: '/in', to: '/out', in: { a: '1', b: { c: '2' } } });
    same((value as Message).get('out'), { a: '1', b: { c: '2' } });
    expect((value as Message).has('in')).toBe(false);
  });

  it('`req:` takes the request as what is read and answered', async () => {
    const out = await patched({ lost: 'yes' }, { from: 'req:/in', in: { '1': { method: 'PATCH', a: '1' } } });
    same(out.get('a'), '1');
    expect(out.has('lost')).toBe(false);
  });

  it('accepts a list, and marks that the reference would not', async () => {
    const out = await patched({ from: '/in', in: [{ method: 'PATCH', a: '1' }, { keep: 'me' }] });
    same(out.get('a'), '1');
    same(out.get('in'), { '2': { keep: 'me' } });
    expect(divergenceOf(out)).toEqual(['list-patches']);
    const untouched = await patched({ from: '/in', in: [{ keep: 'me' }] });
    same(untouched.get('in'), [{ keep: 'me' }]);
    expect(divergenceOf(untouched)).toEqual([]);
  });

  it('never sets what message@1.0 never sets', async () => {
    const out = await patched({
      from: '/in',
      in: { '1': { method: 'PATCH', commitments: { x: '1' }, id: 'x', keys: 'x', privy: 'x', ok: 'x' } },
    });
    expect([...out.keys()].sort()).toEqual(['from', 'in', 'ok']);
  });
});
