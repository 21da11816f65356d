/**
 * `structured@1.0`: typed values ⇄ TABM (messages.md §2).
 *
 * Lost on the way to TABM: private keys, `content-digest`, `unsigned_id`, a user's own `ao-types` where a
 * level has typed keys, and the case of the difference between text and bytes of the same octets.
 */
import { compareText, toBytes, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { isLinkKey, isPrivateKey, linkKey, withoutLinkSuffix } from '../message/keys.ts';
import { listToMessage, messageToList } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { Atom, type Binary, isBinary, Link, type Value } from '../message/value.ts';
import { floatText, parseFloatText } from './float.ts';
import { checkDepth, KeyCount } from './limits.ts';
import {
  type BareItem,
  isInnerList,
  type Member,
  parseDictionary,
  parseItem,
  parseList,
} from './structured-fields.ts';

/** Dropped on the way to TABM: others make them anew. */
const REGENERATED = new Set(['content-digest', 'unsigned_id']);

/**
 * A value as TABM. Nested messages and lists are written in place: link them before
 * (`commitment/link.ts`) where only their IDs shall be.
 * @throws AoError `bad-value` for a bare float, a lazy link, or what only the resolver knows
 */
export function encodeStructured(value: Value): Binary | Tabm {
  if (isBinary(value)) return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Atom) return value.name;
  if (value instanceof Message) return encodeMessage(value, 0);
  if (Array.isArray(value)) return encodeList(value as readonly Value[], 0);
  throw new AoError('bad-value', 'A value of this type cannot stand alone in an encoding.');
}

/** `encodeStructured` for what is known to be a message. */
export function encodeStructuredMessage(message: Message): Tabm {
  return encodeMessage(message, 0);
}

function encodeMessage(message: Message, depth: number): Tabm {
  checkDepth(depth);
  const out = new Map<string, Value>();
  let types: string[] | undefined;
  for (const [key, value] of message) {
    if (isBinary(value)) {
      if (!isPrivateKey(key) && !REGENERATED.has(key)) out.set(key, value);
      continue;
    }
    if (isPrivateKey(key) || REGENERATED.has(key)) continue;
    if (key === 'commitments') out.set(key, value);
    else if (value instanceof Message) out.set(key, encodeMessage(value, depth + 1));
    else if (Array.isArray(value)) out.set(key, encodeList(value as readonly Value[], depth + 1));
    else if (value instanceof Link) out.set(linkKey(key), linkText(value));
    else {
      const [text, type] = scalarText(value);
      out.set(key, text);
      (types ??= []).push(key, type);
    }
  }
  if (types) out.set('ao-types', writeTypes(types));
  return new Message(out, message.private);
}

function encodeList(list: readonly Value[], depth: number): Tabm {
  const encoded = encodeMessage(listToMessage(list), depth);
  const types = encoded.text('ao-types');
  // `.` is before every digit in byte order.
  return encoded.with([['ao-types', types ? `.="list", ${types}` : '.="list"']]);
}

function linkText(link: Link): string {
  if (link.lazy) throw new AoError('bad-value', 'A lazy link has to be resolved before it is encoded.');
  return link.id;
}

function scalarText(value: Value): [string, string] {
  if (typeof value === 'bigint') return [value.toString(), 'integer'];
  if (typeof value === 'number') return [floatText(value), 'float'];
  if (value instanceof Atom) return [value.name, 'atom'];
  throw new AoError('bad-value', 'A value that only the resolver knows cannot be encoded.');
}

/** `key, type, key, type …` as `ao-types` (messages.md §2.3). */
function writeTypes(pairs: readonly string[]): string {
  if (pairs.length === 2) return `${escapeKey(pairs[0]!)}="${pairs[1]}"`;
  const members: [string, string][] = [];
  for (let i = 0; i < pairs.length; i += 2) members.push([pairs[i]!, pairs[i + 1]!]);
  members.sort((a, b) => compareText(a[0], b[0]));
  return members.map(([key, type]) => `${escapeKey(key)}="${type}"`).join(', ');
}

const UNESCAPED = /^[a-z0-9._/?&-]*$/;
const UNESCAPED_BYTE = new Set(toBytes('abcdefghijklmnopqrstuvwxyz0123456789._/?&-'));

/** Percent escaping of `ao-types` members: all but `a-z 0-9 . - _ / ? &` as lower-case hexadecimal. */
export function escapeKey(key: string): string {
  if (UNESCAPED.test(key)) return key;
  let out = '';
  for (const byte of toBytes(key))
    out += UNESCAPED_BYTE.has(byte) ? String.fromCharCode(byte) : `%${toHex(Uint8Array.of(byte))}`;
  return out;
}

/** Undoes `escapeKey`; hexadecimal of either case. @throws AoError `bad-escape` */
export function unescapeKey(name: string): string {
  if (!name.includes('%')) return name;
  const bytes = toBytes(name);
  const out: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0x25) out.push(bytes[i]!);
    else {
      const digits = name.slice(i + 1, i + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(digits))
        throw new AoError('bad-escape', 'A key has a percent sign that no two hexadecimal digits follow.');
      out.push(Number.parseInt(digits, 16));
      i += 2;
    }
  }
  return textOf(Uint8Array.from(out))!;
}

const CANONICAL_TYPE = /^([A-Za-z0-9*%_.-]+)="([A-Za-z-]+)"$/;

/** `ao-types` as a map from key to lower-case type name. @throws AoError `bad-structured-field`, `bad-types` */
export function parseTypes(text: string): Map<string, string> {
  const types = new Map<string, string>();
  // The form that is written everywhere is read without the general parser.
  for (const part of text.split(', ')) {
    const found = CANONICAL_TYPE.exec(part);
    if (!found || (types.size > 0 && part.startsWith('.'))) return parseAnyTypes(text);
    types.set(unescapeKey(found[1]!), found[2]!.toLowerCase());
  }
  return types;
}

function parseAnyTypes(text: string): Map<string, string> {
  const types = new Map<string, string>();
  for (const [name, member] of parseDictionary(text)) {
    if (isInnerList(member) || (member.bare.kind !== 'string' && member.bare.kind !== 'token'))
      throw new AoError('bad-types', `ao-types names no type for ${JSON.stringify(name)}.`);
    types.set(unescapeKey(name), member.bare.text.toLowerCase());
  }
  return types;
}

/** TABM as typed values (messages.md §2.4). @throws AoError on text that is not of its type */
export function decodeStructured(tabm: Binary | Tabm): Value {
  return isBinary(tabm) ? tabm : decodeMessage(tabm, 0, new KeyCount());
}

/** `decodeStructured` where the outcome has to be a message. @throws AoError `not-a-message` for a list */
export function decodeStructuredMessage(tabm: Tabm): Message {
  const value = decodeMessage(tabm, 0, new KeyCount());
  if (value instanceof Message) return value;
  throw new AoError('not-a-message', 'A list stands where a message has to be.');
}

const NO_TYPES = new Map<string, string>();

function decodeMessage(tabm: Tabm, depth: number, count: KeyCount): Value {
  checkDepth(depth);
  count.add(tabm.size);
  const annotation = tabm.get('ao-types');
  const types = annotation === undefined ? NO_TYPES : parseTypes(typesText(annotation));
  const out = new Map<string, Value>();
  for (const [key, value] of tabm) {
    if (key === 'ao-types') continue;
    if (isLinkKey(key) && isBinary(value)) {
      out.set(withoutLinkSuffix(key), new Link(textOf(value)!));
      continue;
    }
    if (value instanceof Message) out.set(key, decodeMessage(value, depth + 1, count));
    else if (Array.isArray(value)) out.set(key, decodeItems(value as readonly Value[], depth + 1, count));
    else {
      const type = isBinary(value) ? types.get(key) : undefined;
      out.set(key, type === undefined ? value : decodeTyped(textOf(value)!, type));
    }
  }
  const message = new Message(out, tabm.private);
  const whole = types.get('.');
  if (whole === undefined) return message;
  if (whole !== 'list') throw new AoError('bad-types', `A message cannot be read as ${whole}.`);
  return messageToList(message);
}

function decodeItems(list: readonly Value[], depth: number, count: KeyCount): Value {
  checkDepth(depth);
  count.add(list.length);
  return list.map((value) => {
    if (value instanceof Message) return decodeMessage(value, depth + 1, count);
    return Array.isArray(value) ? decodeItems(value as readonly Value[], depth + 1, count) : value;
  });
}

function typesText(annotation: Value): string {
  const text = textOf(annotation);
  if (text === undefined) throw new AoError('bad-types', 'ao-types is no text.');
  return text;
}

const INTEGER = /^-?\d{1,15}$/;
const TOKEN = /^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$/;

/** Text of a type (messages.md §2.4, table). @throws AoError `bad-integer`, `bad-float`, `bad-atom`, `bad-types` … */
export function decodeTyped(text: string, type: string): Value {
  switch (type) {
    case 'integer': {
      if (INTEGER.test(text)) return BigInt(text);
      const { bare } = parseItem(text);
      if (bare.kind === 'integer') return bare.value;
      throw new AoError('bad-integer', `${JSON.stringify(text.slice(0, 60))} is no integer.`);
    }
    case 'float':
      return parseFloatText(text);
    case 'atom': {
      if (TOKEN.test(text)) return Atom.of(text);
      const { bare } = parseItem(text);
      if (bare.kind === 'token' || bare.kind === 'string') return Atom.of(bare.text);
      throw new AoError('bad-atom', `${JSON.stringify(text.slice(0, 60))} is no atom.`);
    }
    case 'list':
      return parseList(text).map(legacyMember);
    case 'map': {
      const fields = new Map<string, Value>();
      for (const [key, member] of parseDictionary(text)) fields.set(key, legacyMember(member));
      return new Message(fields);
    }
    default:
      throw new AoError('bad-types', `There is no type ${JSON.stringify(type.slice(0, 60))}.`);
  }
}

const LEGACY_TYPE = /^\(ao-type-([^)]*)\) /;

/** An item of the older textual lists (messages.md §2.5). */
function legacyMember(member: Member): Value {
  if (isInnerList(member)) return member.items.map((inner) => legacyItem(inner.bare));
  return legacyItem(member.bare);
}

function legacyItem(bare: BareItem): Value {
  switch (bare.kind) {
    case 'string': {
      const typed = LEGACY_TYPE.exec(bare.text);
      return typed ? decodeTyped(bare.text.slice(typed[0].length), typed[1]!.toLowerCase()) : bare.text;
    }
    case 'integer':
      return bare.value;
    case 'decimal':
      return Number(bare.text);
    case 'boolean':
      return Atom.boolean(bare.value);
    case 'bytes':
      return bare.bytes;
    case 'token':
      return Atom.of(bare.text);
  }
}
