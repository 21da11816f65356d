/** IDs and signatures of messages as devices need them: links are followed before. */
import { commitmentsOf, committerOf } from '../commitment/commitment.ts';
import { messageId } from '../commitment/id.ts';
import type { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { textOf } from './values.ts';

/** A commitment that names who made it. */
export interface Signature {
  readonly id: string;
  readonly committer: string;
  readonly commitment: Message;
}

/** Commitments with a committer, in the reference's order of their IDs. */
export function signaturesOf(message: Message): Signature[] {
  const all = commitmentsOf(message);
  return keysOrder(all.keys()).flatMap((id) => {
    const commitment = all.get(id)!;
    const committer = committerOf(commitment);
    return committer === undefined ? [] : [{ id, committer, commitment }];
  });
}

/** The ID over all signed commitments; without any, the unsigned one. */
export async function signedId(value: Value, context: Context): Promise<string> {
  return messageId(value instanceof Link ? await context.cache.load(value) : value, 'signed');
}

/** The ID without committers: that of an unsigned commitment which is there, else computed. */
export async function unsignedId(value: Value, context: Context): Promise<string> {
  return messageId(value instanceof Link ? await context.cache.load(value) : value, 'unsigned');
}

/** True for the ID of a process, message or module in text form. */
export function isIdText(value: Value | undefined): value is string {
  const text = textOf(value);
  return text !== undefined && /^[A-Za-z0-9_-]{43}$/.test(text);
}
