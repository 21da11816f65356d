import { describe, expect, it } from 'vitest';
import { Message } from '../../../src/message/message.ts';
import { Atom, Link, type Value } from '../../../src/message/value.ts';
import type { Json } from '../../conformance/family.ts';
import { fromValue, sameValue, toValue } from '../../conformance/value.ts';

const SAMPLE: Json = {
  text: 'ü',
  bytes: { $bin: '_wA' },
  '$bin:_w': { $int: '123456789012345678901234567890' },
  float: { $float: '-0.0' },
  atom: { $atom: 'true' },
  list: { $list: ['a', { $list: [] }, {}] },
  link: { $link: 'x'.repeat(43) },
  as: { $tuple: [{ $atom: 'as' }, 'dev@1.0', { a: 'b' }] },
  sub: { $tuple: [{ $atom: 'resolve' }, { $list: [{}, { path: 'a' }] }] },
};

describe('tagged JSON', () => {
  it('comes back as it was', () => {
    expect(fromValue(toValue(SAMPLE))).toEqual(SAMPLE);
  });

  it('equals its value and nothing else', async () => {
    expect(await sameValue(SAMPLE, toValue(SAMPLE))).toBe(true);
    const others: [Json, Value][] = [
      ['1', 1n],
      [{ $int: '1' }, 1],
      [{ $float: '1.0' }, 1n],
      [{ $float: '0.0' }, -0],
      [{ $atom: 'a' }, 'a'],
      [{ $list: ['a'] }, ['a', 'b']],
      [{ a: 'b' }, Message.of({})],
      [{}, Message.of({ a: 'b' })],
      [{ $list: [] }, Message.of({})],
      [{ $link: 'a' }, new Link('b')],
      [{ a: { $int: '1' } }, Message.of({ a: 2n })],
    ];
    for (const [json, value] of others)
      expect(await sameValue(json, value), JSON.stringify(json)).toBe(false);
  });

  it('takes bytes and text of the same octets for equal', async () => {
    expect(await sameValue('abc', Uint8Array.of(97, 98, 99))).toBe(true);
    expect(await sameValue({ $atom: 'x' }, Atom.of('x'))).toBe(true);
  });

  it('lets a link stand for the value with its ID', async () => {
    const id = (value: Value) => (value instanceof Message ? 'message-id' : 'other');
    expect(await sameValue({ $link: 'message-id' }, Message.of({ a: 'b' }), { id })).toBe(true);
    expect(await sameValue({ $link: 'message-id' }, 'text', { id })).toBe(false);
    expect(await sameValue({ a: 'b' }, new Link('message-id'), { id })).toBe(true);
    expect(await sameValue({ a: 'b' }, new Link('somewhere'), { load: () => Message.of({ a: 'b' }) })).toBe(
      true,
    );
  });

  it('leaves out numbers of tables and ignored parts only when asked', async () => {
    expect(await sameValue('table: 5', 'table: 77')).toBe(false);
    expect(await sameValue('table: 5', 'table: 77', { tables: true })).toBe(true);
    expect(await sameValue('table: 5', 'chair: 77', { tables: true })).toBe(false);
    const ignore = (path: readonly string[]) => path.join('/') === 'a/b';
    expect(await sameValue({ a: { b: '1' } }, Message.of({ a: { b: '2' } }), { ignore })).toBe(true);
    expect(await sameValue({ a: { c: '1' } }, Message.of({ a: { c: '2' } }), { ignore })).toBe(false);
  });
});
