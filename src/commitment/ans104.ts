/**
 * Commitments of `ans104@1.0`: the signature of a data item, seen from the message that the item is
 * (messages.md §8.5, §8.6).
 */
import { toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { decodeItem } from '../codec/ans104.ts';
import type { Endian } from '../codec/ans104-bundle.ts';
import { encodeAns104 } from '../codec/ans104-encode.ts';
import { ANS104_DEVICE, bundleFlag, UNSIGNED_TYPE } from '../codec/ans104-fields.ts';
import { type DataItem, RSA_TYPE, SIGNATURE_KINDS } from '../codec/ans104-item.ts';
import { decodeStructured, decodeStructuredMessage, encodeStructuredMessage } from '../codec/structured.ts';
import { equalValues } from '../message/equal.ts';
import { isLinkKey, isPrivateKey, linkKey, withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { isBinary, Link, type Value } from '../message/value.ts';
import { commitAns104, rsaSigner } from './ans104-sign.ts';
import { verifyItem } from './ans104-verify.ts';
import {
  type CommitmentDevice,
  type CommitOptions,
  type CommitRequest,
  invalid,
  VALID,
  type Verdict,
  type VerifyOptions,
} from './commitment-device.ts';
import { isBundled, listedKeys, uncommitted } from './commitment.ts';
import { linkify, type Load, loadLinks } from './link.ts';

const RSA_KIND = SIGNATURE_KINDS[RSA_TYPE]!.name;

/** The message as TABM, nested messages in place or as links; made when asked for. */
interface Forms {
  readonly linked: () => Promise<Tabm>;
  /** Without these keys. */
  readonly bundled: (omitted?: readonly string[]) => Promise<Tabm>;
}

function formsOf(message: Message, load: Load | undefined): Forms {
  const bare = uncommitted(message);
  return {
    linked: async () => encodeStructuredMessage(linkify(bare)),
    bundled: async (omitted = []) => encodeStructuredMessage(await loadLinks(bare.without(...omitted), load)),
  };
}

/**
 * Valid if the commitment is of the item that the message is, stands under that item's ID, names its signer, and
 * every value that it commits to is the one that was signed: not the tags alone that it keeps, the keys that a reader sees.
 */
async function verify(
  message: Message,
  id: string,
  commitment: Message,
  options: VerifyOptions,
): Promise<Verdict> {
  const committed = listedKeys(commitment);
  const unproven = isBundled(commitment)
    ? committed.find((key) => isLinkKey(key) && !isLinked(message, key))
    : undefined;
  if (unproven !== undefined)
    return invalid('bad-commitment', `Nothing says that ${unproven} leads to what stands there.`);
  const tabm = await committedForm(formsOf(message, options.load), commitment, committed);
  const missing = committed.find((key) => !has(tabm, withoutLinkSuffix(key)));
  if (missing !== undefined)
    return invalid('missing-committed-key', `The committed key ${missing} is missing.`);
  let verdict: Verdict = VALID;
  // A bundle of another make may have its numbers in the byte order of the standard.
  for (const endian of isBundled(commitment) ? (['big', 'little'] as const) : (['big'] as const)) {
    const item = rebuild(tabm, id, commitment, endian);
    verdict = await verifyRebuilt(item, id, commitment);
    if (verdict.valid) return showsWhatWasSigned(item, tabm, committed);
  }
  return verdict;
}

/** A bundle that has a link as well: the link has to stand as it was signed, for what it leads to is not checked. */
function isLinked(message: Message, key: string): boolean {
  return message.get(withoutLinkSuffix(key)) instanceof Link;
}

function has(tabm: Tabm, key: string): boolean {
  return tabm.has(key) || tabm.has(linkKey(key));
}

/** Each committed key in the form in which it was committed: as a link, or in place. */
async function committedForm(forms: Forms, commitment: Message, committed: readonly string[]): Promise<Tabm> {
  if (!isBundled(commitment)) return forms.linked();
  const links = committed.filter((key) => isLinkKey(key));
  // What was committed as a link is not followed: it need not be here.
  const bundled = await forms.bundled(links.map(withoutLinkSuffix));
  if (links.length === 0) return bundled;
  const linked = await forms.linked();
  const fields = new Map(bundled.entries());
  for (const key of links) {
    const link = linked.get(key);
    if (link !== undefined) fields.set(key, link);
  }
  return new Message(fields);
}

/** Uncommitted keys were not in the item. @throws AoError */
function rebuild(tabm: Tabm, id: string, commitment: Message, endian: Endian): DataItem {
  const kept = new Set(listedKeys(commitment).map(withoutLinkSuffix));
  const content = tabm.filter((key) => kept.has(withoutLinkSuffix(key)));
  return encodeAns104(content.with({ commitments: Message.from([[id, commitment]]) }), { endian });
}

async function verifyRebuilt(item: DataItem, id: string, commitment: Message): Promise<Verdict> {
  // How nested messages are judged rests on it.
  if (textOf(commitment.get('bundle')) !== bundleFlag(item))
    return invalid(
      'wrong-bundle',
      'The commitment says of its item that it is a bundle, or is none, and is wrong.',
    );
  if (textOf(commitment.get('type')) === UNSIGNED_TYPE) {
    if (commitment.has('committer') || item.signed)
      return invalid('wrong-committer', 'An unsigned commitment names a signer.');
    return toBase64Url(item.unsignedId) === id ? VALID : WRONG_ID;
  }
  if (!item.signed || toBase64Url(item.id) !== id) return WRONG_ID;
  if (!isBound(item, commitment))
    return invalid('wrong-committer', 'The committer is not the owner of the key.');
  if (await verifyItem(item)) return VALID;
  return invalid('wrong-signature', 'The signature is not of this content and this key.');
}

const WRONG_ID = invalid('wrong-commitment-id', 'The commitment stands under an ID that is not its own.');

/** The committer is who the key says, and the key is written in the one way it is. */
function isBound(item: DataItem, commitment: Message): boolean {
  try {
    return commitment.text('committer') === item.signer && commitment.text('keyid') === item.keyid;
  } catch {
    return false;
  }
}

/** Reads the rebuilt item anew and compares it with the message, key by key. */
function showsWhatWasSigned(item: DataItem, tabm: Tabm, committed: readonly string[]): Verdict {
  const signed = decodeItem(item);
  if (!(signed instanceof Message)) return invalid('wrong-content', 'What was signed is a binary.');
  const keys = [...signed.keys()].filter((key) => key !== 'commitments');
  const listed = new Set(committed.map(withoutLinkSuffix));
  if (listed.size !== keys.length || !keys.every((key) => listed.has(withoutLinkSuffix(key))))
    return invalid('wrong-committed', 'The commitment lists other keys than were signed.');
  if (keys.every((key) => sameContent(signed.get(key)!, tabm.get(key)))) return VALID;
  if (sameTyped(signed, tabm, keys)) return VALID;
  return invalid('wrong-content', 'A key has another value than the one that was signed.');
}

/** Equality of what is committed: nested commitments are judged by themselves, private keys never travel. */
function sameContent(a: Value, b: Value | undefined): boolean {
  if (b === undefined) return false;
  if (!(a instanceof Message)) return equalValues(a, b);
  if (!(b instanceof Message)) return false;
  const counts = (key: string) => key !== 'commitments' && !isPrivateKey(key);
  const keys = [...a.keys()].filter(counts);
  if (keys.length !== [...b.keys()].filter(counts).length) return false;
  return keys.every((key) => sameContent(a.get(key)!, b.get(key)));
}

/** A typed value has several texts (`012` and `12`): equal as values is what a reader sees. */
function sameTyped(signed: Tabm, tabm: Tabm, keys: readonly string[]): boolean {
  const kept = new Set(keys);
  try {
    const only = (message: Tabm) => decodeStructured(message.filter((key) => kept.has(key)));
    const [a, b] = [only(signed), only(tabm)];
    return !isBinary(a) && sameContent(a, b);
  } catch (thrown) {
    if (thrown instanceof AoError) return false;
    throw thrown;
  }
}

async function commit(message: Message, request: CommitRequest, options: CommitOptions): Promise<Message> {
  const type = request.type ?? 'signed';
  if (type !== 'signed' && type !== RSA_KIND)
    throw new AoError('unknown-commitment-type', `ans104@1.0 cannot commit with ${type}.`);
  if (!options.signer) throw new AoError('cannot-commit', 'There is no key to sign with.');
  const forms = formsOf(message, options.load);
  const tabm = await (request.bundle ? forms.bundled() : forms.linked());
  return decodeStructuredMessage(await commitAns104(tabm, rsaSigner(options.signer)));
}

/**
 * Commits to the whole message, whatever keys are asked for. What comes back is the message as the item says
 * it: keys in lower case, nested messages as links unless `bundle` is asked for, no other commitments.
 */
export const ans104Device: CommitmentDevice = { name: ANS104_DEVICE, commit, verify };
