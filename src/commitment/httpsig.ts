/**
 * Committing and verifying with `httpsig@1.0` (messages.md §6): RSA-PSS-SHA-512 by a key, HMAC-SHA-256 by a
 * constant or a secret. What the reference lets pass and must not is refused (messages.md §14).
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { digestAhead, escapedIdName } from '../codec/httpsig.ts';
import { encodeStructuredMessage } from '../codec/structured.ts';
import { sha256 } from '../crypto/hash.ts';
import { equalSecret, hmacSha256 } from '../crypto/hmac.ts';
import { verifyPss } from '../crypto/rsa.ts';
import { isIdShaped, isPrivateKey, linkKey, withoutLinkSuffix } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { byteOrder } from '../message/order.ts';
import { type Tabm, textOf } from '../message/tabm.ts';
import { isBinary, type Value } from '../message/value.ts';
import {
  type CommitmentDevice,
  type CommitOptions,
  type CommitRequest,
  invalid,
  VALID,
  type Verdict,
  type VerifyOptions,
} from './commitment-device.ts';
import {
  commitmentsOf,
  committedKeys,
  committerOf,
  deviceOf,
  HMAC_TYPE,
  HTTPSIG_DEVICE,
  isBundled,
  RSA_TYPE,
  uncommitted,
  withCommitment,
  withoutCommitments,
} from './commitment.ts';
import {
  DEFAULT_KEYID,
  isClientForm,
  type KeyMaterial,
  publicKeyid,
  resolveKeyid,
  schemeOf,
  secretKeyid,
} from './keyid.ts';
import { hashIds } from './id.ts';
import { hasCombinedIds, linkify, loadLinks } from './link.ts';
import { commonKeys } from './select.ts';
import {
  type Components,
  componentsOf,
  componentValues,
  isAmbiguous,
  keysOfComponents,
  restrict,
  signatureBase,
} from './signature-base.ts';

/** TABM of what is committed: nested messages as links, or whole. */
async function tabmOf(message: Message, bundle: boolean, options: VerifyOptions): Promise<Tabm> {
  const bare = uncommitted(message);
  const tabm = encodeStructuredMessage(bundle ? await loadLinks(bare, options.load) : linkify(bare));
  await digestAhead(tabm);
  return tabm;
}

// ---- Commit

/** Keys to cover when none are asked for: those of the commitments that there are, else all. */
function keysToCommit(message: Message, tabm: Tabm, request: CommitRequest): string[] {
  if (request.committed) return request.committed.map(withoutLinkSuffix);
  const all = [...commitmentsOf(message).values()];
  const signed = all.filter((commitment) => committerOf(commitment) !== undefined);
  const own = all.filter((commitment) => deviceOf(commitment) === HTTPSIG_DEVICE);
  const common = commonKeys(signed.length ? signed : own);
  if (common.length) return common;
  return byteOrder([...tabm.keys()].filter((key) => !isPrivateKey(key)).map(withoutLinkSuffix));
}

/** A commitment without its signature, and what is to be signed for it. */
async function prepare(
  message: Message,
  request: CommitRequest,
  fields: Record<string, string>,
  committer: string | undefined,
  options: CommitOptions,
): Promise<{ commitment: Message; base: Uint8Array }> {
  const bundle = request.bundle ?? false;
  const tabm = await tabmOf(message, bundle, options);
  const present = keysToCommit(message, tabm, request).filter(
    (key) => tabm.has(key) || tabm.has(linkKey(key)),
  );
  const restricted = restrict(tabm, present);
  const components = componentsOf(restricted);
  const bodyKeys = present.filter(
    (key) => !components.values.has(key) && !components.values.has(linkKey(key)),
  );
  const committed = keysOfComponents(components.names, components.values, bodyKeys);
  const entries: [string, Value][] = [
    ['commitment-device', HTTPSIG_DEVICE],
    ...Object.entries(fields),
    ['committed', new Message(new Map(committed.map((key, index) => [String(index + 1), key])))],
  ];
  if (bundle) entries.push(['bundle', 'true']);
  if (committer !== undefined) entries.push(['committer', committer]);
  const commitment = Message.from(entries);
  return { commitment, base: signatureBase(components, commitment) };
}

async function commitRsa(message: Message, request: CommitRequest, options: CommitOptions): Promise<Message> {
  const { signer } = options;
  if (!signer) throw new AoError('cannot-commit', 'There is no key to sign with.', { status: 400 });
  const fields: Record<string, string> = { type: RSA_TYPE, keyid: publicKeyid(signer.publicKey) };
  if (message.private.hashpath !== undefined) fields.tag = message.private.hashpath;
  const { commitment, base } = await prepare(message, request, fields, signer.address, options);
  const signature = await signer.sign(base, RSA_TYPE);
  const signed = withCommitment(
    message,
    toBase64Url(sha256(signature)),
    commitment.with([['signature', toBase64Url(signature)]]),
  );
  // Every signed message carries the HMAC that is its unsigned ID.
  return commitHmac(signed, { committed: request.committed, bundle: request.bundle }, options);
}

async function commitHmac(
  message: Message,
  request: CommitRequest,
  options: CommitOptions,
): Promise<Message> {
  const { secret } = request;
  let keyid = request.keyid;
  if (keyid === undefined) {
    if (request.scheme === 'publickey')
      throw new AoError('scheme-mismatch', 'An HMAC cannot be made with a public key.');
    if (request.scheme === 'secret' && !secret)
      throw new AoError('cannot-commit', 'There is no secret to commit with.');
    keyid = request.scheme === 'secret' ? secretKeyid(secret!) : DEFAULT_KEYID;
  }
  const scheme = schemeOf(keyid, HMAC_TYPE);
  if (scheme === 'publickey' || (request.scheme !== undefined && scheme !== request.scheme))
    throw new AoError('scheme-mismatch', 'The key ID is of another scheme than the request names.');
  const key = resolveKeyid(keyid, HMAC_TYPE, secret);
  const others = withoutCommitments(
    message,
    (_, commitment) =>
      deviceOf(commitment) === HTTPSIG_DEVICE &&
      textOf(commitment.get('type')) === HMAC_TYPE &&
      textOf(commitment.get('keyid')) === keyid,
  );
  const fields = { type: HMAC_TYPE, keyid };
  const { commitment, base } = await prepare(others, request, fields, key.committer, options);
  const id = toBase64Url(hmacSha256(key.key, base));
  return withCommitment(others, id, commitment.with([['signature', id]]));
}

/**
 * Commits a message with `httpsig@1.0`. `signed` adds the signer's commitment and renews the HMAC that is the
 * unsigned ID; `unsigned` (`hmac-sha256`) adds an HMAC alone.
 * @throws AoError `cannot-commit`, `scheme-mismatch`, `unknown-commitment-type`, `necessary-message-not-found` (404)
 */
export async function commitHttpsig(
  message: Message,
  signer: CommitOptions['signer'],
  request: CommitRequest = {},
  options: CommitOptions = {},
): Promise<Message> {
  const all = { ...options, signer };
  switch (request.type ?? 'signed') {
    case 'signed':
    case RSA_TYPE:
      return commitRsa(message, request, all);
    case 'unsigned':
    case HMAC_TYPE:
      return commitHmac(message, request, all);
    default:
      throw new AoError('unknown-commitment-type', `httpsig@1.0 cannot commit with ${request.type}.`);
  }
}

// ---- Verify

async function verifyHttpsig(
  message: Message,
  id: string,
  commitment: Message,
  options: VerifyOptions,
): Promise<Verdict> {
  const type = textOf(commitment.get('type')) ?? '';
  if (type !== RSA_TYPE && type !== HMAC_TYPE)
    return invalid('unknown-algorithm', 'The commitment is of a type that is not known.');
  const keyid = textOf(commitment.get('keyid'));
  if (keyid === undefined) return invalid('bad-keyid', 'The commitment names no key.');
  if (isBare(type, keyid) && !isClientForm(commitment))
    return invalid('bad-keyid', 'The key ID is a key without its scheme.');
  const key = resolveKeyid(keyid, type, options.secret);
  if ((type === RSA_TYPE) !== (key.scheme === 'publickey'))
    return invalid('scheme-mismatch', 'A public key was used as the key of an HMAC, or the reverse.');
  if (
    committerOf(commitment) !== key.committer ||
    (key.committer === undefined && commitment.has('committer'))
  )
    return invalid('wrong-committer', 'The committer is not the owner of the key.');
  const text = textOf(commitment.get('signature'));
  if (text === undefined) return invalid('bad-signature', 'The commitment has no signature.');
  const signature = fromBase64(text);
  const derived = type === RSA_TYPE ? toBase64Url(sha256(signature)) : toBase64Url(signature);
  if (derived !== id || (type === HMAC_TYPE && text !== id))
    return invalid('wrong-commitment-id', 'The commitment stands under an ID that is not its own.');

  const keys = committedKeys(commitment);
  const bundled = isBundled(commitment);
  const tabm = await tabmOf(message, bundled, options);
  const found = await verifyTabm(tabm, keys, commitment, signature, key);
  if (found.valid || bundled || !hasCombinedIds(message)) return found;
  // Newer nodes make another ID of several, so a link to a message that several have signed reads otherwise.
  const other = encodeStructuredMessage(linkify(uncommitted(message), hashIds));
  return verifyTabm(other, keys, commitment, signature, key);
}

/** A modulus by itself: the key ID of a client's own signature, and of nothing else (messages.md §6.5). */
const isBare = (type: string, keyid: string) => type === RSA_TYPE && !keyid.includes(':');

async function verifyTabm(
  tabm: Tabm,
  keys: readonly string[],
  commitment: Message,
  signature: Uint8Array,
  key: KeyMaterial,
): Promise<Verdict> {
  const covered = coveredKeys(tabm, keys);
  if (typeof covered === 'string')
    return invalid('missing-committed-key', `The committed key ${covered} is missing.`);
  const restricted = restrict(tabm, covered);
  let ambiguous = false;
  for (const components of candidates(restricted, keys, commitment)) {
    if (!(await matches(signatureBase(components, commitment), signature, key))) continue;
    if (!isAmbiguous(components)) return VALID;
    ambiguous = true;
  }
  return ambiguous
    ? invalid(
        'ambiguous-signature',
        'A committed value reads as another committed key: the signature fits both.',
      )
    : invalid('wrong-signature', 'The signature is not of this content and this key.');
}

async function matches(
  base: Uint8Array,
  signature: Uint8Array,
  { key, scheme }: KeyMaterial,
): Promise<boolean> {
  return scheme === 'publickey'
    ? verifyPss(key, signature, base, 'sha512')
    : equalSecret(hmacSha256(key, base), signature);
}

/** The keys of the message that are covered, or the first that is missing. `ao-ids` stands for all ID-shaped keys. */
function coveredKeys(tabm: Tabm, keys: readonly string[]): string[] | string {
  const out: string[] = [];
  for (const key of keys) {
    if (tabm.has(key) || tabm.has(linkKey(key))) out.push(key);
    else {
      const ids =
        key === 'ao-ids' ? [...tabm].filter(([name, value]) => isIdShaped(name) && isBinary(value)) : [];
      if (!ids.length) return key;
      out.push(...ids.map(([name]) => name));
    }
  }
  return out;
}

/**
 * What may have been signed, most likely first: the form of 2025, then those of 2026, which escape ID-shaped names
 * and take the components in the order of the committed keys (messages.md §15).
 */
function* candidates(tabm: Tabm, keys: readonly string[], commitment: Message): Generator<Components> {
  if (isBare(textOf(commitment.get('type'))!, textOf(commitment.get('keyid'))!)) {
    yield ofClient(tabm, keys);
    return;
  }
  const first = componentsOf(tabm);
  yield first;
  const escaped = keys.some((key) => isIdShaped(key)) ? escapeIds(tabm) : undefined;
  const values = escaped ? componentsOf(escaped) : first;
  if (escaped) yield values;
  const names: string[] = [];
  for (const key of keys) {
    const name = [key, linkKey(key), escapedIdName(key)].find((candidate) => values.values.has(candidate));
    if (name !== undefined) names.push(name);
    else if (values.values.has('content-digest') && !names.includes('content-digest')) {
      names.push('content-digest');
      if (values.values.has('ao-body-key')) names.push('ao-body-key');
    }
  }
  if (names.join() !== values.names.join()) yield { names, values: values.values };
}

/** As JavaScript clients sign (the bare modulus is their key ID): `data` is a field, and names are in byte order. */
function ofClient(tabm: Tabm, keys: readonly string[]): Components {
  const data = tabm.get('data');
  const values = componentValues(isBinary(data) ? tabm.without('data') : tabm);
  const all = new Map(values);
  if (isBinary(data)) all.set('data', data);
  const names: string[] = [];
  for (const key of keys) {
    const name = [key, linkKey(key)].find((candidate) => all.has(candidate)) ?? 'content-digest';
    if (all.has(name) && !names.includes(name)) names.push(name);
  }
  return { names: byteOrder(names), values: all, plain: true };
}

function escapeIds(tabm: Tabm): Tabm {
  const fields = new Map<string, Value>();
  for (const [key, value] of tabm)
    fields.set(isIdShaped(key) && isBinary(value) ? escapedIdName(key) : key, value);
  return new Message(fields);
}

export const httpsigDevice: CommitmentDevice = {
  name: HTTPSIG_DEVICE,
  commit: (message, request, options) => commitHttpsig(message, options.signer, request, options),
  verify: verifyHttpsig,
};
