/**
 * TABM → data item (messages.md §8.4).
 *
 * A message without an `ans104@1.0` commitment is laid out by the rules for new items. One with such a commitment
 * is laid out as that item was, from the order of its `committed` keys or from its `original-tags`.
 */
import { fromBase64 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { isPrivateKey, linkKey, withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { type Binary, binaryBytes, equalBinary, isBinary, type Value } from '../message/value.ts';
import { type BundleMap, BundleWork, type Endian, writeBundleMap } from './ans104-bundle.ts';
import {
  ANS104_DEVICE,
  BINARY_TAG,
  BUNDLE_TAGS,
  committedKeys,
  META_TAGS,
  messageToTags,
  sameTag,
  sameTags,
  UNSIGNED_TYPE,
} from './ans104-fields.ts';
import { DataItem, RSA_TYPE, SIGNATURE_KINDS } from './ans104-item.ts';
import { joinTags } from './ans104-values.ts';
import { longer, lowerCase, MAX_NAME_BYTES, MAX_TAGS, MAX_VALUE_BYTES, type Tag } from './ans104-tags.ts';
import { checkDepth } from './limits.ts';

export interface EncodeOptions {
  /** Byte order of the numbers in bundles. Default `big`, as HyperBEAM of 2025 has it (messages.md §15). */
  readonly endian?: Endian;
}

/**
 * Nested messages become a bundle, so link them before where only their IDs shall be in the item.
 * @throws AoError `too-many-keys`, `missing-committed-key`, `multiple-commitments`, `bad-item`, `bad-commitment`, `bad-value`, `too-deep`
 */
export function encodeAns104(value: Binary | Tabm, options: EncodeOptions = {}): DataItem {
  return encode(value, { endian: options.endian ?? 'big', depth: 0, work: new BundleWork() });
}

/** Where in the whole an item is. */
interface Place {
  readonly endian: Endian;
  readonly depth: number;
  readonly work: BundleWork;
}

function encode(value: Binary | Tabm, place: Place): DataItem {
  checkDepth(place.depth);
  if (isBinary(value)) return DataItem.create({ tags: [BINARY_TAG], data: binaryBytes(value) });
  const commitment = findCommitment(value);
  const content = { tabm: value, commitment, place };
  const original = commitment?.get('original-tags');
  const laidOut = original === undefined ? layOut(content) : restore(content, messageToTags(original));
  return DataItem.create({ ...laidOut, ...fields(value, commitment) });
}

interface Content {
  readonly tabm: Tabm;
  readonly commitment: Message | undefined;
  readonly place: Place;
}

interface LaidOut {
  readonly tags: readonly Tag[];
  readonly data: Uint8Array;
}

/** The one ANS-104 commitment, a signed one before an unsigned one. @throws AoError `multiple-commitments` */
function findCommitment(tabm: Tabm): Message | undefined {
  const all = [...(tabm.message('commitments') ?? [])]
    .map(([, value]) => value)
    .filter((value) => value instanceof Message)
    .filter((commitment) => commitment.text('commitment-device') === ANS104_DEVICE);
  const signed = all.filter((commitment) => commitment.text('type') !== UNSIGNED_TYPE);
  const found = signed.length ? signed : all;
  if (found.length > 1)
    throw new AoError(
      'multiple-commitments',
      'A message with several ANS-104 signatures is no one data item.',
    );
  return found[0];
}

function fields(tabm: Tabm, commitment: Message | undefined) {
  if (!commitment) {
    const target = targetOf(tabm);
    return target ? { target } : {};
  }
  const type = commitment.text('type');
  const number = Object.keys(SIGNATURE_KINDS).find((key) => SIGNATURE_KINDS[Number(key)]!.name === type);
  if (!number && type !== UNSIGNED_TYPE)
    throw new AoError('bad-commitment', `There are no data items of type ${JSON.stringify(type)}.`);
  const keyid = commitment.text('keyid');
  const part = (key: string) => {
    const text = commitment.text(key);
    return text === undefined ? {} : { [key.replace('field-', '')]: fromBase64(text) };
  };
  return {
    signatureType: number ? Number(number) : RSA_TYPE,
    ...(keyid === undefined ? {} : { owner: fromBase64(keyid.slice(keyid.indexOf(':') + 1)) }),
    ...(type === UNSIGNED_TYPE ? {} : part('signature')),
    ...part('field-target'),
    ...part('field-anchor'),
  };
}

/** The target field of an uncommitted message: its `target`, where that is as long as an ID (messages.md §8.4, 1). */
function targetOf(tabm: Tabm): Uint8Array | undefined {
  const text = textOf(tabm.get('target'));
  if (text === undefined) return undefined;
  try {
    const bytes = fromBase64(text);
    return [32, 42, 43].includes(bytes.length) ? bytes : undefined;
  } catch {
    return undefined;
  }
}

const NOT_NESTED = new Set(['commitments', 'data', 'target']);

/** What goes where, by the rules for new items. */
interface Plan {
  readonly dataKey: string;
  /** Keys whose values become items of a bundle. */
  readonly nested: ReadonlySet<string>;
  /** Without those of a bundle. */
  readonly tags: readonly Tag[];
}

function plan(tabm: Tabm, commitment: Message | undefined): Plan {
  const dataKey = dataKeyOf(tabm);
  const nested = new Set<string>();
  let plain = 0;
  for (const [key, value] of tabm) {
    if (NOT_NESTED.has(key) || isPrivateKey(key)) continue;
    if (value instanceof Message || longer(binary(value), MAX_VALUE_BYTES) || longer(key, MAX_NAME_BYTES))
      nested.add(key);
    else plain++;
  }
  if (plain > MAX_TAGS)
    throw new AoError('too-many-keys', `A data item has no place for more than ${MAX_TAGS} keys.`);

  const value = tabm.get(dataKey) ?? '';
  const isEmpty = isBinary(value) && value.length === 0;
  if (!isEmpty && (nested.size > 0 || !isBinary(value))) nested.add(dataKey);

  const hasTarget = commitment ? commitment.has('field-target') : targetOf(tabm) !== undefined;
  const keys = commitment ? presentKeys(tabm, committedKeys(commitment)) : plainKeys(tabm);
  const tags: Tag[] = dataKey === 'data' ? [] : [{ name: 'ao-data-key', value: dataKey }];
  for (const key of keys) {
    if (key === dataKey || nested.has(key) || (key === 'target' && hasTarget)) continue;
    tags.push({ name: key, value: present(tabm, key) });
  }
  return { dataKey, nested, tags };
}

function layOut(content: Content): LaidOut {
  const { tabm, commitment } = content;
  const { dataKey, nested, tags } = plan(tabm, commitment);
  if (nested.size === 0) return { tags, data: binaryBytes(binary(tabm.get(dataKey) ?? '')) };
  const items = new Map([...nested].map((key) => [key, encodeChild(tabm.get(key)!, content)]));
  const bundle = bundleOf(items, content.place);
  return { tags: bundleTags(tags, bundle.manifest), data: bundle.data };
}

function bundleOf(items: ReadonlyMap<string, DataItem>, { endian, work }: Place): BundleMap {
  const bundle = writeBundleMap(items, endian);
  work.add(bundle.data.length);
  return bundle;
}

function bundleTags(tags: readonly Tag[], manifest: Binary): Tag[] {
  return [...BUNDLE_TAGS, ...tags, { name: 'bundle-map', value: manifest }];
}

/** True if the rules for new items lead from this message to these tags, so that they need not be kept beside it. */
export function leadsTo(tabm: Tabm, commitment: Message, tags: readonly Tag[]): boolean {
  try {
    const found = plan(tabm, commitment);
    const manifest = tags.findLast(({ name }) => name === 'bundle-map')?.value;
    if (found.nested.size === 0) return sameTags(found.tags, tags);
    return manifest !== undefined && sameTags(bundleTags(found.tags, manifest), tags);
  } catch (thrown) {
    // More keys than a new item could have, or a key that no message can hold.
    if (thrown instanceof AoError) return false;
    throw thrown;
  }
}

function encodeChild(value: Value, content: Content): DataItem {
  if (!isBinary(value) && !(value instanceof Message)) binary(value);
  return encode(value as Binary | Tabm, { ...content.place, depth: content.place.depth + 1 });
}

/** `ao-data-key`, else `body` where there is no `data`, else `data` (messages.md §8.4, 2). */
function dataKeyOf(tabm: Tabm): string {
  const explicit = textOf(tabm.get('ao-data-key'));
  if (explicit !== undefined) return explicit;
  const data = tabm.get('data');
  const noData = data === undefined || (isBinary(data) && data.length === 0);
  return noData && tabm.has('body') ? 'body' : 'data';
}

function plainKeys(tabm: Tabm): string[] {
  return byteOrder([...tabm.keys()].filter((key) => key !== 'commitments' && !isPrivateKey(key)));
}

/** Committed keys as they stand in the message: with or without `+link`. */
function presentKeys(tabm: Tabm, committed: readonly string[]): string[] {
  return committed.map((key) => {
    const base = withoutLinkSuffix(key);
    return !tabm.has(base) && tabm.has(linkKey(base)) ? linkKey(base) : base;
  });
}

function present(tabm: Tabm, key: string): Binary {
  const value = tabm.get(key);
  if (value === undefined) throw missing(key);
  return binary(value);
}

function missing(key: string): AoError {
  const message = `The message lacks its committed key ${JSON.stringify(key)}.`;
  return new AoError('missing-committed-key', message, { detail: { key } });
}

function binary(value: Value): Binary {
  if (isBinary(value)) return value;
  throw new AoError('bad-value', 'A value of this type cannot be in a data item.');
}

/** As the item was whose tags these are. */
function restore(content: Content, tags: readonly Tag[]): LaidOut {
  const { tabm, commitment } = content;
  const values = joinTags(tags);
  const shown = new Set(tags.filter(({ name }) => !META_TAGS.has(name)).map(({ name }) => lowerCase(name)));
  if (isMapBundle(tags)) {
    const nested = new Map<string, DataItem>();
    for (const committed of committedKeys(commitment!)) {
      const key = withoutLinkSuffix(committed);
      if (shown.has(key) || shown.has(linkKey(key))) continue;
      if (key === 'target' && commitment!.has('field-target')) continue;
      const value = tabm.get(key);
      if (value === undefined) throw missing(key);
      nested.set(key, encodeChild(value, content));
    }
    // A bundle of nothing was no bundle: its data was not in the item.
    return { tags, data: nested.size ? bundleOf(nested, content.place).data : new Uint8Array(0) };
  }
  const dataKey = textOf(values.get('ao-data-key')) ?? 'data';
  const value = tabm.get(dataKey);
  const isShown = shown.has(dataKey);
  // Data hides a tag of the same name. Where the reader sees the tag's value, there was no data.
  const isTag = isShown && isBinary(value) && equalBinary(value, values.get(dataKey)!);
  const isTarget = dataKey === 'target' && commitment!.has('field-target') && !isShown;
  if (value === undefined || isTag || isTarget) return { tags, data: new Uint8Array(0) };
  return { tags, data: binaryBytes(binary(value)) };
}

/** True if the tags, by their exact names, announce a bundle with a manifest (messages.md §8.3). */
export function isMapBundle(tags: readonly Tag[]): boolean {
  return (
    BUNDLE_TAGS.every((wanted) => tags.some((tag) => sameTag(tag, wanted))) &&
    tags.some(({ name }) => name === 'bundle-map')
  );
}

/** The bytes of a message as a data item. */
export function ans104Bytes(value: Binary | Tabm, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  return encodeAns104(value, options).toBytes();
}
