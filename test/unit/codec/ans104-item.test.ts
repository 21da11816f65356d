import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { deepHash as arDeepHash } from 'arbundles';
import { AoError } from '../../../src/base/errors.ts';
import { equalBytes, toBase64Url, toBytes } from '../../../src/base/bytes.ts';
import { deepHash, type DeepHashInput, signingData } from '../../../src/codec/ans104-hash.ts';
import { DataItem, SIGNATURE_KINDS } from '../../../src/codec/ans104-item.ts';
import { lowerCase, readTags, type Tag, withinLimits, writeTags } from '../../../src/codec/ans104-tags.ts';
import { binaryBytes } from '../../../src/message/value.ts';

const octets = fc.uint8Array({ maxLength: 60 });
const field = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ minLength: 32, maxLength: 32 }));
const tag: fc.Arbitrary<Tag> = fc.record({
  name: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  value: fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), octets),
});
const tags = fc.array(tag, { maxLength: 8 });

/** Text and bytes of the same octets are the same tag. */
const plain = (list: readonly Tag[]) =>
  list.map(({ name, value }) => [name, toBase64Url(binaryBytes(value))]);

const code = (expected: string) => expect.objectContaining({ code: expected });
const at = (bytes: Uint8Array, index: number, value: number) => {
  const out = bytes.slice();
  out[index] = value;
  return out;
};

describe('deep hash', () => {
  it('is the one of arbundles, for anything nested', async () => {
    const { input } = fc.letrec<{ input: DeepHashInput }>((tie) => ({
      input: fc.oneof({ depthSize: 'small' }, octets, fc.array(tie('input'), { maxLength: 4 })),
    }));
    await fc.assert(
      fc.asyncProperty(input, async (value) => {
        expect(toBase64Url(deepHash(value))).toBe(toBase64Url(await arDeepHash(value as never)));
      }),
    );
  });

  it('of an item is the deep hash of its eight parts', () => {
    const kinds = fc.constantFrom(...Object.keys(SIGNATURE_KINDS).map(Number));
    fc.assert(
      fc.property(
        kinds,
        field,
        field,
        tags,
        octets,
        octets,
        (signatureType, target, anchor, list, data, seed) => {
          const owner = new Uint8Array(SIGNATURE_KINDS[signatureType]!.owner);
          owner.set(seed.subarray(0, owner.length));
          const item = DataItem.create({ signatureType, owner, target, anchor, tags: list, data });
          const parts = ['dataitem', '1', String(signatureType)].map(toBytes);
          const whole = deepHash([...parts, owner, target, anchor, item.tagBytes, data]);
          expect(signingData(item)).toEqual(whole);
        },
      ),
    );
  });
});

describe('tags', () => {
  it('survive being written and read', () => {
    fc.assert(
      fc.property(tags, (list) => {
        const bytes = writeTags(list);
        if (list.length === 0) expect(bytes.length).toBe(0);
        else {
          const read = readTags(bytes);
          expect(plain(read.tags)).toEqual(plain(list));
          expect(read.canonical).toBe(true);
        }
      }),
    );
  });

  it('have no second form that is canonical', () => {
    const a = [2, 97, 2, 98];
    const forms = {
      'two blocks': [2, ...a, 2, ...a, 0],
      'a block with a size': [1, 8, ...a, 0],
      'a long number': [0x82, 0x80, 0x00, ...a, 0],
      'no block': [0],
      'an empty name': [2, 0, 2, 98, 0],
    };
    for (const [name, bytes] of Object.entries(forms))
      expect([name, readTags(Uint8Array.from(bytes)).canonical]).toEqual([name, false]);
    expect(readTags(Uint8Array.from([2, ...a, 0])).canonical).toBe(true);
  });

  it('are refused when broken', () => {
    const bad = [
      [],
      [2],
      [2, 2, 97],
      [2, 3, 97, 2, 98, 0],
      [2, 2, 97, 2, 98],
      [2, 2, 97, 2, 98, 0, 0],
      [2, 2, 255, 0, 0],
    ];
    bad.push([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], [0xfe, 0xff, 0xff, 0x7f], [2, 0xfe, 0xff, 0xff, 0x7f]);
    for (const bytes of bad)
      expect(() => readTags(Uint8Array.from(bytes)), String(bytes)).toThrow(code('bad-item'));
  });

  it('are within limits or not', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `t${i}`, value: 'v' }));
    const one = (name: string, value: string) => [{ name, value }];
    expect(withinLimits(many(128))).toBe(true);
    expect(withinLimits(many(129))).toBe(false);
    expect(withinLimits(one('n'.repeat(1024), 'v'.repeat(3072)))).toBe(true);
    expect(withinLimits(one('n'.repeat(1025), ''))).toBe(false);
    expect(withinLimits(one('é'.repeat(513), ''))).toBe(false);
    expect(withinLimits(one('n', 'é'.repeat(1537)))).toBe(false);
    expect(() => DataItem.create({ tags: one('n', 'v'.repeat(3073)) })).toThrow(code('bad-item'));
    const long = DataItem.create({ tags: one('n', 'v'.repeat(3072)) }).toBytes();
    expect(DataItem.parse(long).tags).toHaveLength(1);
  });

  it('have names in lower case letter by letter', () => {
    expect(lowerCase('GRÖSSE')).toBe('grösse');
    expect(lowerCase('ΟΔΟΣ')).toBe('οδοσ');
    expect(lowerCase('Data-Protocol')).toBe('data-protocol');
  });
});

describe('DataItem', () => {
  const fields = fc.record({
    signatureType: fc.constantFrom(...Object.keys(SIGNATURE_KINDS).map(Number)),
    target: field,
    anchor: field,
    tags,
    data: octets,
  });

  it('survives being written and read, every type', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const item = DataItem.create(given);
        const bytes = item.toBytes();
        const read = DataItem.parse(bytes);
        expect(equalBytes(read.toBytes(), bytes)).toBe(true);
        expect(read.canonical).toBe(true);
        expect(plain(read.tags)).toEqual(plain(given.tags));
        expect([...read.target, 0, ...read.anchor, 0, ...read.data]).toEqual([
          ...given.target,
          0,
          ...given.anchor,
          0,
          ...given.data,
        ]);
        expect(read.unsignedId).toEqual(item.unsignedId);
        expect(read.signed).toBe(false);
      }),
    );
  });

  it('has the unsigned IDs of the specification (messages.md §16)', () => {
    const ids: [string, Parameters<typeof DataItem.create>[0]][] = [
      ['NBEPcVC3txrhI4_HoU2tMMPLBf2SBROfK5K47l9OXWc', {}],
      ['w-Vf4YbfZcJhDEpLQU2_LKpOpvkM90x6TKc-lBBJRgc', { tags: [{ name: 'a', value: '1' }] }],
      [
        'djsM_JHMPxHoHkkZXPghet2u5VOmm5vwjydM4EiVsfM',
        {
          tags: [
            { name: 'ao-data-key', value: 'body' },
            { name: 'a', value: '1' },
          ],
          data: toBytes('B'),
        },
      ],
    ];
    for (const [id, given] of ids) expect(toBase64Url(DataItem.create(given).unsignedId)).toBe(id);
  });

  it('refuses what is no item', () => {
    const target = new Uint8Array(32).fill(1);
    const good = DataItem.create({ target, tags: [{ name: 'a', value: 'b' }], data: toBytes('d') }).toBytes();
    expect(DataItem.parse(good).data).toEqual(toBytes('d'));
    const bad = [
      new Uint8Array(0),
      at(good, 0, 0),
      at(good, 0, 8),
      at(good, 1, 1),
      at(good, 1026, 2),
      at(good, 1059, 9),
    ];
    for (const bytes of bad) expect(() => DataItem.parse(bytes)).toThrow(code('bad-item'));
    for (let length = 0; length < good.length - 1; length += 7)
      expect(() => DataItem.parse(good.subarray(0, length))).toThrow(code('bad-item'));
    const short = new Uint8Array(31);
    for (const given of [{ target: short }, { anchor: short }, { owner: short }, { signature: short }])
      expect(() => DataItem.create(given)).toThrow(code('bad-item'));
    expect(() => DataItem.create({ signatureType: 9 })).toThrow(code('bad-item'));
  });

  it('says when its count of tags is not the number of its tags', () => {
    const bytes = DataItem.create({ tags: [{ name: 'a', value: 'b' }] }).toBytes();
    const countAt = 2 + 512 + 512 + 2;
    expect(bytes[countAt]).toBe(1);
    for (const count of [0, 2, 255]) expect(DataItem.parse(at(bytes, countAt, count)).canonical).toBe(false);
    expect(DataItem.parse(at(bytes, countAt + 7, 255)).canonical).toBe(false);
  });

  it('throws typed errors alone, whatever the bytes', () => {
    const start = DataItem.create({ tags: [{ name: 'a', value: 'b' }], data: toBytes('dd') }).toBytes();
    const change = fc.record({ at: fc.nat(start.length + 10), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.nat(start.length), (changes, length) => {
        const bytes = start.slice(0, changes.length === 4 ? length : undefined);
        for (const one of changes) bytes[one.at] = one.value;
        try {
          DataItem.parse(bytes);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(AoError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('names its signer as each network does', () => {
    const typed = toBytes('0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
    expect(DataItem.create({ signatureType: 7, owner: typed }).signer).toBe(
      '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
    );
    expect(() => DataItem.create({ signatureType: 3 }).signer).toThrow(code('bad-key'));
    expect(DataItem.create({ signatureType: 2 }).signer).toBe('Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU');
  });
});
