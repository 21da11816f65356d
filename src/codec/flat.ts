/**
 * `flat@1.0`: TABM ⇄ one level of paths (messages.md §9.1).
 *
 * Lost on the way: empty messages below the top, and slashes that are doubled or at the ends of a key.
 */
import { fromBytes } from '../base/bytes.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import type { Tabm } from '../message/tabm.ts';
import { type Binary, binaryBytes, isBinary, type Value } from '../message/value.ts';
import { encodeStructuredMessage } from './structured.ts';
import { checkDepth, KeyCount } from './limits.ts';
import { pathParts, PathTree } from './paths.ts';

/** A message of binaries alone, its keys paths. */
export function encodeFlat(tabm: Binary | Tabm): Binary | Tabm {
  if (isBinary(tabm)) return tabm;
  const out = new Map<string, Value>();
  flatten(tabm, [], out);
  return new Message(out);
}

function flatten(tabm: Tabm, path: readonly string[], out: Map<string, Value>): void {
  checkDepth(path.length);
  for (const [key, given] of tabm) {
    const parts = [...path, ...pathParts(key)];
    // What lies under commitments may still be typed.
    const value = key === 'commitments' && given instanceof Message ? encodeStructuredMessage(given) : given;
    if (value instanceof Message) flatten(value, parts, out);
    else out.set(parts.join('/'), value);
  }
}

/** @throws AoError `path-conflict`, `too-deep` */
export function decodeFlat(flat: Binary | Tabm): Binary | Tabm {
  if (isBinary(flat)) return flat;
  const tree = new PathTree();
  const count = new KeyCount();
  for (const [key, value] of flat) {
    count.add();
    tree.set(pathParts(key), value);
  }
  return new Message(tree.fields());
}

/** The text form: a line `path: value` each, in byte order of the paths. */
export function flatToText(tabm: Binary | Tabm): Binary {
  const flat = encodeFlat(tabm);
  if (isBinary(flat)) return flat;
  return byteOrder(flat.keys())
    .map((key) => `${key}: ${flat.text(key) ?? ''}\n`)
    .join('');
}

/** Reads the text form; lines that have not exactly one `: ` are skipped. */
export function textToFlat(text: Binary): Binary | Tabm {
  const fields = new Map<string, Value>();
  for (const line of fromBytes(binaryBytes(text)).split('\n')) {
    const parts = line.split(': ');
    if (parts.length === 2) fields.set(parts[0]!, parts[1]!);
  }
  return decodeFlat(new Message(fields));
}
