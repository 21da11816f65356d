/** Data items as legacynet's units take and show them. */
import { toBase64Url, utf8 } from '../../base/bytes.ts';
import { DataItem } from '../../codec/ans104-item.ts';
import type { Tag } from '../../codec/ans104-tags.ts';
import { createItem, rsaSigner } from '../../commitment/ans104-sign.ts';
import { messageStruct } from '../../device/json-struct.ts';
import { itemOf } from '../../device/message-item.ts';
import { signaturesOf } from '../../device/message-id.ts';
import { takenWrite } from '../../device/query-graphql.ts';
import { textOf } from '../../device/values.ts';
import type { Message } from '../../message/message.ts';
import { binaryBytes, isBinary } from '../../message/value.ts';
import type { Context } from '../../resolver/context.ts';
import { decodeItem } from '../http/item.ts';

export interface NamedTag {
  readonly name: string;
  readonly value: string;
}

/** An item in the JSON of units. `key` and `signature` are base64url. */
export interface ItemJson {
  readonly id: string;
  readonly owner: { readonly address: string; readonly key: string };
  readonly data: string | null;
  readonly tags: readonly NamedTag[];
  readonly signature: string;
  readonly anchor: string;
  readonly target: string;
}

/** An item that was verified and is stored, and the message that it is. */
export interface Taken {
  readonly item: DataItem;
  readonly message: Message;
  readonly id: string;
}

/** Takes an item from a body. @throws AoError `bad-item`, `bad-signature` (400) */
export async function takeItem(body: Uint8Array, context: Context): Promise<Taken> {
  const item = DataItem.parse(body);
  const { message } = await decodeItem(body);
  const root = await context.cache.write(message);
  await context.store.write([takenWrite(root, context)]);
  return { item, message, id: item.idText };
}

/** A new item of this node, stored. `anchor`: 32 characters, or it is left out. */
export async function makeItem(
  content: { data?: string | Uint8Array; tags: readonly NamedTag[]; target?: string; anchor?: string },
  context: Context,
): Promise<Taken> {
  const anchor = content.anchor === undefined ? undefined : new TextEncoder().encode(content.anchor);
  const item = await createItem(
    {
      data: content.data ?? '',
      tags: content.tags,
      ...(content.target === undefined ? {} : { target: content.target }),
      ...(anchor?.length === 32 ? { anchor } : {}),
    },
    rsaSigner(context.identity),
  );
  return takeItem(item.toBytes(), context);
}

function tagText(value: Tag['value']): string {
  return typeof value === 'string' ? value : new TextDecoder().decode(binaryBytes(value));
}

/** Tags of an item as text. */
export function tagsOf(item: DataItem): NamedTag[] {
  return item.tags.map(({ name, value }) => ({ name: tagText(name), value: tagText(value) }));
}

/** 32 octets that are text are written as that text, as clients made them; others in base64url. */
function anchorText(anchor: Uint8Array): string {
  const text = utf8(anchor);
  return text !== undefined && /^[\x20-\x7e]*$/.test(text) ? text : toBase64Url(anchor);
}

export function itemJson(item: DataItem, withData = true): ItemJson {
  return {
    id: item.idText,
    owner: { address: item.signer, key: toBase64Url(item.owner) },
    data: withData ? (utf8(item.data) ?? null) : null,
    tags: tagsOf(item),
    signature: toBase64Url(item.signature),
    anchor: anchorText(item.anchor),
    target: item.target.length ? toBase64Url(item.target) : '',
  };
}

/**
 * A message in the JSON of units. One that was signed over HTTP has no item: it is shown by its keys, with the
 * signature that it has, which is none over an item.
 */
export async function messageJson(message: Message, context: Context): Promise<ItemJson> {
  const item = await itemOf(message, context);
  if (item) return itemJson(item);
  const struct = await messageStruct(message, context, { signature: true });
  const text = (key: string) => {
    const value = struct.get(key);
    return isBinary(value) ? new TextDecoder().decode(binaryBytes(value)) : (textOf(value) ?? '');
  };
  const key = signaturesOf(message)[0]?.commitment.text('keyid') ?? '';
  return {
    id: text('Id'),
    owner: { address: text('Owner'), key: key.replace(/^publickey:/, '') },
    data: text('Data'),
    tags: ((struct.get('Tags') ?? []) as readonly Message[]).map((tag) => ({
      name: tag.text('name') ?? '',
      value: tag.text('value') ?? '',
    })),
    signature: text('Signature'),
    anchor: text('Anchor'),
    target: text('Target'),
  };
}
