/** What writing a value means: its records, the names that lead to them, and what can be looked for (resolver.md §6.2). */
import { toBase64Url } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { encodeStructured } from '../../codec/structured.ts';
import { messageId } from '../../commitment/id.ts';
import { committers, withOnlyCommitted } from '../../commitment/select.ts';
import { sha256 } from '../../crypto/hash.ts';
import { isPrivateKey, linkKey } from '../../message/keys.ts';
import { Message } from '../../message/message.ts';
import { toPlain, type Plain } from '../../message/plain.ts';
import { Atom, binaryBytes, isBinary, Link, type Value } from '../../message/value.ts';
import type { Write } from '../../store/store.ts';

/** Levels of nesting that are stored before a message is refused. */
const MAX_DEPTH = 128;

export interface Prepared {
  /** Unsigned ID, or `data/<hash>` of a binary. */
  readonly id: string;
  /** The ID by which a parent links to it: of all commitments with a committer, else the unsigned one. */
  readonly linkId: string;
  /** The value with all that is nested in it as links. */
  readonly value: Value;
  readonly writes: readonly Write[];
}

/** Name under which the octets of a binary are stored. */
export function dataPath(bytes: Uint8Array): string {
  return `data/${toBase64Url(sha256(bytes))}`;
}

export async function prepare(value: Value, depth = 0): Promise<Prepared> {
  if (depth > MAX_DEPTH) throw new AoError('too-deep', 'A message is nested too deeply to be stored.');
  if (isBinary(value)) {
    const bytes = binaryBytes(value);
    const id = dataPath(bytes);
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
    return { id, linkId: id, value, writes: [{ table: 'data', key: id.slice(5), value: own }] };
  }
  if (value instanceof Message) return prepareMessage(value, depth);
  if (Array.isArray(value)) return prepareList(value as readonly Value[], depth);
  throw new AoError('cannot-store', 'Only messages, lists and binaries can be stored.');
}

async function prepareMessage(message: Message, depth: number): Promise<Prepared> {
  const kept = message.has('commitments') ? withOnlyCommitted(message) : message;
  const writes: Write[] = [];
  const fields = new Map<string, Value>();
  for (const [key, value] of kept) {
    if (isPrivateKey(key)) continue;
    if (key === 'commitments') fields.set(key, value);
    else fields.set(key, await prepareChild(value, writes, depth));
  }
  const linked = new Message(fields);
  const id = messageId(linked, 'unsigned');
  const linkId = messageId(linked, 'signed');
  const plain = toPlain(linked);
  writes.push({ table: 'messages', key: id, value: plain });
  const aliases = new Set([linkId, ...commitmentIds(linked)]);
  aliases.delete(id);
  for (const alias of aliases) writes.push({ table: 'links', key: alias, value: id });
  for (const [key, value] of linked) if (key !== 'commitments') pushMatch(writes, key, value, id);
  for (const address of committers(linked)) pushMatch(writes, 'committer', address, id);
  return { id, linkId, value: linked, writes };
}

async function prepareList(list: readonly Value[], depth: number): Promise<Prepared> {
  const writes: Write[] = [];
  const items: Value[] = [];
  for (const item of list) items.push(await prepareChild(item, writes, depth));
  const id = messageId(items);
  const plain: Plain = toPlain(items);
  writes.push({ table: 'messages', key: id, value: plain });
  return { id, linkId: id, value: items, writes };
}

async function prepareChild(value: Value, writes: Write[], depth: number): Promise<Value> {
  if (!(value instanceof Message) && !Array.isArray(value)) return value;
  const child = await prepare(value, depth + 1);
  for (const write of child.writes) writes.push(write);
  return new Link(child.linkId);
}

function commitmentIds(message: Message): string[] {
  return [...(message.message('commitments')?.keys() ?? [])];
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
