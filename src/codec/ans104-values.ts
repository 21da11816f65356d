/** Values that several tags of one name have together (messages.md §8.5, 3). */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { Binary } from '../message/value.ts';
import { byteOrder } from '../message/order.ts';
import { textOf } from '../message/tabm.ts';
import { lowerCase, type Tag } from './ans104-tags.ts';
import { sfString, writeBare } from './structured-fields.ts';
import { escapeKey, parseTypes } from './structured.ts';

/** One value is itself; several are a structured-field list of strings, `"v1", "v2"`. */
function joinValues(values: readonly Binary[]): Binary {
  if (values.length === 1) return values[0]!;
  return values
    .map((value) => writeBare(sfString(typeof value === 'string' ? value : fromBytes(value))))
    .join(', ');
}

/** `ao-types` with its keys in lower case, as those of the tags are, and in the order of the encoder. */
function lowerTypes(value: Binary): string {
  const types = new Map<string, string>();
  const text = textOf(value);
  if (text === undefined) throw new AoError('bad-types', 'ao-types is no text.');
  if (text !== '') for (const [key, type] of parseTypes(text)) types.set(lowerCase(key), type);
  return byteOrder(types.keys())
    .map((key) => `${escapeKey(key)}="${types.get(key)}"`)
    .join(', ');
}

/** Tags by their names in lower case, as a message shows them. @throws AoError `bad-types`, `bad-structured-field` */
export function joinTags(tags: readonly Tag[]): Map<string, Binary> {
  const values = new Map<string, Binary[]>();
  for (const { name, value } of tags) {
    const key = lowerCase(name);
    const before = values.get(key);
    if (before) before.push(value);
    else values.set(key, [value]);
  }
  const out = new Map<string, Binary>();
  for (const [key, list] of values) out.set(key, joinValues(list));
  const types = out.get('ao-types');
  if (types !== undefined) out.set('ao-types', lowerTypes(types));
  return out;
}
