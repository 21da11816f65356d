/** `json@1.0` and `flat@1.0` (messages.md §9). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBytes } from '../../../src/base/bytes.ts';
import { decodeFlat, encodeFlat, flatToText, textToFlat } from '../../../src/codec/flat.ts';
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { parseJson, writeJson } from '../../../src/codec/json-text.ts';
import { decodeStructured, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, Link, type Binary } from '../../../src/message/value.ts';
import { plainKey, text, textMessage } from '../arbitraries.ts';

const message = Message.of;
const failure = expect.objectContaining({ name: 'AoError' }) as Error;

describe('JSON', () => {
  it.each([
    [message({ a: 1n, b: 100, c: 1e22, d: 'x' }), '{"a":1,"b":100.0,"c":1.0e22,"d":"x"}'],
    [message({ a: true }), '{"a":"true","ao-types":"a=\\"atom\\""}'],
    [message({ l: [1n, 'x', []] }), '{"l":[1,"x",[]]}'],
    [message({ l: [1n, true] }), '{"l":{"1":1,"2":"true","ao-types":".=\\"list\\", 2=\\"atom\\""}}'],
    [message({ a: new Link('x'), private: 'p' }), '{"a+link":"x"}'],
    [message({ a: '\u0001\u001f\b"\\\u007fé/' }), '{"a":"\\u0001\\u001F\\b\\"\\\\\u007fé/"}'],
    [message({ a: 'a literal \\u001b stays' }), '{"a":"a literal \\\\u001b stays"}'],
    ['text', '"text"'],
  ])('%#', (value, expected) => {
    expect(encodeJson(value)).toBe(expected);
    const kept = value instanceof Message ? value.without('private') : value;
    expect(equalValues(decodeJson(expected), kept)).toBe(true);
  });

  it('is written in the order of folds from 33 keys on', () => {
    const forty = message(Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i + 1}`, 'v'])));
    expect(encodeJson(forty)).toMatch(/^\{"k32":"v","k23":"v","k2":"v"/);
  });

  it('reads words as atoms, numbers by their form, the first of two members', () => {
    const read = decodeJson(
      '{"a":null,"b":1e2,"c":-0.0,"d":1,"a":2,"e":"5","ao-types":"e=\\"integer\\""}',
    ) as Message;
    expect(read.get('a')).toBe(Atom.null);
    expect(read.get('b')).toBe(100);
    expect(Object.is(read.get('c'), -0)).toBe(true);
    expect(read.get('d')).toBe(1n);
    expect(read.get('e')).toBe(5n);
    expect(decodeJson(' [1, "x", {"a": []}] ')).toEqual([1n, 'x', message({ a: [] })]);
    expect(parseJson(toBytes('"\\ud83d\\ude00\\u00e9\\/"'))).toBe('😀é/');
  });

  it.each([
    '',
    'x',
    '1',
    'true',
    'null',
    '{',
    '[',
    '"',
    '{"a"}',
    '{"a":}',
    '[1,]',
    '{"a":1,}',
    '01',
    '[01]',
    '[1.]',
    '[.5]',
    '[+1]',
    '["\\x"]',
    '["\n"]',
    '["\\ud800"]',
    '[1] x',
    '[1234567890123456]',
    '[1e999]',
    "['a']",
    '{a:1}',
    '["\\u12"]',
  ])('refuses %j', (source) => expect(() => decodeJson(source)).toThrow(failure));

  it('refuses octets that are no text, both ways', () => {
    expect(() => decodeJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(failure);
    expect(() => encodeJson(message({ a: Uint8Array.of(0xff) }))).toThrow(failure);
  });

  it('refuses to go too deep', () => {
    expect(() => decodeJson('['.repeat(100_000))).toThrow(failure);
    expect(() => decodeJson(`${'{"a":'.repeat(100_000)}1`)).toThrow(failure);
  });

  it('agrees with the platform on plain JSON', () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (source) => {
        let ours;
        try {
          ours = parseJson(source);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'AoError' });
          return;
        }
        expect(JSON.parse(writeJson(ours))).toEqual(JSON.parse(source));
      }),
    );
  });

  it('keeps a message and its ID', () => {
    fc.assert(
      fc.property(textMessage, (value) => {
        const back = decodeJson(encodeJson(value));
        expect(equalValues(back, value)).toBe(true);
        expect(messageId(back)).toBe(messageId(value));
      }),
    );
  });
});

describe('flat', () => {
  it('joins and cuts paths', () => {
    const tabm = encodeStructuredMessage(message({ a: { b: 1n, c: { d: 'x' } }, e: 'y', n: {} }));
    const flat = encodeFlat(tabm) as Message;
    expect(Object.fromEntries(flat)).toEqual({
      'a/b': '1',
      'a/ao-types': 'b="integer"',
      'a/c/d': 'x',
      e: 'y',
    });
    const back = decodeStructured(decodeFlat(flat));
    expect(equalValues(back, message({ a: { b: 1n, c: { d: 'x' } }, e: 'y' }))).toBe(true);
  });
  it('does not count empty parts', () => {
    expect(equalValues(decodeFlat(message({ '/a//b/': 'x' })) as Message, message({ a: { b: 'x' } }))).toBe(
      true,
    );
  });
  it('refuses a value and a message in one place', () => {
    expect(() => decodeFlat(message({ a: 'x', 'a/b': 'y' }))).toThrow(failure);
    expect(() => decodeFlat(message({ 'a/b': 'y', a: 'x' }))).toThrow(failure);
  });
  it('has a text form', () => {
    expect(flatToText(encodeStructuredMessage(message({ b: { c: 'x' }, a: '1' })))).toBe('a: 1\nb/c: x\n');
    const read = textToFlat('a: 1\nnothing\nb/c: x\nd: e: f\n') as Message;
    expect(equalValues(read, message({ a: '1', b: { c: 'x' } }))).toBe(true);
  });
  it('keeps what it can hold', () => {
    const value: fc.Arbitrary<Binary> = text;
    const nested = fc.dictionary(plainKey, fc.oneof(value, fc.dictionary(plainKey, value, { minKeys: 1 })), {
      maxKeys: 12,
    });
    fc.assert(
      fc.property(nested, (record) => {
        const one = message(record);
        expect(equalValues(decodeFlat(encodeFlat(one)) as Message, one)).toBe(true);
      }),
    );
  });
});

describe('integers in JSON text', () => {
  it('have the digits of the wire, or any number of them where programs write them', () => {
    const text = '{"a":-1234567890123456,"b":[10000000000000000000000]}';
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 'bad-integer' }));
    const read = parseJson(text, { integers: 'unbounded' }) as Message;
    expect(read.get('a')).toBe(-1234567890123456n);
    expect(read.get('b')).toEqual([10000000000000000000000n]);
    expect(writeJson(read)).toBe(text);
    expect(() => parseJson('9'.repeat(10_001), { integers: 'unbounded' })).toThrow(
      expect.objectContaining({ code: 'bad-integer' }),
    );
  });
});
