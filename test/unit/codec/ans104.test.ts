import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { equalBytes, toBase64Url, toBytes } from '../../../src/base/bytes.ts';
import { ans104Bytes, DataItem, decodeAns104, decodeItem, encodeAns104 } from '../../../src/codec/ans104.ts';
import { parseBundle, readBundleMap, writeBundle, writeBundleMap } from '../../../src/codec/ans104-bundle.ts';
import type { Tag } from '../../../src/codec/ans104-tags.ts';
import { encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import type { Tabm } from '../../../src/message/tabm.ts';
import type { Value } from '../../../src/message/value.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });
const of = (record: Record<string, ValueInput>) => Message.of(record);
const unsignedId = (tabm: Tabm) => toBase64Url(encodeAns104(tabm).unsignedId);

function same(a: Value, b: Value): void {
  if (!equalValues(a, b)) expect(show(a)).toEqual(show(b));
}

function show(value: Value): unknown {
  if (value instanceof Message) return Object.fromEntries([...value].map(([key, item]) => [key, show(item)]));
  if (Array.isArray(value)) return (value as Value[]).map(show);
  return value instanceof Uint8Array ? `bytes:${toBase64Url(value)}` : value;
}

const signature = new Uint8Array(512).fill(7);
const owner = new Uint8Array(512).fill(9);
/** An item as if signed: reading does not check. */
const signed = (tags: readonly Tag[], data = '', more = {}) =>
  DataItem.create({ signature, owner, tags, data: toBytes(data), ...more });
const t = (name: string, value: string): Tag => ({ name, value });
const content = (tabm: Value) => show((tabm as Message).without('commitments'));

describe('encodeAns104', () => {
  it('gives the unsigned IDs of the specification (messages.md §16)', () => {
    expect(unsignedId(of({}))).toBe('NBEPcVC3txrhI4_HoU2tMMPLBf2SBROfK5K47l9OXWc');
    expect(unsignedId(of({ a: '1' }))).toBe('w-Vf4YbfZcJhDEpLQU2_LKpOpvkM90x6TKc-lBBJRgc');
    expect(unsignedId(of({ a: '1', b: '2', data: 'D' }))).toBe('5MczsiNS1xsHik7geXdemJoc4ycokXfDh87P-kFF-Vg');
    expect(unsignedId(of({ A: '1' }))).toBe('-aCWdP-WdkgGGnMciJxElCFTBuUE3kn9XuQ4oVumnT0');
    expect(unsignedId(of({ a: '1', body: 'B' }))).toBe('djsM_JHMPxHoHkkZXPghet2u5VOmm5vwjydM4EiVsfM');
    const nested = encodeAns104(of({ m: { x: '1' } }));
    expect(toBase64Url(nested.unsignedId)).toBe('lMR5KGKBEawlp_5_CWhhWy3MmiMf2nOyBweWN1GEUS8');
    expect(nested.data.length).toBe(2346);
    expect(nested.tag('bundle-map')).toBe('PrvxMV8FfwZh-7y4oqJQCytaFnt3ZCo2bPi-DG1LKzA');
  });

  it('keeps to the limits of tags', () => {
    const many = (count: number) =>
      Message.from(Array.from({ length: count }, (_, i) => [`k${i}`, 'v'] as const));
    expect(encodeAns104(many(128)).tags).toHaveLength(128);
    expect(() => encodeAns104(many(129))).toThrow(code('too-many-keys'));
    expect(encodeAns104(of({ a: 'x'.repeat(3072) })).tags).toHaveLength(1);
    expect(encodeAns104(of({ a: 'x'.repeat(3073) })).tags.map(({ name }) => name)).toEqual([
      'bundle-format',
      'bundle-version',
      'bundle-map',
    ]);
    expect(encodeAns104(of({ ['n'.repeat(1025)]: 'v' })).tags).toHaveLength(3);
  });

  it('puts a target that is an ID into its field, and no other', () => {
    const id = toBase64Url(new Uint8Array(32).fill(3));
    const item = encodeAns104(of({ target: id, a: 'b' }));
    expect(toBase64Url(item.target)).toBe(id);
    expect(item.tags).toEqual([t('a', 'b')]);
    expect(encodeAns104(of({ target: 'somebody' })).tags).toEqual([t('target', 'somebody')]);
    expect(() => encodeAns104(of({ target: toBase64Url(new Uint8Array(43)) }))).toThrow(code('bad-item'));
  });

  it('refuses what no item can hold', () => {
    const endless = (depth: number): Message => of({ m: depth ? (endless(depth - 1) as never) : 'x' });
    expect(() => encodeAns104(endless(300))).toThrow(code('too-deep'));
    expect(() => encodeAns104(Message.from([['a', 5n]]))).toThrow(code('bad-value'));
    const commitment = { 'commitment-device': 'ans104@1.0', type: 'rsa-pss-sha256', committed: { '1': 'a' } };
    const two = of({ a: 'b', commitments: { x: commitment, y: commitment } });
    expect(() => encodeAns104(two)).toThrow(code('multiple-commitments'));
    const gone = of({ commitments: { x: { ...commitment, type: 'unsigned-sha256' } } });
    expect(() => encodeAns104(gone)).toThrow(code('missing-committed-key'));
    const odd = of({ a: 'b', commitments: { x: { ...commitment, type: 'rot13' } } });
    expect(() => encodeAns104(odd)).toThrow(code('bad-commitment'));
    // The name of a tag is text, its value any octets.
    expect(() => encodeAns104(of({ '\udcff': 'x' }))).toThrow(code('bad-item'));
    expect(encodeAns104(of({ x: new Uint8Array([255]) })).tags).toHaveLength(1);
  });
});

describe('messages as items', () => {
  const key = fc
    .stringMatching(/^[a-z0-9_-]{1,8}$/)
    .filter((name) => !/^priv|^commitments$|^ao-|^target$/.test(name));
  const binary = fc.string({ unit: 'binary', minLength: 1, maxLength: 30 });
  const { message } = fc.letrec<{ message: Message }>((tie) => ({
    message: fc
      .dictionary(key, fc.oneof({ maxDepth: 3, withCrossShrink: true }, binary, tie('message')), {
        maxKeys: 6,
      })
      .map((record) => Message.from(Object.entries(record))),
  }));

  it('survive the way there and back, in either byte order', () => {
    fc.assert(
      fc.property(message, fc.constantFrom('big' as const, 'little' as const), (tabm, endian) => {
        const bytes = ans104Bytes(tabm, { endian });
        same(decodeAns104(bytes), tabm);
        expect(equalBytes(ans104Bytes(decodeAns104(bytes), { endian }), bytes)).toBe(true);
      }),
    );
  });

  it('survive with bytes, long values and many keys', () => {
    const long = of({ a: 'x'.repeat(5000), body: 'y'.repeat(5000), bin: Uint8Array.of(1, 255, 0) as never });
    same(decodeAns104(ans104Bytes(long)), long);
    const many = Message.from(Array.from({ length: 60 }, (_, i) => [`k${i}`, of({ v: String(i) })] as const));
    same(decodeAns104(ans104Bytes(many)), many);
    const typed = encodeStructuredMessage(
      Message.of({ l: [1n as never, 'two', true], n: null, f: 1.5 as never }),
    );
    same(decodeAns104(ans104Bytes(typed)), typed);
  });

  it('lose the case of keys and what is empty or private', () => {
    const decoded = decodeAns104(ans104Bytes(of({ UPPER: 'v', body: '', 'priv-x': 'p' }))) as Message;
    expect(content(decoded)).toEqual({ upper: 'v' });
    const [[id, commitment]] = [...decoded.message('commitments')!] as [[string, Message]];
    expect(commitment.text('type')).toBe('unsigned-sha256');
    expect(unsignedId(decoded)).toBe(id);
  });

  it('are binaries where the item says so', () => {
    expect(decodeAns104(ans104Bytes('just text'))).toBe('just text');
    expect(encodeAns104('x').tags).toEqual([t('ao-type', 'binary')]);
  });
});

describe('signed items as messages', () => {
  /** What any signed item is, its message has to become again. */
  const returns = (item: DataItem) => {
    const tabm = decodeItem(item) as Message;
    expect(toBase64Url(encodeAns104(tabm).toBytes())).toBe(toBase64Url(item.toBytes()));
    return tabm;
  };
  const commitmentOf = (tabm: Message) => [...tabm.message('commitments')!][0]![1] as Message;

  it('name committed keys, signer and fields', () => {
    const target = new Uint8Array(32).fill(1);
    const anchor = new Uint8Array(32).fill(2);
    const tabm = returns(signed([t('k', 'v')], 'd', { target, anchor }));
    expect(content(tabm)).toEqual({ data: 'd', k: 'v', target: toBase64Url(target) });
    const commitment = commitmentOf(tabm);
    expect(commitment.get('committed')).toEqual(['data', 'k', 'target']);
    expect(commitment.text('field-anchor')).toBe(toBase64Url(anchor));
    expect(commitment.text('keyid')).toBe(`publickey:${toBase64Url(owner)}`);
    expect(commitment.has('original-tags')).toBe(false);
  });

  it('are restored where the rules for new items would make another one', () => {
    const shown: [DataItem, unknown][] = [
      [signed([t('Tag', '1'), t('tag', '2')], 'd'), { data: 'd', tag: '"1", "2"' }],
      [signed([t('data', 'in a tag'), t('k', 'v')]), { data: 'in a tag', k: 'v' }],
      [signed([t('data', 'hidden')], 'real'), { data: 'real' }],
      [signed([t('body', 'b')]), { body: 'b' }],
      [signed([t('ao-data-key', 'foo'), t('k', 'v')], 'x'), { foo: 'x', k: 'v' }],
      [signed([t('k', 'v'), t('ao-data-key', 'body')], 'x'), { body: 'x', k: 'v' }],
      [signed([t('Ao-Data-Key', 'body')], 'x'), { 'ao-data-key': 'body', body: 'x' }],
      [signed([t('x', '1'), t('x', 'a "b", c')]), { x: '"1", "a \\"b\\", c"' }],
      [
        signed([t('target', 'somebody')], 'd', { target: owner.slice(0, 32) }),
        { data: 'd', target: toBase64Url(owner.slice(0, 32)) },
      ],
      [signed([t('priv-x', 'p'), t('commitments', 'c'), t('k', 'v')]), { k: 'v' }],
      [signed([t('bundle-format', 'binary'), t('bundle-version', '2.0.0')], 'no map'), { data: 'no map' }],
      [
        signed([t('ao-types', 'b="integer", a="integer"'), t('b', '1'), t('a', '2')]),
        { 'ao-types': 'a="integer", b="integer"', a: '2', b: '1' },
      ],
      [signed([t('a+link', owner.slice(0, 43).join(''))]), { 'a+link': owner.slice(0, 43).join('') }],
    ];
    for (const [item, expected] of shown) {
      const tabm = returns(item);
      expect(content(tabm)).toEqual(expected);
    }
  });

  it('return as the same bytes, whatever the tags', () => {
    const name = fc.oneof(
      fc.constantFrom('data', 'body', 'Data', 'ao-data-key', 'target', 'ao-type', 'bundle-format', 'x+link'),
      fc.stringMatching(/^[A-Za-z0-9 =/]{1,6}$/),
    );
    const list = fc.array(fc.record({ name, value: fc.string({ unit: 'binary', maxLength: 12 }) }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(list, fc.string({ maxLength: 5 }), (tags, data) => {
        const item = signed(tags, data);
        if (!(decodeItem(item) instanceof Message)) return;
        // Data that says the same as the tag that it hides cannot be told from none.
        if (data !== '' && tags.some(({ value }) => value === data)) return;
        returns(item);
      }),
      { numRuns: 1000 },
    );
  });

  it('are refused with bundles that are none', () => {
    const tags = [
      t('bundle-format', 'binary'),
      t('bundle-version', '2.0.0'),
      t('bundle-map', 'x'.repeat(43)),
    ];
    expect(() => decodeItem(signed(tags, 'not a bundle'))).toThrow(code('bad-bundle'));
    expect(content(decodeItem(signed(tags)))).toEqual({});
    const empty = DataItem.create({ signature, owner, tags, data: writeBundle([], 'big') });
    expect(() => decodeItem(empty)).toThrow(code('bad-bundle'));
  });
});

describe('bundles', () => {
  const items = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 5 });

  it('are read in both byte orders', () => {
    fc.assert(
      fc.property(items, fc.constantFrom('big' as const, 'little' as const), (list, endian) => {
        const entries = list.map((bytes, index) => ({ id: new Uint8Array(32).fill(index), bytes }));
        const bundle = parseBundle(writeBundle(entries, endian));
        expect(bundle.endian).toBe(endian);
        expect(bundle.entries.map(({ id, bytes }) => [...id, ...bytes])).toEqual(
          entries.map(({ id, bytes }) => [...id, ...bytes]),
        );
      }),
    );
  });

  it('are refused when what is large is nested deep, since each level is hashed with all in it', () => {
    const nest = (depth: number, size: number) => {
      let message = of({ data: 'x'.repeat(size) });
      for (; depth > 0; depth--) message = of({ m: message as never });
      return message;
    };
    expect(encodeAns104(nest(8, 2_000_000)).data.length).toBeGreaterThan(2_000_000);
    expect(() => encodeAns104(nest(120, 2_000_000))).toThrow(code('too-deep'));
    expect(encodeAns104(nest(60, 1000)).data.length).toBeLessThan(200_000);
  });

  it('are refused when their sizes do not add up', () => {
    const good = writeBundle([{ id: new Uint8Array(32), bytes: toBytes('abc') }], 'big');
    for (const bytes of [
      good.subarray(1),
      good.subarray(0, -1),
      new Uint8Array(31),
      new Uint8Array(200).fill(255),
    ])
      expect(() => parseBundle(bytes)).toThrow(code('bad-bundle'));
  });

  it('hold an item for each key, also for equal ones, and each is read once', () => {
    same(
      decodeAns104(ans104Bytes(of({ a: { x: '1' }, c: { x: '1' } }))),
      of({ a: { x: '1' }, c: { x: '1' } }),
    );
    const child = encodeAns104(of({ x: '1' }));
    const id = toBase64Url(child.unsignedId);
    const list = DataItem.create({ data: toBytes(`{"a":"${id}","c":"${id}"}`) });
    const entries = [list, child].map((item) => ({ id: item.unsignedId, bytes: item.toBytes() }));
    const read = () => readBundleMap(parseBundle(writeBundle(entries, 'big')), toBase64Url(list.unsignedId));
    expect(read).toThrow(code('bad-bundle'));
    entries.push(entries[1]!);
    expect([...read().keys()]).toEqual(['a', 'c']);
  });

  it('are refused when the manifest is missing, no object, or names what is not there', () => {
    const child = encodeAns104(of({ a: 'b' }));
    const { data, manifest } = writeBundleMap(new Map([['k', child]]), 'big');
    expect([...readBundleMap(parseBundle(data), manifest).keys()]).toEqual(['k']);
    expect(() => readBundleMap(parseBundle(data), 'A'.repeat(43))).toThrow(code('bad-bundle'));
    for (const text of ['[]', 'null', '{"k":1}', '{', `{"k":"${'A'.repeat(43)}"}`]) {
      const list = DataItem.create({ data: toBytes(text) });
      const bundle = parseBundle(writeBundle([{ id: list.unsignedId, bytes: list.toBytes() }], 'big'));
      expect(() => readBundleMap(bundle, toBase64Url(list.unsignedId))).toThrow(code('bad-bundle'));
    }
  });
});
