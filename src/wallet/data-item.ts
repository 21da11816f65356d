/**
 * Data items for wallets to sign: arbundles builds them and puts the signature in, our own code checks the result
 * (arbundles cannot verify an Arweave signature in Chromium). It is large, so it loads with the first signature.
 */
import { equalBytes, fromBase64, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { DataItem } from '../codec/ans104.ts';
import { verifyItem } from '../commitment/ans104-verify.ts';
import type { ItemContent } from '../protocol/api.ts';

/** A key somewhere that signs the 48 octets of an item's deep hash. */
export interface RawSigner {
  /** Signature type of the standard: 1 Arweave, 3 Ethereum. */
  readonly signatureType: 1 | 3;
  readonly owner: Uint8Array;
  sign(signingData: Uint8Array): Promise<Uint8Array> | Uint8Array;
}

const LENGTHS = { 1: { signature: 512, owner: 512 }, 3: { signature: 65, owner: 65 } } as const;

/** Builds an item and has it signed. @throws AoError `bad-item`, what the signer throws, `wallet-differs` */
export async function buildItem(content: ItemContent, signer: RawSigner, name: string): Promise<Uint8Array> {
  const { createData } = await import('arbundles/bundle');
  const { signature, owner } = LENGTHS[signer.signatureType];
  const theirs = {
    publicKey: signer.owner,
    signatureType: signer.signatureType,
    signatureLength: signature,
    ownerLength: owner,
    sign: async (data: Uint8Array) => signer.sign(new Uint8Array(data)),
  };
  let item;
  try {
    // Their types ask for Node's Buffer where any octets will do.
    item = createData(content.data, theirs as never, {
      tags: content.tags,
      ...(content.target === undefined ? {} : { target: content.target }),
      ...(content.anchor === undefined ? {} : { anchor: content.anchor }),
    });
  } catch (cause) {
    throw new AoError('bad-item', `This cannot be a data item: ${(cause as Error).message}`, { cause });
  }
  await item.sign(theirs as never);
  return checkedItem(new Uint8Array(item.getRaw()), content, name);
}

/**
 * The octets if they are an item of this content with a valid signature, by `owner` where that is known.
 * @throws AoError `wallet-differs` (502)
 */
export async function checkedItem(
  bytes: Uint8Array,
  content: ItemContent,
  name: string,
  owner?: Uint8Array,
): Promise<Uint8Array> {
  const differs = (what: string) =>
    new AoError('wallet-differs', `What ${name} signed is not what it was asked to sign: ${what}.`, {
      status: 502,
    });
  let item: DataItem;
  try {
    item = DataItem.parse(bytes);
  } catch (thrown) {
    throw differs(AoError.wrap(thrown).message);
  }
  const target = content.target === undefined ? new Uint8Array() : fromBase64(content.target);
  const data = typeof content.data === 'string' ? toBytes(content.data) : content.data;
  if (!equalBytes(item.target, target)) throw differs('the target is another');
  if (content.anchor !== undefined && !equalBytes(item.anchor, toBytes(content.anchor)))
    throw differs('the anchor is another');
  if (!equalBytes(item.data, data)) throw differs('the data is other data');
  const same =
    item.tags.length === content.tags.length &&
    content.tags.every(({ name: tag, value }, index) => {
      const signed = item.tags[index]!;
      return signed.name === tag && signed.value === value;
    });
  if (!same) throw differs('the tags are others');
  if (owner && !equalBytes(item.owner, owner)) throw differs('another account signed it');
  if (!item.signed || !(await verifyItem(item))) throw differs('the signature does not hold');
  return bytes;
}
