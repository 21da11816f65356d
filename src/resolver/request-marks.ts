/**
 * What the steps of a request know of it, in private data: who signed it, and which keys only the transport added.
 * A step that no longer carries what was signed (a query that overrides a signed key, say) knows no signer.
 */
import { committedKeys, commitmentsOf } from '../commitment/commitment.ts';
import { equalValues } from '../message/equal.ts';
import { Message } from '../message/message.ts';
import { As, type Value } from '../message/value.ts';

/** Private key: addresses whose signatures on the request were verified. */
export const SIGNERS = 'signers';

/** Hands the request's marks on to the elements that were parsed from it. */
export function markRequest(sequence: readonly Value[], request: Message): Value[] {
  const signers = request.private[SIGNERS] as readonly string[] | undefined;
  const transport = request.private['transport'];
  if (signers === undefined && transport === undefined) return [...sequence];
  const signed = new Set([...commitmentsOf(request).values()].flatMap(committedKeys));
  signed.delete('path');
  const mark = (element: Value): Value => {
    if (element instanceof As) return new As(element.device, mark(element.message));
    if (!(element instanceof Message)) return element;
    const same = [...signed].every((key) => sameKey(request, element, key));
    return element.withPrivate({ [SIGNERS]: same ? (signers ?? []) : [], transport });
  };
  return sequence.map(mark);
}

function sameKey(request: Message, element: Message, key: string): boolean {
  const before = request.get(key);
  const now = element.get(key);
  return before === undefined ? now === undefined : now !== undefined && equalValues(before, now);
}

/** The message as one that `signers` asked, for whoever hands a request on. */
export function withSigners(message: Message, signers: readonly string[]): Message {
  return message.withPrivate({ [SIGNERS]: signers });
}

/** Private key of an answer: the ID of the message that it came of. */
const ABOUT = 'about-message';

/** The answer with the ID of the message that was sent, for a client that did not make that ID itself. */
export function aboutMessage(answer: Message, id: string): Message {
  return answer.withPrivate({ [ABOUT]: id });
}

export function messageAnswered(answer: Message): string | undefined {
  return answer.private[ABOUT] as string | undefined;
}
