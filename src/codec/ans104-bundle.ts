/**
 * Bundles: many items in the data of one (ANS-104 §4; messages.md §8.3).
 *
 * `count ‖ (size ‖ id)… ‖ items`, numbers of 32 bytes. The standard has them little endian; HyperBEAM of 2025 wrote
 * and read them big endian. Both are read, told apart by which of them adds up; big endian is written unless asked.
 */
import { toBase64Url, toBytes, utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { DataItem } from './ans104-item.ts';
import { writeJson } from './json-text.ts';
import { MAX_PARTS } from './limits.ts';

export type Endian = 'big' | 'little';

export interface BundleEntry {
  /** As the header lists it: the item's unsigned ID in bundles of HyperBEAM, its signed ID in others. */
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface Bundle {
  readonly endian: Endian;
  readonly entries: readonly BundleEntry[];
}

/** @throws AoError `bad-bundle` */
export function parseBundle(data: Uint8Array): Bundle {
  for (const endian of ['big', 'little'] as const) {
    const entries = readEntries(data, endian);
    if (entries) return { endian, entries };
  }
  throw new AoError('bad-bundle', 'The sizes in a bundle do not add up.');
}

function readEntries(data: Uint8Array, endian: Endian): BundleEntry[] | undefined {
  if (data.length < 32) return undefined;
  const count = number32(data, 0, endian);
  const start = 32 + 64 * count;
  if (count > MAX_PARTS || start > data.length) return undefined;
  const entries: BundleEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    const head = 32 + 64 * i;
    const size = number32(data, head, endian);
    if (at + size > data.length) return undefined;
    entries.push({ id: data.subarray(head + 32, head + 64), bytes: data.subarray(at, at + size) });
    at += size;
  }
  return at === data.length ? entries : undefined;
}

function number32(bytes: Uint8Array, at: number, endian: Endian): number {
  let value = 0;
  for (let i = 0; i < 32; i++) value = value * 256 + bytes[endian === 'big' ? at + i : at + 31 - i]!;
  return value;
}

export function writeBundle(entries: readonly BundleEntry[], endian: Endian): Uint8Array<ArrayBuffer> {
  return write(
    entries.map(({ id, bytes }) => ({
      id,
      size: bytes.length,
      put: (out, at) => out.set(bytes, at),
    })),
    endian,
  );
}

interface Part {
  readonly id: Uint8Array;
  readonly size: number;
  readonly put: (out: Uint8Array, at: number) => void;
}

function write(parts: readonly Part[], endian: Endian): Uint8Array<ArrayBuffer> {
  const start = 32 + 64 * parts.length;
  const out = new Uint8Array(parts.reduce((sum, { size }) => sum + size, start));
  const view = new DataView(out.buffer);
  const number = (at: number, value: number) => {
    if (endian === 'big') view.setBigUint64(at + 24, BigInt(value));
    else view.setBigUint64(at, BigInt(value), true);
  };
  number(0, parts.length);
  let at = start;
  parts.forEach(({ id, size, put }, index) => {
    number(32 + 64 * index, size);
    out.set(id, 64 + 64 * index);
    put(out, at);
    at += size;
  });
  return out;
}

const FREE_BYTES = 64 * 1024 * 1024;

/**
 * Bundles in bundles: every level is hashed and copied with all that is in it, so depth multiplies the work.
 * Counts the bytes of all levels together.
 */
export class BundleWork {
  #bytes = 0;
  #largest = 0;

  /** @throws AoError `too-deep` beyond 64 MiB and eight times the level that is the largest so far */
  add(bytes: number): void {
    this.#bytes += bytes;
    this.#largest = Math.max(this.#largest, bytes);
    if (this.#bytes > FREE_BYTES + 8 * this.#largest)
      throw new AoError('too-deep', 'Bundles of this size are nested too deep.');
  }
}

const MANIFEST_TAGS = [
  { name: 'data-protocol', value: 'bundle-map' },
  { name: 'variant', value: '0.0.1' },
];

export interface BundleMap {
  readonly data: Uint8Array;
  /** Unsigned ID of the manifest, the value of the `bundle-map` tag. */
  readonly manifest: string;
}

/** Items under keys: a manifest first, then the items. @throws AoError `not-text` for a key that is not UTF-8 */
export function writeBundleMap(items: ReadonlyMap<string, DataItem>, endian: Endian): BundleMap {
  const index = Message.from([...items].map(([key, item]) => [key, toBase64Url(item.unsignedId)] as const));
  const manifest = DataItem.create({ tags: MANIFEST_TAGS, data: toBytes(writeJson(index)) });
  const entries = [manifest, ...keysOrder(items.keys()).map((key) => items.get(key)!)];
  return {
    data: write(
      entries.map((item) => ({
        id: item.unsignedId,
        size: item.byteLength,
        put: (out, at) => item.writeTo(out, at),
      })),
      endian,
    ),
    manifest: toBase64Url(manifest.unsignedId),
  };
}

/**
 * The items of a bundle under their keys, found by the IDs that the header gives them. (Whether those are theirs
 * shows when the signature is checked: the bundle is built anew for that.)
 * @param manifest unsigned ID of the manifest, from the `bundle-map` tag
 * @throws AoError `bad-bundle`, `bad-item`
 */
export function readBundleMap(bundle: Bundle, manifest: string): Map<string, DataItem> {
  const entries = new Map<string, Uint8Array[]>();
  for (const { id, bytes } of bundle.entries) {
    const name = toBase64Url(id);
    const same = entries.get(name);
    if (same) same.push(bytes);
    else entries.set(name, [bytes]);
  }
  const list = entries.get(manifest)?.shift();
  if (!list) throw new AoError('bad-bundle', 'A bundle lacks the manifest that its tag names.');
  const out = new Map<string, DataItem>();
  for (const [key, id] of manifestEntries(DataItem.parse(list).data)) {
    // Two keys with the same value have an item each: what is there once cannot be read many times over.
    const bytes = entries.get(id)?.shift();
    if (!bytes) throw new AoError('bad-bundle', 'A bundle lacks an item that its manifest names.');
    out.set(key, DataItem.parse(bytes));
  }
  return out;
}

function manifestEntries(data: Uint8Array): [string, string][] {
  let index: unknown;
  try {
    index = JSON.parse(utf8(data) ?? '');
  } catch (cause) {
    throw new AoError('bad-bundle', 'The manifest of a bundle is no JSON.', { cause });
  }
  if (typeof index !== 'object' || index === null || Array.isArray(index))
    throw new AoError('bad-bundle', 'The manifest of a bundle is no JSON object.');
  return Object.entries(index).map(([key, id]) => {
    if (typeof id !== 'string') throw new AoError('bad-bundle', 'A manifest names an item by no text.');
    return [key, id];
  });
}
