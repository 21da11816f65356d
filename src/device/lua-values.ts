/** Messages to Lua values and back (lua.md §11). Links have to be loaded before. */
import { bytesToLatin1, latin1ToBytes, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { LuaTerm, LuaValue } from '../engine/lua/contract.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { toBinary } from '../message/tabm.ts';
import { Atom, isBinary, type Binary, type Value } from '../message/value.ts';

/** What `nil` is outside. */
const NIL = Atom.of('nil');
const MAX_DEPTH = 1_000;
const ASCII = /^[\0-\x7f]*$/;

function bytesText(value: Binary): string {
  if (typeof value === 'string') return ASCII.test(value) ? value : bytesToLatin1(toBytes(value));
  return bytesToLatin1(value);
}

function binaryOf(text: string): Binary {
  return ASCII.test(text) ? text : toBinary(latin1ToBytes(text));
}

/** A value for a program. Private keys and what only the resolver knows stay behind. */
export function toLua(value: Value, depth = 0): LuaValue {
  if (depth > MAX_DEPTH) throw new AoError('too-deep', 'A message is nested too deeply for Lua.');
  if (isBinary(value)) return bytesText(value);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return { float: value };
  if (value instanceof Atom) {
    if (value.name === 'true' || value.name === 'false') return value.name === 'true';
    return bytesText(value.name);
  }
  if (value instanceof Message) return tableOf(value, depth);
  if (Array.isArray(value))
    return {
      table: (value as readonly Value[]).map(
        (item, index) => [BigInt(index + 1), toLua(item, depth + 1)] as const,
      ),
    };
  throw new AoError('bad-value', 'A link that was not loaded cannot be handed to Lua.', { status: 500 });
}

/** Keys that are exactly 1 … n make a list. */
function tableOf(message: Message, depth: number): LuaValue {
  const keys = [...message.keys()].filter((key) => !isPrivateKey(key));
  const isList = keys.length > 0 && keys.every((key) => isIndex(key, keys.length));
  const pairs = keys.map(
    (key) => [isList ? BigInt(key) : bytesText(key), toLua(message.get(key)!, depth + 1)] as const,
  );
  return { table: pairs };
}

function isIndex(key: string, size: number): boolean {
  return /^[1-9]\d*$/.test(key) && Number(key) <= size;
}

/**
 * A value from a program; undefined for what cannot leave it (functions).
 * @throws AoError `lua-crash` (500) for a float as a key, as in the reference
 */
export function fromLua(value: LuaValue, inList = false, depth = 0): Value | undefined {
  if (depth > MAX_DEPTH) throw crash('the result is nested too deeply');
  if (value === null) return NIL;
  if (typeof value === 'boolean') return Atom.boolean(value);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'string') return binaryOf(value);
  if ('float' in value) return value.float;
  if ('opaque' in value) return undefined;
  const { table } = value;
  if (table.length === 0) return inList ? [] : Message.empty;
  const list = listOf(table);
  if (list) return list.map((item) => fromLua(item, true, depth + 1) ?? NIL);
  const fields = new Map<string, Value>();
  for (const [key, item] of table) {
    const inner = fromLua(item, false, depth + 1);
    if (inner !== undefined) fields.set(keyOf(key), inner);
  }
  return new Message(fields);
}

/** The items of a table whose keys are exactly 1 … n, as integers or their texts. */
function listOf(table: readonly (readonly [LuaValue, LuaValue])[]): LuaValue[] | undefined {
  const items: LuaValue[] = [];
  let count = 0;
  for (const [key, item] of table) {
    const text = typeof key === 'bigint' ? key.toString() : key;
    if (typeof text !== 'string' || !isIndex(text, table.length)) return undefined;
    const at = Number(text) - 1;
    if (items[at] !== undefined) return undefined;
    items[at] = item;
    count++;
  }
  return count === table.length ? items : undefined;
}

function keyOf(key: LuaValue): string {
  if (typeof key === 'string') {
    const binary = binaryOf(key);
    return typeof binary === 'string' ? binary : keyFromBytes(binary);
  }
  if (typeof key === 'bigint' || typeof key === 'boolean') return String(key);
  throw crash('a table has a key that no message can have');
}

function keyFromBytes(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes)
    out += byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte);
  return out;
}

export function crash(why: string): AoError {
  return new AoError('lua-crash', `Lua: ${why}.`, { status: 500 });
}

/** Bytes as the evaluator gives them, as text for a person. */
export function readable(text: string): string {
  const binary = binaryOf(text);
  return typeof binary === 'string' ? binary : text;
}

/** An internal error term as text (lua.md §12.6). */
export function termText(term: LuaTerm): string {
  if (term === null) return 'nil';
  if (typeof term === 'boolean' || typeof term === 'bigint') return String(term);
  if (typeof term === 'string') return JSON.stringify(readable(term));
  if ('float' in term) return String(term.float);
  if ('atom' in term) return term.atom;
  if ('list' in term) return `[${term.list.map(termText).join(', ')}]`;
  if ('tuple' in term) return `{${term.tuple.map(termText).join(', ')}}`;
  return 'table' in term ? 'table' : term.opaque;
}
