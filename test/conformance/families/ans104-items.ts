/**
 * `ans104-items`: binary data items as arbundles and the reference make and read them, and changed copies that must
 * not pass. Each is judged as an item and as the message that it is.
 */
import { equalBytes, fromBase64, fromBytes, toBase64Url } from '../../../src/base/bytes.ts';
import { decodeAns104, DataItem, encodeAns104 } from '../../../src/codec/ans104.ts';
import { parseBundle } from '../../../src/codec/ans104-bundle.ts';
import { decodeStructuredMessage, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { committed, committers, EVERY, type Selection, SIGNED } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { hashName } from '../../../src/crypto/address.ts';
import { Message } from '../../../src/message/message.ts';
import { binaryBytes } from '../../../src/message/value.ts';
import { check, checkBytes, checkJson, checkRefused, defineFamily, Mismatch, type Json } from '../family.ts';
import { expectValue, fromValue, isError, toMessage } from '../value.ts';

interface Arbundles {
  verdict: boolean | string;
  id?: string;
  owner?: string;
  'owner-address'?: string;
  'signature-type'?: number;
  'data-bytes'?: number;
  target?: string;
  anchor?: string;
  tags?: { name: string; value: string }[];
}

interface ItemCase {
  kind: string;
  bytes: string;
  by?: string;
  arbundles?: Arbundles;
  limit?: string;
  lenient?: boolean;
  must?: string;
  parts?: Json;
  'out-of'?: Json;
  'item-id'?: Json;
  'item-unsigned-id'?: Json;
  'item-verify'?: Json;
  message?: Json;
  'committed-all'?: Json;
  'committed-every'?: Json;
  committers?: Json;
  'id-none'?: Json;
  'id-all'?: Json;
  'verify-all'?: Json;
  'verify-every-commitment'?: Json;
  again?: Json;
}

const KINDS = ['item', 'out', 'tampered'];

export default defineFamily<ItemCase>({
  family: 'ans104-items',
  async run({ data }) {
    if (!KINDS.includes(data.kind)) throw new Mismatch(data.kind, `one of ${KINDS.join(', ')}`, 'kind');
    const bytes = fromBase64(data.bytes);
    const item = parse(bytes);
    const verdict = item !== undefined && (await verifyItem(item));
    if (data.kind === 'tampered' || data.must === 'refuse') {
      check(false, verdict, 'verdict on the item');
      check(false, await messageVerifies(bytes), 'verdict on its message');
    }
    // Refusing bytes that are not canonical is right.
    if (data.lenient && !verdict) return;
    if (data.by === 'arbundles') {
      check(data.arbundles?.verdict === true, verdict, 'verdict');
      if (verdict) check(true, await messageVerifies(bytes), 'verdict on its message');
    } else await checkReference(data, bytes, item, verdict);
    if (verdict) {
      checkParts(data.arbundles, item!);
      await checkBundle(data.parts, item!);
    }
  },
});

function parse(bytes: Uint8Array): DataItem | undefined {
  try {
    return DataItem.parse(bytes);
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AoError') return undefined;
    throw thrown;
  }
}

function decode(bytes: Uint8Array): Message {
  const tabm = decodeAns104(bytes);
  if (!(tabm instanceof Message)) throw new Mismatch('a message', fromValue(tabm), 'message');
  return decodeStructuredMessage(tabm);
}

/** Bytes that are refused do not verify either. */
async function messageVerifies(bytes: Uint8Array): Promise<boolean> {
  try {
    const message = decode(bytes);
    return committers(message).length > 0 && (await verifyMessage(message));
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AoError') return false;
    throw thrown;
  }
}

/** What arbundles says of an item that is valid. */
function checkParts(said: Arbundles | undefined, item: DataItem): void {
  if (said?.verdict !== true) return;
  const found: Record<string, Json> = {
    id: toBase64Url(item.id),
    owner: toBase64Url(item.owner),
    'owner-address': hashName(item.owner),
    'signature-type': item.signatureType,
    'data-bytes': item.data.length,
    target: toBase64Url(item.target),
    anchor: toBase64Url(item.anchor),
    tags: item.tags.map(({ name, value }) => ({ name, value: asText(binaryBytes(value)) })),
  };
  for (const [key, value] of Object.entries(said))
    if (key in found && value !== null) checkJson(value, found[key], `arbundles/${key}`);
}

/** As a program that takes every tag for UTF-8 shows it. */
function asText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

async function checkBundle(parts: Json | undefined, item: DataItem): Promise<void> {
  if (!Array.isArray(parts)) return;
  const { entries } = parseBundle(item.data);
  check(parts.length, entries.length, 'parts');
  for (const [index, part] of parts.entries()) {
    const inner = DataItem.parse(entries[index]!.bytes);
    check(true, await verifyItem(inner), `parts/${index}`);
    const id = typeof part === 'string' ? part : (part as { id?: Json } | null)?.id;
    if (typeof id === 'string' && id.length === 43) check(id, toBase64Url(inner.id), `parts/${index}/id`);
  }
}

async function checkReference(
  data: ItemCase,
  bytes: Uint8Array,
  item: DataItem | undefined,
  verdict: boolean,
): Promise<void> {
  const refused = isError(data.message);
  if (isError(data['item-verify'])) check(false, verdict, 'item-verify');
  else check(data['item-verify'], verdict, 'item-verify');
  // What the reference could not read for a reason of its own may be read here.
  if (refused) {
    if (!data.limit) await checkRefused(() => decode(bytes), 'message');
    return;
  }
  if (!item) throw new Mismatch('an item', 'a refusal', 'item');
  expectText(data['item-id'], toBase64Url(item.id), 'item-id');
  expectText(data['item-unsigned-id'], toBase64Url(item.unsignedId), 'item-unsigned-id');

  const message = decode(bytes);
  expectText(data['id-all'], messageId(message, 'signed'), 'id-all');
  expectText(data['id-none'], messageId(message, 'unsigned'), 'id-none');
  if (data.committers !== undefined && !isError(data.committers))
    checkJson(data.committers, fromValue(committers(message)), 'committers');
  await checkVerdicts(data, message);
  if (data.limit) await checkContent(data, message);
  else {
    await expectMessage(data, message);
    checkCommitted(data, message);
  }
  checkAgain(data, bytes, message);
  checkOrigin(data, item);
}

function expectText(expected: Json | undefined, got: string, where: string): void {
  if (expected === undefined || expected === null || isError(expected)) return;
  check(expected, got, where);
}

/** The message is signed by the item's signer and no key of it is other than the item says. */
async function checkContent(data: ItemCase, message: Message): Promise<void> {
  const expected = toMessage(data.message!);
  await expectValue(fromValue(expected.without('commitments')), message.without('commitments'), {
    where: 'message',
  });
}

const ANCHOR = 'field-anchor';

async function expectMessage(data: ItemCase, message: Message): Promise<void> {
  // The reference keeps the anchor's raw octets, which it cannot read again itself (messages.md §8.5).
  const expected = toMessage(data.message!);
  const commitments = (expected.message('commitments') ?? Message.empty).entries();
  const fixed = [...commitments].map(([id, value]): [string, Message] => {
    const commitment = value as Message;
    const anchor = commitment.get(ANCHOR);
    if (!(anchor instanceof Uint8Array) && typeof anchor !== 'string') return [id, commitment];
    return [id, commitment.with({ [ANCHOR]: toBase64Url(binaryBytes(anchor)) })];
  });
  const whole = fixed.length ? expected.with({ commitments: Message.from(fixed) }) : expected;
  await expectValue(fromValue(whole), message, { where: 'message' });
}

async function checkVerdicts(data: ItemCase, message: Message): Promise<void> {
  const verdicts: ['verify-all' | 'verify-every-commitment', Selection][] = [
    ['verify-all', SIGNED],
    ['verify-every-commitment', EVERY],
  ];
  for (const [name, selection] of verdicts) {
    const said = data[name];
    if (said === undefined || said === null) continue;
    const got = await verifyMessage(message, selection);
    const expected = !isError(said) && (said as { $atom?: Json }).$atom === 'true';
    // An item that is valid may verify as a message where the reference's own message does not.
    if (got === expected || (got && data.limit && data['item-verify'] === true)) continue;
    throw new Mismatch(said, got, name);
  }
}

function checkCommitted(data: ItemCase, message: Message): void {
  const lists: ['committed-all' | 'committed-every', Selection][] = [
    ['committed-all', SIGNED],
    ['committed-every', EVERY],
  ];
  for (const [name, selection] of lists) {
    const expected = data[name];
    if (expected === undefined || expected === null || isError(expected)) continue;
    checkJson(expected, fromValue(committed(message, selection)), name);
  }
}

/** Encoding the decoded message gives the item again; or, where the reference loses something, what it gives there. */
function checkAgain(data: ItemCase, bytes: Uint8Array, message: Message): void {
  const { again } = data;
  if (again === undefined || again === null || isError(again)) return;
  const recorded = typeof again === 'object' && 'bytes' in again ? again.bytes : again;
  if (typeof recorded !== 'string') throw new Mismatch(recorded, 'nothing to compare it with', 'again');
  const expected = recorded === 'same bytes' ? bytes : fromBase64(recorded);
  const got = encodeAns104(encodeStructuredMessage(message)).toBytes();
  if (data.limit && equalBytes(got, bytes)) return;
  checkBytes(expected, got, 'again');
}

/** What the reference committed to is what its item says. */
function checkOrigin(data: ItemCase, item: DataItem): void {
  const origin = data['out-of'];
  if (origin === undefined) return;
  const encoded = encodeAns104(encodeStructuredMessage(toMessage(origin)));
  check(toBase64Url(item.unsignedId), toBase64Url(encoded.unsignedId), 'out-of');
  check(fromBytes(item.tagBytes), fromBytes(encoded.tagBytes), 'tags of out-of');
  checkBytes(item.data, encoded.data, 'data of out-of');
}
