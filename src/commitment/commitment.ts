/** What a commitment is made of (messages.md §6.1), and how one is found on a message. */
import { compareText } from '../base/bytes.ts';
import { withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { textOf } from '../message/tabm.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import { AoError } from '../base/errors.ts';

export const HTTPSIG_DEVICE = 'httpsig@1.0';
export const RSA_TYPE = 'rsa-pss-sha512';
export const HMAC_TYPE = 'hmac-sha256';

/** Commitments by their IDs, in no order; entries that are no messages are left out. */
export function commitmentsOf(message: Message): Map<string, Message> {
  const found = new Map<string, Message>();
  const all = message.get('commitments');
  if (all instanceof Message)
    for (const [id, commitment] of all) if (commitment instanceof Message) found.set(id, commitment);
  return found;
}

/** The message without its commitments. */
export function uncommitted(message: Message): Message {
  return message.without('commitments');
}

export function deviceOf(commitment: Message): string {
  return textOf(commitment.get('commitment-device')) ?? '';
}

/** Address of who committed; undefined where nobody in particular did. */
export function committerOf(commitment: Message): string | undefined {
  return textOf(commitment.get('committer'));
}

/** True for commitments over the whole content of nested messages; false for those over their IDs. */
export function isBundled(commitment: Message): boolean {
  const bundle = commitment.get('bundle');
  return (isBinary(bundle) && textOf(bundle) === 'true') || Atom.true.is(bundle);
}

/**
 * Keys that a commitment covers, as they are listed (`+link` kept).
 * @throws AoError `bad-commitment`
 */
export function listedKeys(commitment: Message): string[] {
  return textItems(commitment.get('committed'));
}

/** Keys that a commitment covers, by the names that a reader uses. @throws AoError `bad-commitment` */
export function committedKeys(commitment: Message): string[] {
  return listedKeys(commitment).map(withoutLinkSuffix);
}

function textItems(value: Value | undefined): string[] {
  if (value === undefined) return [];
  let items: readonly (Value | undefined)[];
  if (Array.isArray(value)) items = value as readonly Value[];
  else if (value instanceof Message) {
    const keys = [...value.keys()].filter((key) => key !== 'ao-types');
    if (!keys.every((key) => /^\d{1,9}$/.test(key)))
      throw new AoError('bad-commitment', 'The list of committed keys has other keys than numbers.');
    items = keys.sort((a, b) => Number(a) - Number(b) || compareText(a, b)).map((key) => value.get(key));
  } else throw new AoError('bad-commitment', 'A commitment lacks its list of committed keys.');
  return items.map((item) => {
    const text = item === undefined ? undefined : textOf(item);
    if (text === undefined) throw new AoError('bad-commitment', 'A committed key is no text.');
    return text;
  });
}

/** A message with one more commitment, or another one under the same ID. */
export function withCommitment(message: Message, id: string, commitment: Message): Message {
  const all = message.message('commitments') ?? Message.empty;
  return message.with([['commitments', all.with([[id, commitment]])]]);
}

/** A message without the commitments for which `drop` holds; without any left, it has no `commitments`. */
export function withoutCommitments(
  message: Message,
  drop: (id: string, commitment: Message) => boolean,
): Message {
  const all = message.message('commitments');
  if (!all) return message;
  const kept = all.filter((id, commitment) => !(commitment instanceof Message && drop(id, commitment)));
  if (kept === all) return message;
  return kept.size ? message.with([['commitments', kept]]) : uncommitted(message);
}
