/** What writing a value means: its records, the names that lead to them, and what can be looked for (resolver.md §6.2). */
import { toBase64Url } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { encodeStructured } from '../../codec/structured.ts';
import { contentId, messageId } from '../../commitment/id.ts';
import { committers, EVERY, withOnlyCommitted } from '../../commitment/select.ts';
import { checkMessage } from '../../commitment/verify.ts';
import { sha256 } from '../../crypto/hash.ts';
import { isPrivateKey, linkKey } from '../../message/keys.ts';
import { Message } from '../../message/message.ts';
import { toPlain, type Plain } from '../../message/plain.ts';
import { Atom, binaryBytes, isBinary, Link, type Value } from '../../message/value.ts';
import type { Write } from '../../store/store.ts';

/** Levels of nesting that are stored before a message is refused. */
const MAX_DEPTH = 128;

export interface Prepared {
  /** ID of the content, computed and not believed; or `data/<hash>` of a binary. */
  readonly id: string;
  /** The ID by which a parent links to it: of all commitments with a committer, else the unsigned one. */
  readonly linkId: string;
  /** The value with all that is nested in it as links. */
  readonly value: Value;
  readonly writes: readonly Write[];
  /**
   * Names that a commitment claims without its signature holding (here and now), and the ID that they would lead to.
   * Whatever they lead to already stays what it is: a forged commitment must not take the place of a message.
   */
  readonly claims: readonly (readonly [string, string])[];
}

/** Follows a link, to verify what covers whole content. */
type Load = (link: Link) => Promise<Value>;

/** Name under which the octets of a binary are stored. */
export function dataPath(bytes: Uint8Array): string {
  return `data/${toBase64Url(sha256(bytes))}`;
}

export async function prepare(value: Value, load: Load, depth = 0): Promise<Prepared> {
  if (depth > MAX_DEPTH) throw new AoError('too-deep', 'A message is nested too deeply to be stored.');
  if (isBinary(value)) {
    const bytes = binaryBytes(value);
    const id = dataPath(bytes);
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    return { id, linkId: id, value, writes: [{ table: 'data', key: id.slice(5), value: own }], claims: [] };
  }
  if (value instanceof Message) return prepareMessage(value, load, depth);
  if (Array.isArray(value)) return prepareList(value as readonly Value[], load, depth);
  throw new AoError('cannot-store', 'Only messages, lists and binaries can be stored.');
}

async function prepareMessage(message: Message, load: Load, depth: number): Promise<Prepared> {
  const kept = message.has('commitments') ? withOnlyCommitted(message) : message;
  const out: Pending = { writes: [], claims: [] };
  const fields = new Map<string, Value>();
  for (const [key, value] of kept) {
    if (isPrivateKey(key)) continue;
    if (key === 'commitments') fields.set(key, value);
    else fields.set(key, await prepareChild(value, out, load, depth));
  }
  const linked = new Message(fields);
  const id = contentId(linked);
  const linkId = messageId(linked, 'signed');
  out.writes.push({ table: 'messages', key: id, value: toPlain(linked) });
  await addNames(kept, id, linkId, out, load);
  for (const [key, value] of linked) if (key !== 'commitments') pushMatch(out.writes, key, value, id);
  for (const address of committers(linked)) pushMatch(out.writes, 'committer', address, id);
  return { id, linkId, value: linked, ...out };
}

async function prepareList(list: readonly Value[], load: Load, depth: number): Promise<Prepared> {
  const out: Pending = { writes: [], claims: [] };
  const items: Value[] = [];
  for (const item of list) items.push(await prepareChild(item, out, load, depth));
  const id = messageId(items);
  const plain: Plain = toPlain(items);
  out.writes.push({ table: 'messages', key: id, value: plain });
  return { id, linkId: id, value: items, ...out };
}

interface Pending {
  readonly writes: Write[];
  readonly claims: (readonly [string, string])[];
}

async function prepareChild(value: Value, out: Pending, load: Load, depth: number): Promise<Value> {
  if (!(value instanceof Message) && !Array.isArray(value)) return value;
  const child = await prepare(value, load, depth + 1);
  for (const write of child.writes) out.writes.push(write);
  for (const claim of child.claims) out.claims.push(claim);
  return new Link(child.linkId);
}

/** Every commitment whose signature holds leads to the message by its ID, and so does their sum. */
async function addNames(
  message: Message,
  id: string,
  linkId: string,
  out: Pending,
  load: Load,
): Promise<void> {
  if (!message.has('commitments')) return;
  const checked = await checkMessage(message, EVERY, { load });
  const names = new Map(checked.map(({ id: name, verdict }) => [name, verdict.valid]));
  if (!names.has(linkId))
    names.set(
      linkId,
      checked.every(({ verdict }) => verdict.valid),
    );
  for (const [name, holds] of names)
    if (name === id) continue;
    else if (holds) out.writes.push({ table: 'links', key: name, value: id });
    else out.claims.push([name, id]);
}

/** What a message is found by: the hash of a key's octets, the key, the message. */
function pushMatch(writes: Write[], key: string, value: Value, id: string): void {
  const found = matchKey(key, value);
  if (found) writes.push({ table: 'matches', key: [found.hash, found.key, id], value: 1 });
}

/** How a key with a value stands in the match index; `undefined` for what cannot be looked for. */
export function matchKey(key: string, value: Value): { key: string; hash: string } | undefined {
  if (value instanceof Link) return { key: linkKey(key), hash: hashOf(value.id) };
  if (isBinary(value)) return { key, hash: hashOf(value) };
  if (typeof value === 'number') return { key, hash: hashOf(floatOctets(value)) };
  if (typeof value === 'bigint' || value instanceof Atom)
    return { key, hash: hashOf(encodeStructured(value) as string) };
  return undefined;
}

function floatOctets(value: number): string {
  const encoded = encodeStructured(Message.from([['f', value]])) as Message;
  return encoded.text('f')!;
}

function hashOf(value: string | Uint8Array): string {
  return toBase64Url(sha256(binaryBytes(value)));
}
