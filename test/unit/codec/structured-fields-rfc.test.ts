/**
 * Structured fields beside another implementation, both ways, over the examples and the edges of RFC 8941 and
 * RFC 9651: what one reads the other reads, and both write it alike. Where the dialect of AO-Core leaves the RFC
 * (messages.md §3), the case says so.
 */
import { describe, expect, it } from 'vitest';
import * as rfc from 'structured-headers';
import {
  parseDictionary,
  parseItem,
  parseList,
  writeDictionary,
  writeList,
  writeMember,
} from '../../../src/codec/structured-fields.ts';

type Kind = 'item' | 'list' | 'dictionary';

/** Text as it is written again, or undefined where it is refused. */
function attempt(act: () => string): string | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

const OURS: Record<Kind, (text: string) => string> = {
  item: (text) => writeMember(parseItem(text)),
  list: (text) => writeList(parseList(text)),
  dictionary: (text) => writeDictionary(parseDictionary(text)),
};
const THEIRS: Record<Kind, (text: string) => string> = {
  item: (text) => rfc.serializeItem(rfc.parseItem(text)),
  list: (text) => rfc.serializeList(rfc.parseList(text)),
  dictionary: (text) => rfc.serializeDictionary(rfc.parseDictionary(text)),
};

const SAME: Record<Kind, string[]> = {
  item: [
    ...['42', '-42', '0', '-0', '00', '-01', '999999999999999', '-999999999999999', '1000000000000000'],
    ...[
      '4.5',
      '-4.5',
      '1.123',
      '1.1234',
      '123456789012.1',
      '1234567890123.1',
      '1.',
      '.1',
      '-',
      '--1',
      '1e3',
      '+1',
    ],
    ...[
      '"hello world"',
      '""',
      '"b\\"a\\\\r"',
      '"\\x"',
      '"open',
      'open"',
      "'a'",
      '"a\tb"',
      '"é"',
      '"a"b',
      '"\\',
    ],
    ...[
      'foo123/456',
      '*foo',
      '**',
      'a_b-c.3:d%e/f*',
      "tchar!#$&'*+-.^_`|~",
      '3foo',
      '@foo',
      'a b',
      'fo"o',
      'é',
      '',
    ],
    ...[
      ':cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:',
      '::',
      ':aGVsbG8=:',
      ':aGVsbG8',
      'aGVsbG8=:',
      ':a-b_:',
      ':aGVs bG8=:',
    ],
    ...['?1', '?0', '?', '?2', '?true', '?10'],
    ...[
      '5;foo=bar',
      'a;b',
      'a;b=?1',
      'a;b=?0',
      'a;a=1;b=2;a=3',
      'a;  b=1',
      'a ;b=1',
      'a; b =1',
      'a;b= 1',
      'a;A=1',
      'a;1=2',
      'a;*x=1',
      'a;',
    ],
    ...['text/html;charset=utf-8', 'abc;q="x;y"', '1;a=1.5;b=:AA==:', '(1 2)', '1,2', '1 2'],
  ],
  list: [
    ...['sugar, tea, rum', 'a,b', 'a , b', 'a\t,\tb', 'a,', ',a', 'a,,b', '', 'a b', 'a;x=1, b;y'],
    ...['("foo" "bar"), ("baz"), ("bat" "one"), ()', '("foo"; a=1;b=2);lvl=5, ("bar" "baz");lvl=1'],
    ...[
      '(1 2',
      '1 2)',
      '(1  2)',
      '(1\t2)',
      '(1,2)',
      '((1))',
      '()',
      '( )',
      '( 1 )',
      '(1"a")',
      '(a b);c',
      '1, 42',
      '?1, ?0, :AA==:, "x"',
    ],
  ],
  dictionary: [
    ...['en="Applepie", da=:w4ZibGV0w6ZydGU=:', 'a=?0, b, c; foo=bar', 'rating=1.5, feelings=(joy sadness)'],
    ...[
      'a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid',
      'foo=1, bar=2',
      'a=1,b=2',
      'a=1 , b=2',
      'a=1, a=2',
      'a=1,b=2,a=3',
      '',
    ],
    ...[
      'a',
      'a, b',
      'a=?1',
      'a=?1;x=2',
      'a;x',
      'a=',
      'a=,b=1',
      'a=1,',
      ',a=1',
      'a=1,,b=2',
      'a =1',
      'a= 1',
      'a=1 b=2',
      '*a=1',
      'a.b-c_d*=1',
      '=1',
      'é=1',
      'a=b=c',
    ],
  ],
};

/** Read by one of the two alone: keys that the reference takes, and types that came with RFC 9651. */
const APART: [Kind, string, 'ours' | 'theirs'][] = [
  ['dictionary', 'A=1', 'ours'],
  ['dictionary', '1=1', 'ours'],
  ['dictionary', '%41="integer"', 'ours'],
  ['dictionary', '.="list", 1="integer"', 'ours'],
  ['dictionary', 'a=1, -b=1', 'ours'],
  ['item', '@1659578233', 'theirs'],
  ['item', '%"f%c3%bc%c3%bc"', 'theirs'],
  ['item', ' 1', 'theirs'],
  ['item', '1 ', 'theirs'],
  ['list', ' a, b ', 'theirs'],
];

describe.each(Object.keys(SAME) as Kind[])('an RFC 8941 %s', (kind) => {
  it.each(SAME[kind])('%j is read and written alike', (text) => {
    expect(attempt(() => OURS[kind](text))).toBe(attempt(() => THEIRS[kind](text)));
  });

  it.each(SAME[kind])('%j, once written, is what the other reads', (text) => {
    const ours = attempt(() => OURS[kind](text));
    if (ours === undefined) return;
    expect(THEIRS[kind](ours)).toBe(ours);
    expect(OURS[kind](THEIRS[kind](text))).toBe(ours);
  });
});

describe('where the dialects part', () => {
  it.each(APART)('%s %j is read by %s alone', (kind, text, who) => {
    expect(attempt(() => OURS[kind](text)) !== undefined).toBe(who === 'ours');
    expect(attempt(() => THEIRS[kind](text)) !== undefined).toBe(who === 'theirs');
  });
});
