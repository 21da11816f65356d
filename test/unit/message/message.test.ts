/** Order, equality, lists, keys and the plain form of messages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equalValues } from '../../../src/message/equal.ts';
import { humanId, isId, isIdShaped, nativeId, normalizeKey } from '../../../src/message/keys.ts';
import { listToMessage, messageToList } from '../../../src/message/lists.ts';
import { Message } from '../../../src/message/message.ts';
import { byteOrder, iterationOrder, keyHash, keysOrder } from '../../../src/message/order.ts';
import { fromPlain, toPlain } from '../../../src/message/plain.ts';
import { As, Atom, Link, Subpath, type Value } from '../../../src/message/value.ts';
import { compareText, toBytes } from '../../../src/base/bytes.ts';
import { anyValue } from '../arbitraries.ts';

const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i + 1}`);

describe('order', () => {
  it('is byte order up to 32 keys', () => {
    expect(keysOrder(keys(32))).toEqual([...keys(32)].sort());
    expect(keysOrder(['b', 'B', 'a', '-', 'é', 'z', '\u{1f600}', '\uffff'])).toEqual([
      '-',
      'B',
      'a',
      'b',
      'z',
      'é',
      '\uffff',
      '\u{1f600}',
    ]);
  });

  it('is that of a hash from 33 on, one way for keys and the other for folds', () => {
    const order = keysOrder(keys(40));
    expect(order.slice(0, 10)).toEqual(['k3', 'k34', 'k28', 'k39', 'k12', 'k37', 'k30', 'k19', 'k25', 'k1']);
    expect(iterationOrder(keys(40))).toEqual([...order].reverse());
    expect(keysOrder(keys(33))).not.toEqual([...keys(33)].sort());
  });

  it('hashes as arithmetic on whole 64-bit numbers does', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80, unit: 'binary' }), (key) => {
        expect(keyHash(key)).toBe(slowHash(toBytes(key)));
      }),
    );
  });

  it('sorts any text by its octets', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (list) => {
        expect(byteOrder(list)).toEqual([...list].sort(compareText));
      }),
    );
  });
});

/** messages.md §1.7, word for word. */
function slowHash(d: Uint8Array): string {
  const u = (x: bigint) => BigInt.asUintN(64, x);
  const rotl = (x: bigint, n: bigint) => u((x << n) | (x >> (64n - n)));
  const C1 = 0x87c37b91114253d5n;
  const C2 = 0x4cf5ad432745937fn;
  let a = 0n;
  let b = 0n;
  let t = 0n;
  const mixA = (x: bigint) => {
    a ^= u(rotl(u(x * C1), 31n) * C2);
    a = u(rotl(a, 27n) + b);
    a = u(a * 5n + 0x52dce729n);
    t++;
  };
  const mixB = (x: bigint) => {
    b ^= u(rotl(u(x * C2), 33n) * C1);
    b = u(rotl(b, 31n) + a);
    b = u(b * 5n + 0x38495ab5n);
    t++;
  };
  const fin = (x: bigint) => {
    x ^= x >> 33n;
    x = u(x * 0xff51afd7ed558ccdn);
    x ^= x >> 33n;
    x = u(x * 0xc4ceb9fe1a85ec53n);
    return x ^ (x >> 33n);
  };
  const little = (from: number, to: number) => {
    let x = 0n;
    for (let i = to - 1; i >= from; i--) x = (x << 8n) | BigInt(d[i]!);
    return x;
  };
  mixA(11n);
  mixB(8n * BigInt(d.length));
  let at = 0;
  for (; at + 16 <= d.length; at += 16) {
    mixA(little(at, at + 8));
    mixB(little(at + 8, at + 16));
  }
  const r = d.length - at;
  if (r > 8) b ^= u(rotl(u(little(at + 8, d.length) * C2), 33n) * C1);
  if (r > 0) a ^= u(rotl(u(little(at, at + Math.min(r, 8)) * C1), 31n) * C2);
  a ^= t;
  b ^= t;
  a = u(a + b);
  b = u(b + a);
  a = fin(a);
  b = fin(b);
  a = u(a + b);
  b = u(b + a);
  return (a ^ b).toString(16).padStart(16, '0');
}

describe('equality', () => {
  it('tells types apart and joins text with its octets', () => {
    const different: Value[] = [
      '1',
      1n,
      1,
      Atom.of('1'),
      ['1'],
      Message.of({ 1: '1' }),
      new Link('1'),
      -0,
      0,
    ];
    different.forEach((a, i) => different.forEach((b, j) => expect(equalValues(a, b)).toBe(i === j)));
    expect(equalValues('é', toBytes('é'))).toBe(true);
    expect(equalValues(Message.of({ a: 'x' }), Message.of({ a: 'x' }).withPrivate({ p: 1 }))).toBe(true);
    expect(equalValues(Message.of({ a: 'x' }), Message.of({ b: 'x' }))).toBe(false);
  });
});

describe('lists', () => {
  it('are numbered from 1 and read back in the order of their numbers', () => {
    const list = Array.from({ length: 50 }, (_, i) => BigInt(i));
    expect(messageToList(listToMessage(list))).toEqual(list);
    expect(messageToList(Message.of({ 3: 'c', 2: 'b' }))).toEqual(['b', 'c']);
    expect(messageToList(Message.of({ 0: 'a', 1: 'b' }))).toEqual(['a', 'b']);
    expect(messageToList(Message.empty)).toEqual([]);
  });
  it.each([{ 1: 'a', 3: 'c' }, { 1: 'a', x: 'c' }, { 1: 'a', '01': 'b' }, { '1.5': 'a' }])(
    'have no gaps and no names: %j',
    (fields) => expect(() => messageToList(Message.of(fields))).toThrow(/list/),
  );
});

describe('keys', () => {
  it('look like IDs by their length alone', () => {
    expect([31, 32, 33, 41, 42, 43, 44].filter((n) => isIdShaped('!'.repeat(n)))).toEqual([32, 42, 43]);
    expect(isIdShaped('é'.repeat(16))).toBe(true);
    expect(isId('A'.repeat(43))).toBe(true);
    expect(isId('!'.repeat(43))).toBe(false);
  });
  it('convert between their two forms', () => {
    const id = 'KPzA9jjXbcmApVKFmxQSWQ2jjgAr1RhaDISQsL2etsg';
    expect(humanId(nativeId(id))).toBe(id);
    expect(humanId('x'.repeat(42))).toBe('x'.repeat(42));
    expect(() => humanId('short')).toThrow(/octets/);
    expect(() => nativeId('short')).toThrow(/octets/);
  });
  it('are normalised without a change of case', () => {
    expect(normalizeKey('Ab')).toBe('Ab');
    expect(normalizeKey(Atom.of('ok'))).toBe('ok');
    expect(normalizeKey(['a', 1n, toBytes('b')])).toBe('a/1/b');
    expect(() => normalizeKey(1.5)).toThrow(/keys/);
  });
});

describe('the plain form', () => {
  it('survives a structured clone', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(equalValues(fromPlain(structuredClone(toPlain(value))), value)).toBe(true);
      }),
    );
  });
  it('carries what only the resolver knows, and nothing private', () => {
    const value = [
      new Subpath(['a', new As('x@1.0', Message.of({ b: 'c' }))]),
      new Link('p', { lazy: true }),
    ];
    expect(equalValues(fromPlain(structuredClone(toPlain(value))), value)).toBe(true);
    const back = fromPlain(toPlain(Message.of({ a: 'b' }).withPrivate({ hashpath: 'h' }))) as Message;
    expect(back.private.hashpath).toBeUndefined();
  });
  it('does not drag a whole buffer along', () => {
    const plain = toPlain(new Uint8Array(1000).subarray(10, 12)) as Uint8Array;
    expect(plain.buffer.byteLength).toBe(2);
  });
  it('refuses what is none', () => {
    expect(() => fromPlain({ no: 'thing' } as never)).toThrow(/no message/);
  });
});
