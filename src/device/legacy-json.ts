/**
 * The texts that a legacynet compute unit hands to a module (process.md §6.2), byte for byte: they end up in its
 * memory. Written by JavaScript's own JSON, as the unit's are.
 */
import { Message } from '../message/message.ts';
import { isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { messageStruct } from './json-struct.ts';
import { itemOf, itemSignature } from './message-item.ts';
import { signedId } from './message-id.ts';
import { integerOf, itemsOf, textOf } from './values.ts';

interface Tag {
  readonly name: string;
  readonly value: string;
}

/** A struct of `json-iface@1.0` as plain data. */
interface Struct {
  readonly id: string;
  readonly owner: string;
  readonly from: string;
  readonly target: string;
  readonly anchor: string;
  readonly data: string;
  readonly signature: string;
  readonly tags: readonly Tag[];
}

/** `whole`: with everything that was signed, where `message` lacks some of it. */
async function structOf(message: Message, context: Context, whole = message): Promise<Struct> {
  const struct = await messageStruct(message, context, { signature: true });
  const text = (key: string) => plainText(struct.get(key));
  const tags =
    (await lowerCaseTags(whole, context)) ?? (struct.get('Tags') as readonly Value[]).flatMap(plainTag);
  return {
    id: text('Id'),
    owner: text('Owner'),
    from: text('From'),
    target: text('Target'),
    anchor: text('Anchor'),
    data: text('Data'),
    signature: text('Signature'),
    tags,
  };
}

/**
 * Tags of an item all of whose names are in lower case, as they were sent: a struct shows them in header case.
 * Undefined for what is no such item.
 */
async function lowerCaseTags(message: Message, context: Context): Promise<Tag[] | undefined> {
  const signature = itemSignature(message);
  if (!signature || signature.commitment.has('original-tags')) return undefined;
  const item = await itemOf(message, context);
  return item?.tags.map(({ name, value }) => ({ name: plainText(name), value: plainText(value) }));
}

/** Octets that are not UTF-8 become U+FFFD, as they do where JavaScript reads them. */
function plainText(value: Value | undefined): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return isBinary(value) ? value.toWellFormed() : (textOf(value) ?? '');
}

/** When and where an evaluation happens, as the program is told. What is undefined is left out. */
export interface Moment {
  readonly epoch: number | undefined;
  readonly nonce: number | undefined;
  readonly timestamp: number;
  readonly blockHeight: number;
  readonly hashChain: string | undefined;
  /** Of a message that was made for somebody else; else it is the process. */
  readonly target?: string;
  /** Data that a compute unit does not have: left out, or `null`. */
  readonly data?: 'absent' | 'null';
}

export function momentOf(assignment: Message): Moment {
  const number = (key: string) => integerOf(assignment.get(key)) ?? 0;
  const target = textOf(assignment.get('foreign-target'));
  const data = textOf(assignment.get('shown-data'));
  return {
    epoch: number('epoch'),
    nonce: integerOf(assignment.get('nonce')) ?? number('slot'),
    timestamp: number('timestamp'),
    blockHeight: number('block-height'),
    hashChain: textOf(assignment.get('hash-chain')) ?? '',
    ...(target === undefined ? {} : { target }),
    ...(data === 'absent' || data === 'null' ? { data } : {}),
  };
}

/** The moment of a process message that its scheduler gave no slot: it is evaluated before the first (process.md §6.1). */
export function momentOfBirth(first: Message): Moment {
  return {
    epoch: undefined,
    nonce: undefined,
    timestamp: integerOf(first.get('process-timestamp')) ?? 0,
    blockHeight: integerOf(first.get('process-height')) ?? 0,
    hashChain: undefined,
  };
}

/** The message text of an assignment's body. `undefined` members are left out, as by `JSON.stringify`. */
export async function legacyMessageJson(
  body: Message,
  process: string,
  moment: Moment,
  context: Context,
  readOnly = false,
): Promise<string> {
  const { id, signature, data, owner, anchor, from, tags } = await structOf(body, context);
  const forwarded = tags.some(({ name }) => name === 'From-Process') || body.has('from-process');
  return JSON.stringify({
    Id: id,
    Signature: signature || undefined,
    Data: moment.data === 'null' ? null : moment.data === 'absent' ? undefined : data,
    Owner: owner,
    Target: moment.target ?? process,
    Anchor: anchor || undefined,
    From: from,
    'Forwarded-By': forwarded ? owner : undefined,
    Tags: tags.filter(({ name }) => name !== 'From' && name !== 'Owner'),
    Epoch: moment.epoch,
    Nonce: moment.nonce,
    Timestamp: moment.timestamp,
    'Block-Height': moment.blockHeight,
    'Hash-Chain': moment.hashChain,
    Cron: false,
    'Read-Only': readOnly,
  });
}

function plainTag(tag: Value): Tag[] {
  if (!(tag instanceof Message)) return [];
  return [{ name: plainText(tag.get('name')), value: plainText(tag.get('value')) }];
}

const environments = new WeakMap<Message, string>();

/** The environment text of a process, made once for each definition. */
export async function legacyEnvironmentJson(
  process: Message,
  module: Message | undefined,
  context: Context,
): Promise<string> {
  let text = environments.get(process);
  if (text === undefined) {
    const part = async (message: Message | undefined, id: string) => {
      if (!message) return { Id: id, Owner: '', Tags: [] };
      const { owner, tags } = await structOf(message.without('data', 'body'), context, message);
      // A transaction of Arweave itself has no commitment that says these.
      const original = owner ? undefined : itemsOf(message.get('original-tags'));
      if (!original) return { Id: id, Owner: owner, Tags: tags };
      return { Id: id, Owner: textOf(message.get('owner')) ?? '', Tags: original.flatMap(plainTag) };
    };
    const moduleId = textOf(process.get('module')) ?? textOf(process.get('Module')) ?? '';
    text = JSON.stringify({
      Process: await part(process, await signedId(process, context)),
      Module: await part(module, moduleId),
    });
    environments.set(process, text);
  }
  return text;
}
