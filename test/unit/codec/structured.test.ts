/** `structured@1.0`, structured fields and the texts of floats (messages.md §2, §3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { floatText, parseFloatText, shortFloatText } from '../../../src/codec/float.ts';
import { MAX_DEPTH } from '../../../src/codec/limits.ts';
import {
  decodeStructured,
  encodeStructured,
  escapeKey,
  parseTypes,
  unescapeKey,
} from '../../../src/codec/structured.ts';
import {
  isInnerList,
  parseDictionary,
  parseItem,
  parseList,
  writeDictionary,
  writeList,
  writeMember,
} from '../../../src/codec/structured-fields.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Atom, Link, type Value } from '../../../src/message/value.ts';
import { anyMessage } from '../arbitraries.ts';

const message = Message.of;
const encode = (record: Record<string, ValueInput>) => encodeStructured(message(record)) as Message;
const decode = (record: Record<string, ValueInput>) => decodeStructured(message(record));
const refused = (code: string) => expect.objectContaining({ name: 'AoError', code }) as Error;

describe('floats', () => {
  it.each([
    [1, '1.00000000000000000000e+00'],
    [0.1, '1.00000000000000005551e-01'],
    [-0, '-0.00000000000000000000e+00'],
    [1e100, '1.00000000000000001590e+100'],
    [-9449464848.730713, '-9.44946484873071289062e+09'],
    [5e-324, '4.94065645841246544177e-324'],
    [Number.MAX_VALUE, '1.79769313486231570815e+308'],
    [6.02e23, '6.01999999999999995806e+23'],
  ])('%d is %s', (value, text) => expect(floatText(value)).toBe(text));

  it.each([
    [100, '100.0'],
    [1e22, '1.0e22'],
    [0.1, '0.1'],
    [-0, '-0.0'],
    [1e-7, '1.0e-7'],
    [123456.789, '123456.789'],
    [9007199254740992, '9.007199254740992e15'],
  ])('%d is short as %s', (value, text) => expect(shortFloatText(value)).toBe(text));

  it('read back as they were', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseFloatText(floatText(value))).toBe(value);
        expect(parseFloatText(shortFloatText(value))).toBe(value);
      }),
    );
  });

  it.each(['1', '1e5', '.5', '5.', '', 'x', '1.0e999', ' 1.0'])('%j is none', (text) =>
    expect(() => parseFloatText(text)).toThrow(refused('bad-float')),
  );
  it('are finite', () => expect(() => floatText(Number.NaN)).toThrow(refused('bad-float')));
});

describe('encoding', () => {
  it('annotates every type in byte order of the keys', () => {
    expect(encode({ b: 1n, a: true, c: 1.5, d: 'text', Z: null }).text('ao-types')).toBe(
      '%5a="atom", a="atom", b="integer", c="float"',
    );
    const list = encode({ l: Array.from({ length: 10 }, (_, i) => BigInt(i)) }).message('l')!;
    expect(list.text('ao-types')).toMatch(/^\.="list", 1="integer", 10="integer", 2="integer"/);
  });
  it('escapes the names in it', () => {
    const record = Object.fromEntries(
      ['A', 'Key_B', 'e/f', 'k c', 'k+d', 'pct%', 'q?x&y'].map((key) => [key, 1n]),
    );
    expect(encode(record).text('ao-types')).toBe(
      '%41="integer", %4bey_%42="integer", e/f="integer", k%20c="integer", k%2bd="integer", pct%25="integer", q?x&y="integer"',
    );
  });
  it("drops what must not travel, and a user's ao-types where there are types", () => {
    const tabm = encode({
      private: 'x',
      priv_x: 'x',
      'content-digest': 'x',
      unsigned_id: 'x',
      a: 1n,
      'ao-types': 'no',
    });
    expect([...tabm.keys()].sort()).toEqual(['a', 'ao-types']);
    expect(tabm.text('ao-types')).toBe('a="integer"');
    expect(encode({ 'ao-types': 'kept' }).text('ao-types')).toBe('kept');
  });
  it('writes links under their own keys, but no lazy ones', () => {
    expect(encode({ a: new Link('x') }).text('a+link')).toBe('x');
    expect(() => encode({ a: new Link('x', { lazy: true }) })).toThrow(refused('bad-value'));
  });
  it('keeps commitments as they are', () => {
    const commitments = message({ x: { n: 1n } });
    expect(encode({ commitments }).get('commitments')).toBe(commitments);
  });
  it('does not follow itself into the ground', () => {
    let deep = message({});
    for (let i = 0; i < MAX_DEPTH + 2; i++) deep = message({ d: deep });
    expect(() => encodeStructured(deep)).toThrow(refused('too-deep'));
    expect(() => decodeStructured(deep)).toThrow(refused('too-deep'));
  });
});

describe('decoding', () => {
  it('reads every type, and knows their names in any case', () => {
    const value = decode({
      'ao-types': 'a="integer", b="Float", c="atom", d=list, e="map"',
      a: '0012',
      b: '-1.5e3',
      c: '"With Space"',
      d: '"(ao-type-integer) 1", "b", 3, tok, :YWI=:, ?1',
      e: 'x=1, y="z"',
    }) as Message;
    expect(value.get('a')).toBe(12n);
    expect(value.get('b')).toBe(-1500);
    expect(value.get('c')).toEqual(Atom.of('With Space'));
    const list = value.get('d') as Value[];
    const tail = [Atom.of('tok'), new Uint8Array([97, 98]), Atom.true];
    expect(equalValues(list, [1n, 'b', 3n, ...tail])).toBe(true);
    expect(equalValues(value.get('e')!, message({ x: 1n, y: 'z' }))).toBe(true);
  });
  it.each([
    ['integer', ''],
    ['integer', '+1'],
    ['integer', ' 1'],
    ['integer', '1 '],
    ['integer', '1.5'],
    ['integer', '1234567890123456'],
    ['float', '1'],
    ['atom', '?1'],
    ['atom', 'with space'],
    ['binary', 'x'],
    ['empty-list', ''],
    ['boolean', 'true'],
  ])('refuses a bad %s: %j', (type, text) =>
    expect(() => decode({ 'ao-types': `k="${type}"`, k: text })).toThrow(
      expect.objectContaining({ name: 'AoError' }),
    ),
  );
  it('takes atoms that were never seen, and reads back none with a blank, which it writes', () => {
    // messages.md §13, 5 and 6.
    const name = 'never-seen-before';
    expect(decode({ 'ao-types': 'k="atom"', k: name })).toEqual(message({ k: Atom.of(name) }));
    const blank = encode({ k: Atom.of('With Space') });
    expect(blank.text('k')).toBe('With Space');
    expect(() => decodeStructured(blank)).toThrow(refused('bad-structured-field'));
  });
  it('ignores types of keys that are not there, and parameters', () => {
    const value = decode({ 'ao-types': 'gone="nothing", a="integer";x=1', a: '7;p' }) as Message;
    expect(equalValues(value, message({ a: 7n }))).toBe(true);
  });
  it.each(['b=1', 'b', 'a="integer",', '/="integer"', '%zz="integer"'])('refuses ao-types %j', (types) =>
    expect(() => decode({ 'ao-types': types, b: '1' })).toThrow(expect.objectContaining({ name: 'AoError' })),
  );
  it('turns K+link into a link under K, even under no name', () => {
    const value = decode({ 'a+link': 'x', '+link': 'y', 'ao-types': 'a="integer"' }) as Message;
    expect(
      equalValues(
        value,
        Message.from([
          ['a', new Link('x')],
          ['', new Link('y')],
        ]),
      ),
    ).toBe(true);
  });
  it('reads numbered messages as lists where it says so', () => {
    expect(decode({ 'ao-types': '.="list", 2="integer"', 1: 'a', 2: '5' })).toEqual(['a', 5n]);
    expect(() => decode({ 'ao-types': '.="list"', 1: 'a', 3: '5' })).toThrow(refused('bad-list'));
    expect(() => decode({ 'ao-types': '.="map"' })).toThrow(refused('bad-types'));
  });
  it('undoes encoding', () => {
    fc.assert(
      fc.property(anyMessage, (value) => {
        expect(equalValues(decodeStructured(encodeStructured(value) as Message), value)).toBe(true);
      }),
    );
  });
  it('undoes escaping', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        expect(unescapeKey(escapeKey(key))).toBe(key);
      }),
    );
    expect(parseTypes('%2E="list"').get('.')).toBe('list');
  });
});

describe('structured fields', () => {
  it.each([
    'a=1, b="x"',
    'a, b;q=1',
    '1a="x"',
    'A=tok',
    'a=(1 "b" c);d=?0',
    '.="list", 1="integer"',
    'a=:YQ==:',
    'a=-1.5',
  ])('dictionary %j is written as it was read', (text) =>
    expect(writeDictionary(parseDictionary(text))).toBe(text),
  );
  it("the last of two members counts, in the first one's place", () => {
    expect(writeDictionary(parseDictionary('a=1, b=2, a=3'))).toBe('a=3, b=2');
  });
  it.each([
    'a=1,',
    ',a',
    'a==1',
    'a=1 b=2',
    'a="é"',
    'a="x',
    'a=@5',
    'a=%"x"',
    'x=1, .="list"',
    'a=1.1234',
    'a=:*:',
    'a=(1',
    'a=?2',
    'a=1234567890123456',
  ])('dictionary %j is refused', (text) =>
    expect(() => parseDictionary(text)).toThrow(refused('bad-structured-field')),
  );
  it.each([' a', 'a ', '', '"a', '1.', '-'])('item %j is refused', (text) =>
    expect(() => parseItem(text)).toThrow(refused('bad-structured-field')),
  );
  it('reads what other nodes send', () => {
    expect(parseItem('multipart/form-data; boundary="x"').parameters.get('boundary')).toEqual({
      kind: 'string',
      text: 'x',
    });
    expect(parseItem('text/html; charset=utf-8').bare).toEqual({ kind: 'token', text: 'text/html' });
    expect(writeList(parseList('a, "b", (c d)'))).toBe('a, "b", (c d)');
    const [inner] = parseList('( "a"  "b" )');
    expect(isInnerList(inner!) && inner.items.length).toBe(2);
  });
  it('escapes quotes and backslashes in strings and nothing else', () => {
    expect(writeMember({ bare: { kind: 'string', text: 'a"\\\né' }, parameters: new Map() })).toBe(
      '"a\\"\\\\\né"',
    );
  });
  it('reads long strings without trouble', () => {
    const text = `"${'ab\\"'.repeat(300_000)}"`;
    expect(parseItem(text).bare).toMatchObject({ kind: 'string' });
  });
});
