/**
 * Commitments as the fields `signature` and `signature-input`, and back (messages.md §6.7, §6.8).
 *
 * Lost on the way: the list of keys of a commitment over whole content when the message is sent in linked form; original
 * tags whose names or values hold `:` or `, `.
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { ANS104_DEVICE } from '../codec/ans104-fields.ts';
import { signerNamed } from '../codec/ans104-item.ts';
import type { DecodedHttpsig } from '../codec/httpsig.ts';
import {
  type BareItem,
  type InnerList,
  isInnerList,
  parseDictionary,
  sfBytes,
  sfInteger,
  sfString,
  writeDictionary,
  type Member,
} from '../codec/structured-fields.ts';
import { encodeStructuredMessage } from '../codec/structured.ts';
import { sha256 } from '../crypto/hash.ts';
import { Message } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { textOf } from '../message/tabm.ts';
import { Atom, type Binary, isBinary, type Value } from '../message/value.ts';
import {
  commitmentsOf,
  committedKeys,
  deviceOf,
  HTTPSIG_DEVICE,
  isBundled,
  uncommitted,
} from './commitment.ts';
import { committerOfKeyid, isClientForm, KEY_FORM, keyOctets } from './keyid.ts';
import { linkify, type Load, loadLinks } from './link.ts';
import { labelOf } from './own-signature.ts';
import { componentValues, keysOfComponents, restrict } from './signature-base.ts';

/** Fields of a commitment that have a place of their own; all others are further parameters. */
const PLACED = new Set([
  'committed',
  'signature',
  'type',
  'commitment-device',
  'committer',
  'keyid',
  'ao-types',
]);

/** How the labels of commitments begin. */
const OWN_LABELS = 'comm-';
const FIRST_PARAMETERS = ['tag', 'created', 'expires', 'nonce'];

/**
 * The two fields of all commitments of a message; none without any.
 * @throws AoError `necessary-message-not-found` (404), `bad-commitment`, `bad-base64`
 */
export async function writeSignatureFields(message: Message, load?: Load): Promise<[string, string][]> {
  const all = commitmentsOf(message);
  if (all.size === 0) return [];
  const bare = uncommitted(message);
  const labels = new Map<string, [Member, Member]>();
  for (const commitment of all.values()) {
    const signature = fromBase64(textOf(commitment.get('signature')) ?? '');
    const source = isBundled(commitment) ? await loadLinks(bare, load) : linkify(bare);
    const tabm = encodeStructuredMessage(source);
    const names = keysOrder(componentValues(restrict(tabm, committedKeys(commitment))).keys());
    const input: InnerList = {
      items: names.map((name) => ({ bare: sfString(name), parameters: new Map() })),
      parameters: parametersOf(commitment),
    };
    labels.set(labelOf(signature), [{ bare: sfBytes(signature), parameters: new Map() }, input]);
  }
  const order = keysOrder(labels.keys());
  return [
    ['signature', writeDictionary(order.map((label) => [label, labels.get(label)![0]] as const))],
    ['signature-input', writeDictionary(order.map((label) => [label, labels.get(label)![1]] as const))],
  ];
}

function parametersOf(commitment: Message): Map<string, BareItem> {
  const out = new Map<string, BareItem>();
  const device = deviceOf(commitment);
  const type = textOf(commitment.get('type'));
  const alg =
    device === HTTPSIG_DEVICE || device === ''
      ? (type ?? '')
      : type === undefined
        ? device
        : `${device}/${type}`;
  out.set('alg', sfString(alg));
  out.set('keyid', sfString(textOf(commitment.get('keyid')) ?? ''));
  const rest = [...commitment.keys()].filter((key) => !PLACED.has(key) && !FIRST_PARAMETERS.includes(key));
  for (const key of [...FIRST_PARAMETERS, ...keysOrder(rest)]) {
    const value = commitment.get(key);
    if (value !== undefined) out.set(key, parameterOf(value));
  }
  return out;
}

function parameterOf(value: Value): BareItem {
  return typeof value === 'bigint' ? sfInteger(value) : sfString(parameterText(value));
}

function parameterText(value: Value): string {
  if (isBinary(value)) return textOf(value)!;
  if (value instanceof Atom) return value.name;
  if (Array.isArray(value)) return (value as readonly Value[]).map(parameterText).join(', ');
  if (!(value instanceof Message)) return String(value);
  return [...value.keys()]
    .filter((key) => key !== 'ao-types')
    .sort((a, b) => Number(a) - Number(b) || (a < b ? -1 : 1))
    .map((key) => {
      const item = value.get(key)!;
      if (item instanceof Message && item.has('name') && item.has('value'))
        return `${key}:${parameterText(item.get('name')!)}:${parameterText(item.get('value')!)}`;
      return parameterText(item);
    })
    .join(', ');
}

/**
 * Commitments from the two fields of what was decoded. Fields that do not both begin with `prefix` are not ours
 * and give none.
 * @throws AoError `bad-structured-field`, `bad-signature-input`, `bad-commitment`
 */
export function readSignatureFields(decoded: DecodedHttpsig, prefix = OWN_LABELS): Message | undefined {
  const signatureField = textOf(decoded.headers.get('signature'));
  const inputField = textOf(decoded.headers.get('signature-input'));
  if (!signatureField?.startsWith(prefix) || !inputField?.startsWith(prefix)) return undefined;
  const inputs = parseDictionary(inputField);
  const commitments = new Map<string, Value>();
  for (const [label, member] of parseDictionary(signatureField)) {
    const input = inputs.get(label);
    if (isInnerList(member) || member.bare.kind !== 'bytes' || !input || !isInnerList(input))
      throw new AoError('bad-signature-input', `The signature ${label.slice(0, 60)} is not described.`);
    const { bytes } = member.bare;
    const id = toBase64Url(bytes.length === 32 ? bytes : sha256(bytes));
    commitments.set(id, readCommitment(bytes, input, decoded, prefix !== OWN_LABELS));
  }
  return commitments.size ? new Message(commitments) : undefined;
}

function readCommitment(
  signature: Uint8Array,
  input: InnerList,
  decoded: DecodedHttpsig,
  bareKeys: boolean,
): Message {
  const fields = new Map<string, Value>();
  for (const [name, bare] of input.parameters) fields.set(name, fieldOf(name, bare));
  const alg = textOf(fields.get('alg'));
  if (alg === undefined) throw new AoError('bad-signature-input', 'A signature-input names no algorithm.');
  fields.delete('alg');
  const names = input.items.map(({ bare }) => {
    if (bare.kind === 'string' || bare.kind === 'token') return bare.text;
    throw new AoError('bad-signature-input', 'A signature-input lists a component that is no text.');
  });
  const slash = alg.indexOf('/');
  if (!alg.includes('@')) {
    fields.set('commitment-device', HTTPSIG_DEVICE);
    fields.set('type', alg);
  } else {
    fields.set('commitment-device', slash < 0 ? alg : alg.slice(0, slash));
    if (slash >= 0) fields.set('type', alg.slice(slash + 1));
  }
  const committed = keysOfComponents(names, decoded.headers as ReadonlyMap<string, Binary>, decoded.bodyKeys);
  fields.set('committed', new Message(new Map(committed.map((key, index) => [String(index + 1), key]))));
  fields.set('signature', toBase64Url(signature));
  const keyid = textOf(fields.get('keyid')) ?? '';
  const bare = (bareKeys || isClientForm(fields)) && !keyid.includes(':');
  // Only the kind of its signature says how the address of a data item's owner is written.
  const item = textOf(fields.get('commitment-device')) === ANS104_DEVICE;
  const committer = item
    ? itemCommitter(keyid, textOf(fields.get('type')) ?? '')
    : committerOfKeyid(keyid, bare);
  fields.delete('committer');
  if (committer !== undefined) fields.set('committer', committer);
  // Under a label of ours a bare key names nobody, unless it says that a client signed so.
  if (committer !== undefined && bare) fields.set(KEY_FORM, 'bare');
  return new Message(fields);
}

function itemCommitter(keyid: string, type: string): string | undefined {
  const owner = keyid.startsWith('publickey:') ? keyOctets(keyid) : undefined;
  return owner && signerNamed(type, owner);
}

function fieldOf(name: string, bare: BareItem): Value {
  switch (bare.kind) {
    case 'bytes':
      return toBase64Url(bare.bytes);
    case 'integer':
      return bare.value;
    case 'boolean':
      return Atom.boolean(bare.value);
    default:
      return name === 'original-tags' ? readTags(bare.text) : bare.text;
  }
}

/** `1:Name:Value, 2:Name:Value` as numbered tags. */
function readTags(text: string): Value {
  const tags = new Map<string, Value>();
  for (const piece of text.split(', ')) {
    const [number, name, value, ...more] = piece.split(':');
    if (value === undefined || more.length) return text;
    tags.set(
      number!,
      new Message(
        new Map([
          ['name', name!],
          ['value', value],
        ]),
      ),
    );
  }
  return new Message(tags);
}
