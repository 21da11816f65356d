/**
 * Making and signing data items: our own few lines on WebCrypto and @noble. (The library that is usual for this,
 * arbundles, weighs 230 KB compressed and cannot check what it signs in a browser; tests compare with it in Node.)
 */
import { fromBase64, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { decodeItem } from '../codec/ans104.ts';
import { encodeAns104, type EncodeOptions } from '../codec/ans104-encode.ts';
import { ANS104_DEVICE } from '../codec/ans104-fields.ts';
import { signingDataAsync } from '../codec/ans104-hash.ts';
import { DataItem } from '../codec/ans104-item.ts';
import type { Tag } from '../codec/ans104-tags.ts';
import type { Ed25519Key } from '../crypto/ed25519.ts';
import type { EthereumKey } from '../crypto/ecdsa.ts';
import { Message } from '../message/message.ts';
import type { Tabm } from '../message/tabm.ts';
import { type Binary, binaryBytes } from '../message/value.ts';
import { solanaMessage } from './ans104-verify.ts';

/** Who signs items. Wallets of other makers (a browser extension) fit in by this shape. */
export interface ItemSigner {
  /** Signature type of the standard. */
  readonly signatureType: number;
  readonly owner: Uint8Array;
  /** Signature over the 48 bytes of the deep hash. */
  sign(signingData: Uint8Array): Promise<Uint8Array> | Uint8Array;
}

/** An RSA wallet, or the identity that a node was given. */
export function rsaSigner(identity: {
  readonly publicKey: Uint8Array;
  sign(data: Uint8Array, algorithm: 'rsa-pss-sha256'): Promise<Uint8Array>;
}): ItemSigner {
  return {
    signatureType: 1,
    owner: identity.publicKey,
    sign: (data) => identity.sign(data, 'rsa-pss-sha256'),
  };
}

export function ethereumSigner(key: EthereumKey): ItemSigner {
  return { signatureType: 3, owner: key.publicKey, sign: (data) => key.signPersonal(data) };
}

/** EIP-712: wallets show what is signed. The owner is the address in lower case, as other programs write it. */
export function typedEthereumSigner(key: EthereumKey): ItemSigner {
  return {
    signatureType: 7,
    owner: toBytes(key.address.toLowerCase()),
    sign: (data) => key.signBundlr(data),
  };
}

export function ed25519Signer(key: Ed25519Key): ItemSigner {
  return { signatureType: 2, owner: key.publicKey, sign: (data) => key.sign(data) };
}

/** As browser wallets of Solana sign: the hash in hexadecimal. */
export function solanaSigner(key: Ed25519Key): ItemSigner {
  return { signatureType: 4, owner: key.publicKey, sign: (data) => key.sign(solanaMessage(data)) };
}

/** Signs an item as this signer's, whoever's it was. @throws AoError `cannot-commit` for a signer that fails */
export async function signItem(item: DataItem, signer: ItemSigner): Promise<DataItem> {
  const unsigned = DataItem.create({
    signatureType: signer.signatureType,
    owner: signer.owner,
    target: item.target,
    anchor: item.anchor,
    tags: item.tags,
    data: item.data,
  });
  let signature: Uint8Array;
  try {
    signature = await signer.sign(await signingDataAsync(unsigned));
  } catch (thrown) {
    throw AoError.wrap(thrown, 'cannot-commit', 500);
  }
  return unsigned.withSignature(new Uint8Array(signature));
}

export interface ItemContent {
  readonly data?: Binary;
  readonly tags?: readonly Tag[];
  /** 43 characters. */
  readonly target?: string;
  /** 32 octets. */
  readonly anchor?: Uint8Array;
}

/** A new signed item. @throws AoError `bad-item`, `bad-base64`, `cannot-commit` */
export function createItem(content: ItemContent, signer: ItemSigner): Promise<DataItem> {
  const item = DataItem.create({
    ...(content.target === undefined ? {} : { target: fromBase64(content.target) }),
    ...(content.anchor === undefined ? {} : { anchor: content.anchor }),
    tags: content.tags ?? [],
    data: binaryBytes(content.data ?? ''),
  });
  return signItem(item, signer);
}

/**
 * Commits to all of a message (messages.md §8.6): it becomes a data item, is signed, and read again, so
 * what comes back is the message as the item says it, its keys in lower case. Other commitments and a former
 * ANS-104 one are gone.
 * @param tabm linked, or bundled where nested messages shall be in the item
 */
export async function commitAns104(
  tabm: Tabm,
  signer: ItemSigner,
  options: EncodeOptions = {},
): Promise<Tabm> {
  const item = encodeAns104(withoutAns104(tabm), options);
  const signed = decodeItem(await signItem(item, signer));
  if (signed instanceof Message) return signed;
  throw new AoError('cannot-commit', 'A message that reads as a binary cannot carry a commitment.');
}

function withoutAns104(tabm: Tabm): Tabm {
  const commitments = tabm.message('commitments');
  if (!commitments) return tabm;
  const others = commitments.filter(
    (_, value) => !(value instanceof Message && value.text('commitment-device') === ANS104_DEVICE),
  );
  return tabm.with({ commitments: others });
}
