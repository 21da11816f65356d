/**
 * Who asks (resolver.md §8): addresses whose signatures hold. A committer that only stands in a message is nobody.
 */
import { committedKeys, commitmentsOf } from '../commitment/commitment.ts';
import { committers } from '../commitment/select.ts';
import { verifyMessage } from '../commitment/verify.ts';
import { equalValues } from '../message/equal.ts';
import { Message } from '../message/message.ts';
import { As, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { readKey, textOf } from './values.ts';

/** Private key under which the HTTP face and its like keep whose valid request a step belongs to. */
const SIGNERS = 'signers';

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

/** Marks a request as verified: `sequence` elements that still carry what was signed know who signed it. */
export function markSigners(sequence: readonly Value[], request: Message, signers: readonly string[]): Value[] {
  const signed = new Set([...commitmentsOf(request).values()].flatMap(committedKeys));
  signed.delete('path');
  const mark = (element: Value): Value => {
    if (element instanceof As) return new As(element.device, mark(element.message));
    if (!(element instanceof Message)) return element;
    const same = [...signed].every((key) => {
      const before = request.get(key);
      const now = element.get(key);
      return before === undefined ? now === undefined : now !== undefined && equalValues(before, now);
    });
    return element.withPrivate({ [SIGNERS]: same ? signers : [] });
  };
  return sequence.map(mark);
}

/** The message with the signers of its request, for whoever hands a request on. */
export function withSigners(message: Message, signers: readonly string[]): Message {
  return message.withPrivate({ [SIGNERS]: signers });
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
