import { beforeAll, describe, expect, it } from 'vitest';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, type Value } from '../../../src/message/value.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';

const m = Message.of;

let context: NodeContext;
beforeAll(async () => {
  context = await testNode();
}, 60_000);

async function expectSame(base: Message, request: Message, expected: Message): Promise<void> {
  const { status, value } = await context.resolve(base, request);
  expect(status).toBe('ok');
  expect(equalValues(value, expected), JSON.stringify([...(value as Message)])).toBe(true);
}

describe('message@1.0 set and remove (resolver.md §12.2)', () => {
  const cases: [string, Message, Message, Message][] = [
    ['adds', m({ a: '1' }), m({ path: 'set', b: '2' }), m({ a: '1', b: '2' })],
    ['merges', m({ a: { x: '1' } }), m({ path: 'set', a: { y: '2' } }), m({ a: { x: '1', y: '2' } })],
    [
      'replaces',
      m({ a: { x: '1' } }),
      m({ path: 'set', a: { y: '2' }, 'set-mode': 'explicit' }),
      m({ a: { y: '2' } }),
    ],
    ['reaches in', m({ a: { x: '1' } }), m({ path: 'set', 'a/z': '2' }), m({ a: { x: '1', z: '2' } })],
    ['unsets', m({ a: '1', b: '2' }), m({ path: 'set', a: Atom.unset }), m({ b: '2' })],
    [
      'leaves out what steers',
      m({ a: '1' }),
      m({ path: 'set', id: 'x', keys: 'y', commitments: {} }),
      m({ a: '1' }),
    ],
    ['sets the path', m({ path: 'p' }), m({ path: 'set_path', value: 'q' }), m({ path: 'q' })],
    ['removes', m({ a: '1', b: '2' }), m({ path: 'remove', items: ['a', 'zz'] }), m({ b: '2' })],
  ];
  for (const [name, base, request, expected] of cases) it(name, () => expectSame(base, request, expected));

  it('reads in lower case what is stored so, and not the other way', async () => {
    expect((await context.resolve(m({ abc: '1' }), 'ABC')).value).toBe('1');
    expect((await context.resolve(m({ ABC: '1' }), 'abc')).value).toBe(Atom.notFound);
  });

  it('exposes no helper as a key', async () => {
    for (const key of ['info', 'get', 'dispatch'])
      expect((await context.resolve(m({ a: '1' }), key)).value).toBe(Atom.notFound);
  });
});

describe('commitments', () => {
  const operator = (request: Message) => request.withPrivate({ signers: [context.identity.address] });
  const commit = async (base: Message): Promise<Message> => {
    const { value } = await context.resolve(base, operator(m({ path: 'commit' })));
    return value as Message;
  };
  const ask = async (base: Value, request: Value) => (await context.resolve(base, request)).value;

  it('are made for the operator alone', async () => {
    await expect(context.resolve(m({ a: '1' }), 'commit')).rejects.toMatchObject({
      code: 'not-authorized',
      status: 403,
    });
    const signed = await commit(m({ a: '1', n: 5n }));
    expect(await ask(signed, 'committers')).toEqual([context.identity.address]);
    expect(await ask(signed, m({ path: 'verify', committers: 'all' }))).toBe(Atom.true);
    expect(await ask(signed, 'committed')).toEqual(['a', 'ao-types', 'n']);
  });

  it('go when a committed key changes, and stay otherwise', async () => {
    const signed = await commit(m({ a: '1', b: '2' }));
    expect(((await ask(signed, m({ path: 'set', a: '9' }))) as Message).has('commitments')).toBe(false);
    expect(((await ask(signed, m({ path: 'set', a: '1' }))) as Message).has('commitments')).toBe(true);
    expect(((await ask(signed, m({ path: 'set', c: '3' }))) as Message).has('commitments')).toBe(true);
  });

  it('of the request are no selection', async () => {
    const signed = await commit(m({ a: '1' }));
    const request = (await commit(m({ x: 'y' }))).with({ path: 'id' });
    expect(await ask(signed, request)).toMatch(/^[\w-]{43}$/);
    expect(await ask(signed, request.with({ path: 'verify' }))).toBe(Atom.true);
  });
});
