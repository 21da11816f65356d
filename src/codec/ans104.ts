/**
 * `ans104@1.0`: data item ⇄ TABM (messages.md §8.4, §8.5). This file reads; `ans104-encode.ts` writes.
 *
 * Lost on the way into an item: capitals in keys (tags are read in lower case), private keys, empty `data` and
 * `body`, and of nested messages all commitments but ANS-104 ones. More than one value under a name that differs in
 * case alone becomes one text.
 */
import { toBase64Url } from '../base/bytes.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import { type Tabm, textOf, toBinary } from '../message/tabm.ts';
import { type Binary, type Value } from '../message/value.ts';
import { BundleWork, parseBundle, readBundleMap } from './ans104-bundle.ts';
import { isMapBundle, leadsTo } from './ans104-encode.ts';
import {
  ANS104_DEVICE,
  BINARY_TAG,
  bundleFlag,
  META_TAGS,
  sameTag,
  tagsToMessage,
  UNSIGNED_TYPE,
} from './ans104-fields.ts';
import { DataItem } from './ans104-item.ts';
import { lowerCase, withinLimits } from './ans104-tags.ts';
import { joinTags } from './ans104-values.ts';
import { checkDepth, KeyCount } from './limits.ts';

export { ans104Bytes, encodeAns104, type EncodeOptions } from './ans104-encode.ts';
export { DataItem } from './ans104-item.ts';

/** Reads the bytes of one item as a message, or as a binary where the item is one. @throws AoError */
export function decodeAns104(bytes: Uint8Array): Binary | Tabm {
  return decodeItem(DataItem.parse(bytes));
}

/** @throws AoError `bad-bundle`, `bad-item`, `bad-types`, `too-deep` */
export function decodeItem(item: DataItem): Binary | Tabm {
  return decode(item, { depth: 0, count: new KeyCount(), work: new BundleWork() });
}

/** Where in the whole an item is. */
interface Place {
  readonly depth: number;
  readonly count: KeyCount;
  readonly work: BundleWork;
}

function decode(item: DataItem, place: Place): Binary | Tabm {
  checkDepth(place.depth);
  place.count.add(1 + item.tags.length);
  if (item.tags.some((tag) => sameTag(tag, BINARY_TAG))) return toBinary(item.data);
  const content = readContent(item, place);
  return withCommitment(item, content);
}

interface Content {
  readonly base: Tabm;
  readonly committed: readonly string[];
}

function readContent(item: DataItem, place: Place): Content {
  const tags = joinTags(item.tags);
  const data = readData(item, textOf(tags.get('ao-data-key')) ?? 'data', place);
  const target = item.target.length ? toBase64Url(item.target) : undefined;

  const committed = new Set(byteOrder(data.keys()));
  for (const { name } of item.tags) if (!META_TAGS.has(name)) committed.add(lowerCase(name));
  if (target !== undefined) committed.add('target');
  // These do not enter a message from outside, whoever signed them (messages.md §1.3).
  for (const key of committed) if (key === 'commitments' || isPrivateKey(key)) committed.delete(key);

  const base = new Map<string, Value>();
  for (const key of committed)
    base.set(key, data.get(key) ?? (key === 'target' ? target : undefined) ?? tags.get(key)!);
  return { base: new Message(base), committed: [...committed] };
}

function readData(item: DataItem, key: string, place: Place): Map<string, Value> {
  const out = new Map<string, Value>();
  if (item.data.length === 0) return out;
  if (!isMapBundle(item.tags)) return out.set(key, toBinary(item.data));
  place.work.add(item.data.length);
  const items = readBundleMap(parseBundle(item.data), textOf(item.tag('bundle-map'))!);
  for (const [name, child] of items) out.set(name, decode(child, { ...place, depth: place.depth + 1 }));
  return out;
}

function withCommitment(item: DataItem, { base, committed }: Content): Tabm {
  const signed = item.signed;
  const lower = item.tags.every(({ name }) => lowerCase(name) === name);
  if (!signed && lower) return base;
  const commitment: Record<string, Value | undefined> = {
    'commitment-device': ANS104_DEVICE,
    committed,
    type: signed ? item.kind.name : UNSIGNED_TYPE,
    bundle: bundleFlag(item),
    'original-tags': lower ? undefined : tagsToMessage(item.tags),
    'field-target': item.target.length ? toBase64Url(item.target) : undefined,
    'field-anchor': item.anchor.length ? toBase64Url(item.anchor) : undefined,
  };
  if (signed) {
    commitment['committer'] = item.signer;
    commitment['keyid'] = item.keyid;
    commitment['signature'] = toBase64Url(item.signature);
  }
  let fields = fromRecord(commitment);
  // Beyond the reference: without these the message of a valid item would not verify.
  if (lower && withinLimits(item.tags) && !leadsTo(base, fields, item.tags))
    fields = fields.with({ 'original-tags': tagsToMessage(item.tags) });
  return base.with({ commitments: Message.from([[item.idText, fields]]) });
}

function fromRecord(record: Record<string, Value | undefined>): Message {
  return Message.from(
    Object.entries(record).filter((entry): entry is [string, Value] => entry[1] !== undefined),
  );
}
