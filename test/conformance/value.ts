/**
 * The tagged JSON of the vector files (vectors README, "Value encoding") and our values: both ways, and compared.
 *
 * | JSON                         | value                                          |
 * |------------------------------|------------------------------------------------|
 * | `"text"`, `{"$bin": b64url}` | binary                                         |
 * | `{"$int": "12"}`             | `bigint`                                       |
 * | `{"$float": "1.5"}`          | `number`                                       |
 * | `{"$atom": "true"}`          | `Atom`                                         |
 * | `{"$list": […]}`             | list                                           |
 * | `{"$link": id}`              | `Link`                                         |
 * | `{"$tuple": ["as", …]}`      | `As`; `["resolve", …]`: `Subpath`              |
 * | any other object             | `Message`; keys that are not UTF-8 as `$bin:…` |
 */
import { fromBase64, fromBytes, toBase64Url, utf8 } from '../../src/base/bytes.ts';
import { Message } from '../../src/message/message.ts';
import {
  As,
  Atom,
  binaryBytes,
  equalBinary,
  isBinary,
  Link,
  Subpath,
  type Binary,
  type Value,
} from '../../src/message/value.ts';
import { Mismatch, type Json } from './family.ts';

const TAGS = ['$bin', '$int', '$float', '$atom', '$list', '$link', '$tuple', '$error', '$table'] as const;
type Tag = (typeof TAGS)[number];

/** The tag of `{"$tag": …}`, and what it holds. */
function tagged(json: Json): [Tag, Json] | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  const keys = Object.keys(json);
  const tag = TAGS.find((known) => known === keys[0]);
  return keys.length === 1 && tag ? [tag, json[tag]!] : undefined;
}

/** True for `{"$error": …}`: the reference refused. */
export function isError(json: Json | undefined): boolean {
  return json !== undefined && tagged(json)?.[0] === '$error';
}

/** The ID of `{"$link": id}`, else undefined. */
export function linkId(json: Json | undefined): string | undefined {
  const found = json === undefined ? undefined : tagged(json);
  return found?.[0] === '$link' ? String(found[1]) : undefined;
}

/** A value as the vectors write it. @throws Error where the JSON is none (a broken vector file). */
export function toValue(json: Json): Value {
  if (typeof json === 'string') return json;
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error(`Not a tagged value: ${JSON.stringify(json)}`);
  const found = tagged(json);
  if (!found)
    return Message.from(Object.entries(json).map(([key, item]) => [toKey(key), toValue(item)] as const));
  const [tag, inner] = found;
  if (tag === '$list' && Array.isArray(inner)) return inner.map(toValue);
  if (tag === '$tuple' && Array.isArray(inner)) return tupleToValue(inner);
  if (typeof inner !== 'string') throw new Error(`Not a tagged value: ${JSON.stringify(json)}`);
  switch (tag) {
    case '$bin':
      return bytesToValue(fromBase64(inner));
    case '$int':
      return BigInt(inner);
    case '$float':
      return Number(inner);
    case '$atom':
      return Atom.of(inner);
    case '$link':
      return new Link(inner);
    default:
      throw new Error(`No value stands under ${tag}.`);
  }
}

/** `toValue` for JSON that is known to be a message. */
export function toMessage(json: Json): Message {
  const value = toValue(json);
  if (!(value instanceof Message)) throw new Error('The vector file has no message here.');
  return value;
}

function bytesToValue(bytes: Uint8Array): Value {
  return utf8(bytes) ?? bytes;
}

function toKey(key: string): string {
  return key.startsWith('$bin:') ? fromBytes(fromBase64(key.slice(5))) : key;
}

function tupleToValue(items: Json[]): Value {
  const [head, first, second] = items;
  const name = head === undefined ? undefined : tagged(head);
  if (name?.[0] === '$atom' && name[1] === 'as' && typeof first === 'string' && second !== undefined)
    return new As(first, toValue(second));
  if (name?.[0] === '$atom' && name[1] === 'resolve' && first !== undefined) {
    const sequence = toValue(first);
    if (Array.isArray(sequence)) return new Subpath(sequence as readonly Value[]);
  }
  throw new Error(`No value is a tuple like ${JSON.stringify(items)}.`);
}

/** Our value as the vectors would write it. */
export function fromValue(value: Value): Json {
  if (isBinary(value)) return binaryToJson(value);
  if (typeof value === 'bigint') return { $int: String(value) };
  if (typeof value === 'number') return { $float: Object.is(value, -0) ? '-0.0' : String(value) };
  if (value instanceof Atom) return { $atom: value.name };
  if (value instanceof Link) return { $link: value.id };
  if (value instanceof As) return { $tuple: [{ $atom: 'as' }, value.device, fromValue(value.message)] };
  if (value instanceof Subpath)
    return { $tuple: [{ $atom: 'resolve' }, { $list: value.sequence.map(fromValue) }] };
  if (value instanceof Message)
    return Object.fromEntries([...value].map(([key, item]) => [keyToJson(key), fromValue(item)]));
  if (Array.isArray(value)) return { $list: (value as readonly Value[]).map(fromValue) };
  throw new Error('Not a value.');
}

function binaryToJson(value: Binary): Json {
  const text = typeof value === 'string' && value.isWellFormed() ? value : utf8(binaryBytes(value));
  return text ?? { $bin: toBase64Url(binaryBytes(value)) };
}

function keyToJson(key: string): string {
  return key.isWellFormed() ? key : `$bin:${toBase64Url(binaryBytes(key))}`;
}

export interface Comparison {
  /** Names the part that is compared, in reports. */
  readonly where?: string;
  /** All-commitments ID of a value: a link equals any value with its ID. Without it a link equals a link alone. */
  readonly id?: (value: Value) => Promise<string> | string;
  /** Follows a link that stands where a whole value is expected. */
  readonly load?: (link: Link) => Promise<Value | undefined> | Value | undefined;
  /** `table: N` and `function: N` in text match whatever the number. */
  readonly tables?: boolean;
  /** Parts that are left out on both sides, by their path from the top (`['results', 'wasm', 'output']`). */
  readonly ignore?: (path: readonly string[]) => boolean;
}

/** Throws a `Mismatch` that names the first difference, unless `got` is the value that `expected` writes. */
export async function expectValue(
  expected: Json,
  got: Value | undefined,
  options: Comparison = {},
): Promise<void> {
  await compare(expected, got, [], options);
}

/** True if `got` is the value that `expected` writes. */
export async function sameValue(
  expected: Json,
  got: Value | undefined,
  options: Comparison = {},
): Promise<boolean> {
  try {
    await compare(expected, got, [], options);
    return true;
  } catch (thrown) {
    if (thrown instanceof Mismatch) return false;
    throw thrown;
  }
}

async function compare(expected: Json, got: Value | undefined, path: string[], options: Comparison) {
  const where = [options.where, ...path].filter(Boolean).join('/');
  if (got === undefined) throw new Mismatch(expected, 'nothing', where);
  const different = () => new Mismatch(expected, fromValue(got), where);

  const id = linkId(expected);
  if (id !== undefined) {
    if (got instanceof Link && got.id === id) return;
    if (options.id && (await options.id(got)) === id) return;
    throw different();
  }
  if (got instanceof Link && options.load) {
    const loaded = await options.load(got);
    if (loaded !== undefined && !(loaded instanceof Link)) {
      await compare(expected, loaded, path, options);
      return;
    }
  }
  if (got instanceof Link && options.id && (await options.id(toValue(expected))) === got.id) return;

  const wanted = toShallow(expected);
  if (wanted.kind === 'message') {
    if (!(got instanceof Message)) throw different();
    await compareMessage(wanted.entries, got, path, options, where);
  } else if (wanted.kind === 'list') {
    if (!Array.isArray(got)) throw different();
    if (got.length !== wanted.items.length) throw different();
    for (const [index, item] of wanted.items.entries())
      await compare(item, got[index] as Value, [...path, String(index + 1)], options);
  } else if (wanted.kind === 'as') {
    if (!(got instanceof As) || got.device !== wanted.device) throw different();
    await compare(wanted.message, got.message, [...path, 'as'], options);
  } else if (wanted.kind === 'subpath') {
    if (!(got instanceof Subpath)) throw different();
    await compare({ $list: wanted.sequence }, got.sequence, [...path, 'resolve'], options);
  } else if (!sameScalar(wanted.value, got, options.tables ?? false)) throw different();
}

async function compareMessage(
  entries: Map<string, Json>,
  got: Message,
  path: string[],
  options: Comparison,
  where: string,
) {
  for (const [key, item] of entries) {
    const inner = [...path, key];
    if (options.ignore?.(inner)) continue;
    if (!got.has(key)) throw new Mismatch(item, 'no such key', `${where}/${key}`);
    await compare(item, got.get(key), inner, options);
  }
  for (const [key, value] of got)
    if (!entries.has(key) && !options.ignore?.([...path, key]))
      throw new Mismatch('no such key', fromValue(value), `${where}/${key}`);
}

type Shallow =
  | { kind: 'scalar'; value: Value }
  | { kind: 'list'; items: Json[] }
  | { kind: 'message'; entries: Map<string, Json> }
  | { kind: 'as'; device: string; message: Json }
  | { kind: 'subpath'; sequence: Json[] };

function toShallow(json: Json): Shallow {
  const found = tagged(json);
  if (found?.[0] === '$list' && Array.isArray(found[1])) return { kind: 'list', items: found[1] };
  if (found?.[0] === '$tuple' && Array.isArray(found[1])) {
    const [head, first, second] = found[1];
    const name = head === undefined ? undefined : tagged(head)?.[1];
    if (name === 'as' && typeof first === 'string' && second !== undefined)
      return { kind: 'as', device: first, message: second };
    const list = first === undefined ? undefined : tagged(first)?.[1];
    if (name === 'resolve' && Array.isArray(list)) return { kind: 'subpath', sequence: list };
  }
  if (!found && typeof json === 'object' && json !== null && !Array.isArray(json))
    return { kind: 'message', entries: new Map(Object.entries(json).map(([k, v]) => [toKey(k), v])) };
  return { kind: 'scalar', value: toValue(json) };
}

const NUMBERED = /\b(table|function): (?:0x)?[0-9a-fA-F]+/g;

function sameScalar(expected: Value, got: Value, tables: boolean): boolean {
  if (isBinary(expected)) {
    if (!isBinary(got)) return false;
    if (equalBinary(expected, got)) return true;
    if (!tables || typeof expected !== 'string') return false;
    const text = typeof got === 'string' ? got : utf8(got);
    return text?.replace(NUMBERED, '$1: N') === expected.replace(NUMBERED, '$1: N');
  }
  if (expected instanceof Atom) return expected.is(got);
  return Object.is(expected, got);
}
