/**
 * The data item in bytes (ANS-104 §2; messages.md §8.1), of every signature type of the standard.
 * Items are read without copying: their parts are views of the bytes that were given.
 */
import { fromBytes, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { checksummed, ethereumAddress } from '../crypto/address.ts';
import { ByteCache } from '../crypto/byte-cache.ts';
import { sha256 } from '../crypto/hash.ts';
import { signingData } from './ans104-hash.ts';
import { checkTags, readTags, type Tag, writeTags } from './ans104-tags.ts';

export interface SignatureKind {
  /** What a commitment calls it. */
  readonly name: string;
  /** Octets. */
  readonly signature: number;
  readonly owner: number;
}

/** Signature types by their number. */
export const SIGNATURE_KINDS: Readonly<Record<number, SignatureKind>> = {
  1: { name: 'rsa-pss-sha256', signature: 512, owner: 512 },
  2: { name: 'ed25519', signature: 64, owner: 32 },
  3: { name: 'ethereum', signature: 65, owner: 65 },
  4: { name: 'solana', signature: 64, owner: 32 },
  5: { name: 'aptos', signature: 64, owner: 32 },
  6: { name: 'multi-aptos', signature: 32 * 64 + 4, owner: 32 * 32 + 1 },
  7: { name: 'typed-ethereum', signature: 65, owner: 42 },
};

export const RSA_TYPE = 1;
const EMPTY = new Uint8Array(0);
/** What stands for an absent signature or owner; shared, so never written to. */
const ZEROS = new Uint8Array(4096);
const zeros = (length: number) => ZEROS.subarray(0, length);
const NO_OWNER = zeros(512);
const bad = (message: string, detail?: Record<string, unknown>) =>
  new AoError('bad-item', message, detail ? { detail } : {});

/** What an item is made of. Absent parts are empty; without `signature` and `owner` it is unsigned. */
export interface ItemFields {
  readonly signatureType?: number;
  readonly signature?: Uint8Array;
  readonly owner?: Uint8Array;
  /** 32 octets or none. */
  readonly target?: Uint8Array;
  readonly anchor?: Uint8Array;
  readonly tags?: readonly Tag[];
  readonly data?: Uint8Array;
}

interface Parts {
  readonly signatureType: number;
  readonly signature: Uint8Array;
  readonly owner: Uint8Array;
  readonly target: Uint8Array;
  readonly anchor: Uint8Array;
  readonly tags: readonly Tag[];
  readonly tagBytes: Uint8Array;
  readonly data: Uint8Array;
  readonly canonical: boolean;
}

export class DataItem {
  readonly signatureType: number;
  readonly signature: Uint8Array;
  readonly owner: Uint8Array;
  readonly target: Uint8Array;
  readonly anchor: Uint8Array;
  readonly tags: readonly Tag[];
  /** The tags as they were signed. */
  readonly tagBytes: Uint8Array;
  readonly data: Uint8Array;
  /** The bytes are the only ones that say this: an item that has several forms never verifies. */
  readonly canonical: boolean;
  #id: Uint8Array | undefined;
  #unsignedId: Uint8Array | undefined;

  private constructor(parts: Parts) {
    this.signatureType = parts.signatureType;
    this.signature = parts.signature;
    this.owner = parts.owner;
    this.target = parts.target;
    this.anchor = parts.anchor;
    this.tags = parts.tags;
    this.tagBytes = parts.tagBytes;
    this.data = parts.data;
    this.canonical = parts.canonical;
  }

  /**
   * @throws AoError `bad-item` for unknown types, fields of a wrong length, tags that are too long
   */
  static create(fields: ItemFields): DataItem {
    const signatureType = fields.signatureType ?? RSA_TYPE;
    const kind = kindOf(signatureType);
    const tags = fields.tags ?? [];
    checkTags(tags);
    return new DataItem({
      signatureType,
      signature: ofLength('signature', fields.signature ?? zeros(kind.signature), kind.signature),
      owner: ofLength('owner', fields.owner ?? zeros(kind.owner), kind.owner),
      target: ofLength('target', fields.target ?? EMPTY, 32, 0),
      anchor: ofLength('anchor', fields.anchor ?? EMPTY, 32, 0),
      tags,
      tagBytes: writeTags(tags),
      data: fields.data ?? EMPTY,
      canonical: tags.every(({ name }) => name !== ''),
    });
  }

  /** Reads one item that fills `bytes`. @throws AoError `bad-item` */
  static parse(bytes: Uint8Array): DataItem {
    if (bytes.length < 2) throw bad('A data item is cut short.');
    const signatureType = bytes[0]! | (bytes[1]! << 8);
    const kind = kindOf(signatureType);
    const ownerAt = 2 + kind.signature;
    const targetAt = ownerAt + kind.owner;
    const anchorAt = afterOptional(bytes, targetAt, 'target');
    const countAt = afterOptional(bytes, anchorAt, 'anchor');
    const tagsAt = countAt + 16;
    if (tagsAt > bytes.length) throw bad('A data item is cut short.');
    const count = little64(bytes, countAt);
    const length = little64(bytes, countAt + 8);
    const dataAt = tagsAt + length;
    if (dataAt > bytes.length) throw bad('The tags of a data item are cut short.');
    const tagBytes = bytes.subarray(tagsAt, dataAt);
    const { tags, canonical } = length === 0 ? { tags: [], canonical: true } : readTags(tagBytes);
    return new DataItem({
      signatureType,
      signature: bytes.subarray(2, ownerAt),
      owner: bytes.subarray(ownerAt, targetAt),
      target: bytes.subarray(targetAt + 1, anchorAt),
      anchor: bytes.subarray(anchorAt + 1, countAt),
      tags,
      tagBytes,
      data: bytes.subarray(dataAt),
      canonical: canonical && tags.length === count,
    });
  }

  get byteLength(): number {
    const { signature, owner, target, anchor, tagBytes, data } = this;
    const optional = 2 + target.length + anchor.length;
    return 2 + signature.length + owner.length + optional + 16 + tagBytes.length + data.length;
  }

  /** The item as bytes; for one that was parsed, the same ones if it is canonical. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.byteLength);
    this.writeTo(out, 0);
    return out;
  }

  /** Writes the item into `out`, which has room for it. Answers where it ends. */
  writeTo(out: Uint8Array, start: number): number {
    let at = start;
    const put = (bytes: Uint8Array) => {
      out.set(bytes, at);
      at += bytes.length;
    };
    out[at++] = this.signatureType & 0xff;
    out[at++] = this.signatureType >> 8;
    put(this.signature);
    put(this.owner);
    for (const field of [this.target, this.anchor]) {
      out[at++] = field.length ? 1 : 0;
      put(field);
    }
    const view = new DataView(out.buffer, out.byteOffset + at, 16);
    view.setBigUint64(0, BigInt(this.tags.length), true);
    view.setBigUint64(8, BigInt(this.tagBytes.length), true);
    at += 16;
    put(this.tagBytes);
    put(this.data);
    return at;
  }

  get kind(): SignatureKind {
    return SIGNATURE_KINDS[this.signatureType]!;
  }

  /** False for the all-zero signature. */
  get signed(): boolean {
    return this.signature.some((byte) => byte !== 0);
  }

  /** SHA-256 of the signature. */
  get id(): Uint8Array {
    return (this.#id ??= sha256(this.signature));
  }

  /** SHA-256 of what would be signed with type 1 and an owner of zeros, so the same whoever signs. */
  get unsignedId(): Uint8Array {
    return (this.#unsignedId ??= sha256(
      signingData({
        signatureType: RSA_TYPE,
        owner: NO_OWNER,
        target: this.target,
        anchor: this.anchor,
        tagBytes: this.tagBytes,
        data: this.data,
      }),
    ));
  }

  /** ID in text: of the signature, or of an unsigned item its unsigned one. */
  get idText(): string {
    return toBase64Url(this.signed ? this.id : this.unsignedId);
  }

  /**
   * Address of who signed: `0x…` for Ethereum keys, else b64u(SHA-256(owner)), as gateways and nodes name them.
   * @throws AoError `bad-key` for an Ethereum key that is none
   */
  get signer(): string {
    return names(this).signer;
  }

  /** The owner as commitments name a key. */
  get keyid(): string {
    return names(this).keyid;
  }

  /** The same content with this signature. */
  withSignature(signature: Uint8Array): DataItem {
    return new DataItem({ ...this, signature: ofLength('signature', signature, this.kind.signature) });
  }

  /** Value of the first tag of exactly this name. */
  tag(name: string): Tag['value'] | undefined {
    return this.tags.find((tag) => tag.name === name)?.value;
  }
}

function kindOf(signatureType: number): SignatureKind {
  const kind = SIGNATURE_KINDS[signatureType];
  if (!kind) throw bad(`There is no signature type ${signatureType}.`, { signatureType });
  return kind;
}

function ofLength(field: string, bytes: Uint8Array, ...lengths: number[]): Uint8Array {
  if (lengths.includes(bytes.length)) return bytes;
  throw bad(`The ${field} of a data item cannot have ${bytes.length} bytes.`, { field });
}

function afterOptional(bytes: Uint8Array, at: number, field: string): number {
  if (at >= bytes.length) throw bad('A data item is cut short.');
  if (bytes[at] === 0) return at + 1;
  if (bytes[at] !== 1) throw bad(`The ${field} of a data item is neither there nor absent.`, { field });
  return at + 33;
}

/** Numbers beyond what any array can hold are all the same to the caller. */
function little64(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 7; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

interface Names {
  readonly signer: string;
  readonly keyid: string;
}

const known: Record<number, ByteCache<Names>> = {};

function names({ signatureType, owner }: DataItem): Names {
  const cache = (known[signatureType] ??= new ByteCache(512));
  return cache.get(owner, () => ({
    signer: signerOf(signatureType, owner),
    keyid: `publickey:${toBase64Url(owner)}`,
  }));
}

/** Who signs with `owner` in an item whose signature is of the kind `name`; undefined for no kind or no key of it. */
export function signerNamed(name: string, owner: Uint8Array): string | undefined {
  const found = Object.entries(SIGNATURE_KINDS).find(([, kind]) => kind.name === name);
  if (!found || found[1].owner !== owner.length) return undefined;
  try {
    return signerOf(Number(found[0]), owner);
  } catch {
    return undefined;
  }
}

function signerOf(signatureType: number, owner: Uint8Array): string {
  if (signatureType === 3) return ethereumAddress(owner);
  if (signatureType === 7) return checksummed(fromBytes(owner).slice(2));
  return toBase64Url(sha256(owner));
}
