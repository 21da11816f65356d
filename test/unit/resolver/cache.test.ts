import { beforeEach, describe, expect, it } from 'vitest';
import { messageId } from '../../../src/commitment/id.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, Link, type Value } from '../../../src/message/value.ts';
import { MessageCache } from '../../../src/resolver/cache.ts';
import { MemoryStore } from '../../../src/store/memory.ts';
import { testNode } from '../../conformance/node.ts';

let store: MemoryStore;
let cache: MessageCache;
beforeEach(() => {
  store = new MemoryStore();
  cache = new MessageCache(store);
});
/** A cache that remembers nothing, over the same store. */
const cold = () => new MessageCache(store);
const m = Message.of;

describe('messages in the store (resolver.md §6)', () => {
  const values: [string, Value][] = [
    ['empty', Message.empty],
    ['nested empty', m({ a: {} })],
    ['typed', m({ n: 5n, f: 1.5, t: true, b: new Uint8Array([0, 255]) })],
    ['deep with lists', m({ l: [1n, 'two', { three: [3.5, []] }], m: { q: { r: 's' } } })],
    ['a list', ['a', 1n, m({ x: 'y' })]],
  ];
  for (const [name, value] of values)
    it(`come back as they were: ${name}`, async () => {
      const id = await cache.write(value);
      expect(id).toBe(messageId(value));
      const back = await cold().loadAll((await cold().read(id))!);
      expect(equalValues(back, value)).toBe(true);
    });

  it('are one record each, with what is nested as links', async () => {
    const id = await cache.write(m({ x: '1', m: { q: 'r' } }));
    expect(await store.keys('messages')).toHaveLength(2);
    expect(((await cold().read(id)) as Message).get('m')).toBeInstanceOf(Link);
  });

  it('answer the paths of the reference', async () => {
    const message = m({ x: '1', n: 5n, l: [1n, 'b'], m: { q: 'r' }, e: {}, eb: '' });
    const id = await cache.write(message);
    expect(id).toBe('COJKeZUaNsX6hsnCUAIU0bU0Uj3cRpspBo7oelYRTWA');
    const read = (path: string) => cold().read(path);
    expect(await read(`${id}/x`)).toBe('1');
    expect(await read(`${id}/n`)).toBe('5');
    expect(await read(`${id}/m+link`)).toBe('yWLoSF7p1gTe70NCDJJg8c_sT7Sat1XwW1cmlYWFzGM');
    expect(await read(`${id}/m/q`)).toBe('r');
    expect(await read('data/a4ayc_80_OGda4BO_1o_V0etpOqiLx1JwB5S3beHW0s')).toBe('1');
    expect(await read(`${id}/nothing`)).toBeUndefined();
    expect(await read('no/such/path')).toBeUndefined();
  });

  it('keeps binaries by their hash and gives them names', async () => {
    const path = await cache.write('hello');
    expect(path).toBe('data/LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ');
    expect(await cold().read(path)).toBe('hello');
    await cache.link(path, 'greetings/first');
    expect(await cold().read('greetings/first')).toBe('hello');
    expect(await cold().list('greetings')).toEqual(['first']);
  });

  it('refuses names that lead in a circle', async () => {
    await cache.link('a', 'b');
    await cache.link('b', 'a');
    await expect(cold().read('a')).rejects.toMatchObject({ code: 'too-many-links' });
  });

  it('finds messages by values, whatever their type', async () => {
    const first = await cache.write(m({ kind: 'k', n: 5n, sub: { leaf: 'L' } }));
    await cache.write(m({ kind: 'k', n: 6n }));
    expect(await cold().match(m({ kind: 'k' }))).toHaveLength(2);
    expect(await cold().match(m({ kind: 'k', n: 5n }))).toEqual([first]);
    expect(await cold().match(m({ sub: { leaf: 'L' } }))).toEqual([first]);
    expect(await cold().match(m({ kind: 'other' }))).toEqual([]);
    expect(await cold().match(m({ t: Atom.true }))).toEqual([]);
  });

  it('leads from every commitment to the message, and joins signatures', async () => {
    const node = await testNode();
    const request = m({ path: 'commit' }).withPrivate({ signers: [node.identity.address] });
    const { value } = await node.resolve(m({ k: 'v', n: 5n }), request);
    const signed = value as Message;
    const id = await cache.write(signed);
    expect(id).toBe(messageId(m({ k: 'v', n: 5n })));
    for (const alias of signed.message('commitments')!.keys())
      expect(((await cold().read(alias)) as Message).get('k')).toBe('v');
    await cache.write(m({ k: 'v', n: 5n }));
    expect(((await cold().read(id)) as Message).has('commitments')).toBe(true);
  });

  it('stores only what is committed', async () => {
    const node = await testNode();
    const request = m({ path: 'commit' }).withPrivate({ signers: [node.identity.address] });
    const { value } = await node.resolve(m({ k: 'v' }), request);
    const id = await cache.write((value as Message).with({ extra: 'x' }));
    expect(((await cold().read(id)) as Message).has('extra')).toBe(false);
  });

  it('does not let a forged commitment take the place of a message', async () => {
    const victim = await cache.write(m({ who: 'the real one' }));
    const forged = m({
      who: 'somebody else',
      commitments: {
        [victim]: {
          'commitment-device': 'httpsig@1.0',
          type: 'hmac-sha256',
          keyid: 'constant:ao',
          committed: ['who'],
          signature: victim,
        },
      },
    });
    await cache.write(forged);
    expect(((await cold().read(victim)) as Message).get('who')).toBe('the real one');
  });

  it('keeps results by base and request', async () => {
    const result = m({ answer: '42' });
    await cache.writeResult('base', 'request', result);
    expect(equalValues((await cold().readResult('base', 'request'))!, result)).toBe(true);
    expect(await cold().readResult('base', 'other')).toBeUndefined();
  });
});

describe('writing again', () => {
  it('writes nothing twice', async () => {
    let writes = 0;
    const counting = new MessageCache(
      new Proxy(store, {
        get: (target, key) => {
          if (key === 'write') writes++;
          const value: unknown = Reflect.get(target, key);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    );
    const id = await counting.write(m({ a: { b: '1' } }));
    expect(writes).toBe(1);
    expect(await counting.write(m({ a: { b: '1' } }))).toBe(id);
    expect(writes).toBe(1);
  });

  it('does not let false signatures onto a message', async () => {
    const id = await cache.write(m({ a: '1' }));
    const forged = {
      'commitment-device': 'httpsig@1.0',
      type: 'rsa-pss-sha512',
      committed: ['a'],
      committer: 'A'.repeat(43),
      keyid: 'publickey:AAAA',
      signature: 'AAAA',
    };
    await cache.write(m({ wrapper: { a: '1', commitments: { ['B'.repeat(43)]: forged } } }));
    expect(((await cold().read(id)) as Message).has('commitments')).toBe(false);
  });
});
