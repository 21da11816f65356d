/**
 * Audited slots of a legacynet process as a node keeps every schedule: the assignment with its message in place, both
 * with the signatures they came with; and what compute units pass over.
 */
import { toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { DataItem } from '../codec/ans104-item.ts';
import { itemOf } from '../device/message-item.ts';
import { Message, type ValueInput } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import type { LegacyAudited } from './legacy-audit.ts';
import { messageOfItem, tagText } from './legacy-item.ts';

/** Keys that are added to an assignment; under nobody's signature. */
const ADDED_KEYS = [
  'slot',
  'body',
  'skip',
  'foreign-target',
  'shown-data',
  'process-timestamp',
  'process-height',
];

/** What is known of a process where its scheduler gave it no slot of its own. */
export interface Birth {
  /** Milliseconds. */
  readonly timestamp: number;
  readonly height: number;
}

/** The assignment with its message. What is added to it is under nobody's signature. */
export function keptAssignment(slot: LegacyAudited, skip: boolean, birth: Birth | undefined): Message {
  const body = messageOfItem(slot.message);
  const added: Record<string, ValueInput> = { slot: BigInt(slot.slot), body };
  if (skip) added.skip = 'true';
  if (slot.foreign) added['foreign-target'] = body.text('target') ?? '';
  if (slot.dataWithheld) added['shown-data'] = slot.dataWithheld;
  if (birth && slot.message.idText !== tagText(slot.assignment, 'Process')) {
    added['process-timestamp'] = BigInt(birth.timestamp);
    added['process-height'] = BigInt(birth.height);
  }
  return messageOfItem(slot.assignment).with([...Message.of(added)]);
}

/** The assignment as its scheduler signed it. @throws AoError `bad-record` (500) for what is not that any more */
export async function signedAssignment(kept: Message, context: Context): Promise<DataItem> {
  const item = await itemOf(kept.without(...ADDED_KEYS), context);
  if (item) return item;
  throw new AoError('bad-record', 'A kept assignment is no longer what was signed.', { status: 500 });
}

/**
 * Keys by which a compute unit knows a message again: of the message itself, and, where a process sent it, of its content,
 * which is the same under every signature.
 */
export function keysOf({ message }: LegacyAudited): { id: string; content: string | undefined } {
  const sent = tagText(message, 'From-Process') !== undefined;
  return {
    id: message.idText,
    content: sent ? `content ${toBase64Url(message.unsignedId)}` : undefined,
  };
}

/**
 * True for what compute units pass over: a message that was pushed before, or assigned before.
 * @param firstSlot slot under which a key was seen first, if it was
 */
export function isRepeated(slot: LegacyAudited, firstSlot: (key: string) => number | undefined): boolean {
  const { id, content } = keysOf(slot);
  const earlier = (key: string) => {
    const first = firstSlot(key);
    return first !== undefined && first < slot.slot;
  };
  return (slot.foreign && earlier(id)) || (content !== undefined && earlier(content));
}
