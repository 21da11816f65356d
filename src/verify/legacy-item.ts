/**
 * Data items from the JSON in which legacynet's units and gateways show them (process.md §5.1, §5.4): put together
 * again and checked, since the JSON itself proves nothing. What is not signed by whom it names is refused.
 */
import { fromBase64, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { DataItem, SIGNATURE_KINDS } from '../codec/ans104-item.ts';
import { decodeItem } from '../codec/ans104.ts';
import type { Tag } from '../codec/ans104-tags.ts';
import { decodeStructured } from '../codec/structured.ts';
import { verifyItem } from '../commitment/ans104-verify.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';

/** Largest data of one message, in bytes: what units take. */
export const MAX_MESSAGE_DATA = 16 * 1024 * 1024;
const MAX_TAGS = 128;

/** An item as a unit or a gateway shows it, its members not looked at yet. */
export interface ShownItem {
  readonly id?: unknown;
  readonly owner?: { readonly address?: unknown; readonly key?: unknown } | null;
  readonly data?: unknown;
  readonly tags?: unknown;
  readonly signature?: unknown;
  readonly anchor?: unknown;
  /** Scheduler units say `target`, gateways `recipient`. */
  readonly target?: unknown;
}

export interface ItemOptions {
  /** Its data, where the JSON does not carry it. */
  readonly data?: Uint8Array;
  /** What it is called in a refusal: `message of slot 3`. */
  readonly what: string;
  /** The ID that was asked for. */
  readonly id?: string;
  /** Largest data in bytes (default `MAX_MESSAGE_DATA`). */
  readonly limit?: number;
}

/** True where the data has to be had from elsewhere: it is no text, or some of it was lost in becoming text. */
export function lacksData(shown: ShownItem): boolean {
  return typeof shown.data !== 'string' || shown.data.includes('\ufffd');
}

/**
 * The item that the JSON shows, its ID and its signature checked.
 * @throws AoError `item-form`, `item-too-large`, `item-id`, `item-signature` (422)
 */
export async function itemFrom(shown: ShownItem, options: ItemOptions): Promise<DataItem> {
  const { what, limit = MAX_MESSAGE_DATA } = options;
  const refuse = (code: string, sentence: string): never => {
    throw new AoError(code, `The ${what} ${sentence}`, { status: 422, detail: { id: String(shown.id) } });
  };
  if (typeof shown !== 'object' || shown === null) return refuse('item-form', 'is no item.');
  const data = options.data ?? (typeof shown.data === 'string' ? toBytes(shown.data) : new Uint8Array(0));
  if (data.length > limit) return refuse('item-too-large', `holds more than ${limit} bytes of data.`);
  const signature = octets(shown.signature);
  const owner = octets(shown.owner?.key);
  if (!signature?.length || !owner?.length) return refuse('item-form', 'comes without signature or key.');
  if (typeof shown.id !== 'string' || toBase64Url(sha256(signature)) !== shown.id)
    return refuse('item-id', 'has another ID than that of its signature.');
  if (options.id !== undefined && options.id !== shown.id)
    return refuse('item-id', `is ${shown.id}, not the one that was asked for.`);
  const tags = tagList(shown.tags) ?? refuse('item-form', 'has tags that are none.');
  const target = idOctets(shown.target) ?? refuse('item-form', 'has a target that is no ID.');
  for (const signatureType of typesOf(signature.length, owner.length))
    for (const anchor of anchorsOf(shown.anchor)) {
      let item: DataItem;
      try {
        item = DataItem.create({ signatureType, signature, owner, target, anchor, tags, data });
      } catch (thrown) {
        return refuse('item-form', `cannot be an item: ${AoError.wrap(thrown).message}`);
      }
      if (await verifyItem(item)) return item;
    }
  return refuse('item-signature', 'is not what its signature covers.');
}

/** The message that an item is, with its commitment. @throws AoError `item-form` (422) */
export function messageOfItem(item: DataItem): Message {
  const message = decodeStructured(decodeItem(item));
  if (message instanceof Message) return message;
  throw new AoError('item-form', 'The item is a binary, not a message.', { status: 422 });
}

/** Text of the first tag of this name. */
export function tagText(item: DataItem, name: string): string | undefined {
  const value = item.tag(name);
  return typeof value === 'string' ? value : undefined;
}

function octets(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'string' || value.length > 16_384) return undefined;
  try {
    return fromBase64(value);
  } catch {
    return undefined;
  }
}

/** Of a target: 32 octets, or none for what is empty or absent. */
function idOctets(value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null || value === '') return new Uint8Array(0);
  const found = octets(value);
  return found?.length === 32 ? found : undefined;
}

function tagList(value: unknown): Tag[] | undefined {
  if (!Array.isArray(value) || value.length > MAX_TAGS) return undefined;
  const out: Tag[] = [];
  for (const tag of value as readonly { name?: unknown; value?: unknown }[]) {
    if (typeof tag?.name !== 'string' || typeof tag.value !== 'string') return undefined;
    out.push({ name: tag.name, value: tag.value });
  }
  return out;
}

/** Signature types whose signatures and keys have these lengths. */
function typesOf(signature: number, owner: number): number[] {
  return Object.entries(SIGNATURE_KINDS)
    .filter(([, kind]) => kind.signature === signature && kind.owner === owner)
    .map(([type]) => Number(type));
}

/** Anchors are shown as text, as text in base64url, or as octets in base64url: only the signature tells which. */
function anchorsOf(value: unknown): Uint8Array[] {
  if (typeof value !== 'string' || value === '') return [new Uint8Array(0)];
  const all = [toBytes(value), octets(value)].filter((bytes) => bytes?.length === 32) as Uint8Array[];
  return all.length ? all : [new Uint8Array(0)];
}
