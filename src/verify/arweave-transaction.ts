/**
 * Transactions of Arweave itself, of both formats: what their signature covers, and the root that binds their data
 * (attestation.md §4.7). Pure: the caller brings the header and the data.
 */
import { concatBytes, fromBase64, toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { deepHash, type DeepHashInput } from '../codec/ans104-hash.ts';
import { sha256, sha256Async } from '../crypto/hash.ts';
import { verifyPss } from '../crypto/rsa.ts';

const MAX_CHUNK = 256 * 1024;
const MIN_CHUNK = 32 * 1024;
const MAX_TAGS = 2_048;

/** A header as `/tx/{id}` shows it: octets in base64url, numbers as text. */
export interface TransactionHeader {
  readonly format: number;
  readonly id: string;
  readonly last_tx: string;
  readonly owner: string;
  readonly tags: readonly { readonly name: string; readonly value: string }[];
  readonly target: string;
  readonly quantity: string;
  readonly reward: string;
  readonly data_size: string;
  readonly data_root: string;
  readonly signature: string;
}

export interface Transaction {
  readonly id: string;
  /** Address of who signed it. */
  readonly signer: string;
  readonly owner: Uint8Array;
  /** As octets. */
  readonly target: Uint8Array;
  readonly tags: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[];
  readonly data: Uint8Array;
}

/**
 * The transaction that a header and data make, its ID, its signature and its data checked.
 * @throws AoError `transaction-form`, `transaction-id`, `transaction-signature`, `transaction-data` (422)
 */
export async function transactionFrom(header: unknown, data: Uint8Array): Promise<Transaction> {
  const { format, id, tags, ...text } = headerOf(header);
  const octets = {
    owner: fromBase64(text.owner),
    target: fromBase64(text.target),
    lastTx: fromBase64(text.last_tx),
    signature: fromBase64(text.signature),
    dataRoot: fromBase64(text.data_root),
  };
  const pairs = tags.map(({ name, value }) => ({ name: fromBase64(name), value: fromBase64(value) }));
  if (toBase64Url(sha256(octets.signature)) !== id)
    throw refusal('id', 'The transaction has another ID than that of its signature.', id);
  const numbers = { quantity: toBytes(text.quantity), reward: toBytes(text.reward) };
  let signed: Uint8Array;
  if (format === 2) {
    const list = pairs.map(({ name, value }): DeepHashInput => [name, value]);
    signed = deepHash([
      toBytes('2'),
      octets.owner,
      octets.target,
      numbers.quantity,
      numbers.reward,
      octets.lastTx,
      list,
      toBytes(text.data_size),
      octets.dataRoot,
    ]);
  } else {
    const flat = pairs.flatMap(({ name, value }) => [name, value]);
    const { owner, target, lastTx } = octets;
    signed = concatBytes(owner, target, data, numbers.quantity, numbers.reward, lastTx, ...flat);
  }
  if (!(await verifyPss(octets.owner, octets.signature, signed, 'sha256')))
    throw refusal('signature', 'The transaction is not what its signature covers.', id);
  if (format === 2) await checkData(id, text.data_size, octets.dataRoot, data);
  return {
    id,
    signer: toBase64Url(sha256(octets.owner)),
    owner: octets.owner,
    target: octets.target,
    tags: pairs,
    data,
  };
}

async function checkData(id: string, size: string, root: Uint8Array, data: Uint8Array): Promise<void> {
  if (String(data.length) !== size)
    throw refusal('data', `The data has ${data.length} bytes, not the ${size} that were signed.`, id);
  const expected = data.length ? await dataRoot(data) : new Uint8Array(0);
  if (toBase64Url(expected) !== toBase64Url(root))
    throw refusal('data', 'The data is not what the transaction was signed over.', id);
}

interface Node {
  readonly id: Uint8Array;
  /** Offset behind its last byte. */
  readonly end: number;
}

/** Root of the tree over the chunks of `data`, cut as uploaders cut them. */
export async function dataRoot(data: Uint8Array): Promise<Uint8Array> {
  let level: Node[] = [];
  for (const { start, end } of chunksOf(data.length)) {
    const content = await sha256Async(data.subarray(start, end));
    level.push({ id: sha256(concatBytes(sha256(content), sha256(offset(end)))), end });
  }
  while (level.length > 1) {
    const above: Node[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at]!;
      const right = level[at + 1];
      above.push(
        right
          ? {
              id: sha256(concatBytes(sha256(left.id), sha256(right.id), sha256(offset(left.end)))),
              end: right.end,
            }
          : left,
      );
    }
    level = above;
  }
  return level[0]!.id;
}

/** Chunks of 256 KiB; the last two are of one size where the last would be smaller than 32 KiB. */
function chunksOf(length: number): { start: number; end: number }[] {
  const out: { start: number; end: number }[] = [];
  let start = 0;
  while (length - start >= MAX_CHUNK) {
    const rest = length - start;
    const after = rest - MAX_CHUNK;
    const size = after > 0 && after < MIN_CHUNK ? Math.ceil(rest / 2) : MAX_CHUNK;
    out.push({ start, end: start + size });
    start += size;
  }
  // Data of whole chunks ends with an empty one: uploaders have always counted it.
  out.push({ start, end: length });
  return out;
}

/** 32 octets, big endian. */
function offset(value: number): Uint8Array {
  const out = new Uint8Array(32);
  new DataView(out.buffer).setBigUint64(24, BigInt(value));
  return out;
}

function headerOf(value: unknown): TransactionHeader {
  const header = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const format = Number(header['format'] ?? 1);
  const names = ['id', 'last_tx', 'owner', 'target', 'quantity', 'reward', 'signature'] as const;
  const tags = header['tags'];
  const good =
    (format === 1 || format === 2) &&
    names.every((name) => typeof header[name] === 'string') &&
    Array.isArray(tags) &&
    tags.length <= MAX_TAGS &&
    (tags as { name?: unknown; value?: unknown }[]).every(
      (tag) => typeof tag?.name === 'string' && typeof tag.value === 'string',
    );
  if (!good) throw refusal('form', 'The header is none of a transaction.', String(header['id']));
  const size = String(header['data_size'] ?? '0');
  const root = typeof header['data_root'] === 'string' ? header['data_root'] : '';
  return { ...header, format, data_size: size, data_root: root } as unknown as TransactionHeader;
}

function refusal(code: string, sentence: string, id: string): AoError {
  return new AoError(`transaction-${code}`, sentence, { status: 422, detail: { id } });
}
