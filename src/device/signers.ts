/**
 * Who asks (resolver.md §8): addresses whose signatures hold. A committer that only stands in a message is nobody.
 */
import { committers } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { Message } from '../message/message.ts';
import type { Link } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { SIGNERS } from '../resolver/request-marks.ts';
import { readKey, textOf } from './values.ts';

export { withSigners } from '../resolver/request-marks.ts';

/**
 * Addresses that signed this message or, for a step of a request, the request it was made of; none if any
 * signature is false.
 */
export async function signersOf(message: Message, context: Context): Promise<readonly string[]> {
  const known = message.private[SIGNERS];
  if (Array.isArray(known)) return known as readonly string[];
  if (!message.has('commitments')) return [];
  const load = (link: Link) => context.cache.load(link);
  return (await verifyMessage(message, undefined, { load })) ? [...new Set(committers(message))] : [];
}

/** A hook's `request`, else the request itself. */
export async function requestIn(request: Message, context: Context): Promise<Message> {
  const inner = await readKey(request, 'request', context);
  return inner instanceof Message ? inner : request;
}

/** The node's operator: the option, else the node's own address. */
export function operatorOf(context: Context): string {
  return textOf(context.option('operator')) ?? context.identity.address;
}

/** True if the operator signed the request (an unclaimed node has none: nobody is). */
export async function isOperator(request: Message, context: Context): Promise<boolean> {
  return (await signersOf(request, context)).includes(operatorOf(context));
}
