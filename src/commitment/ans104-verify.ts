/** Signatures of data items, of every type of the standard (ANS-104 §2; messages.md §8.1, §8.2). */
import { fromBytes, toBytes, toHex } from '../base/bytes.ts';
import { isLarge, signingData, signingDataAsync } from '../codec/ans104-hash.ts';
import { type DataItem, RSA_TYPE } from '../codec/ans104-item.ts';
import { withinLimits } from '../codec/ans104-tags.ts';
import { verifyBundlr, verifyPersonal } from '../crypto/ecdsa.ts';
import { verifyEd25519 } from '../crypto/ed25519.ts';
import { verifyPss } from '../crypto/rsa.ts';

/**
 * True if the item's signature is by its owner over its content, and the item is in the one canonical form and
 * within the limits of the standard: at most 128 tags, names of 1024 and values of 3072 bytes.
 */
export function verifyItem(item: DataItem): Promise<boolean> {
  if (!item.canonical || !withinLimits(item.tags)) return Promise.resolve(false);
  // No waiting for what is there: a thousand small items are checked in the time of their signatures.
  if (!isLarge(item.data)) return verifySignature(item, signingData(item));
  return signingDataAsync(item).then((message) => verifySignature(item, message));
}

function verifySignature(item: DataItem, message: Uint8Array): Promise<boolean> {
  if (item.signatureType === RSA_TYPE) return verifyPss(item.owner, item.signature, message, 'sha256');
  return Promise.resolve(verifyCurve(item, message));
}

function verifyCurve({ signatureType, owner, signature }: DataItem, message: Uint8Array): boolean {
  switch (signatureType) {
    case 2:
      return verifyEd25519(owner, message, signature);
    case 3:
      return verifyPersonal(owner, message, signature);
    case 4:
      return verifyEd25519(owner, solanaMessage(message), signature);
    case 5:
      return verifyEd25519(owner, aptosMessage(message), signature);
    case 6:
      return verifyMultiAptos(owner, message, signature);
    case 7:
      return verifyBundlr(fromBytes(owner), message, signature);
    default:
      return false;
  }
}

/** Browser wallets of Solana sign text: the hash in hexadecimal. */
export function solanaMessage(message: Uint8Array): Uint8Array {
  return toBytes(toHex(message));
}

/** Aptos wallets sign text of this form. */
export function aptosMessage(message: Uint8Array): Uint8Array {
  return toBytes(`APTOS\nmessage: ${toHex(message)}\nnonce: bundlr`);
}

const SIGNERS = 32;

/**
 * Owner: 32 keys, then how many have to sign. Signature: 32 signatures, then a bit for each that is there.
 * Every one that is there must be right, no key counts twice, and there must be enough of them.
 */
function verifyMultiAptos(owner: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const threshold = Math.max(1, owner[32 * SIGNERS]!);
  const keys = new Set<string>();
  for (let i = 0; i < SIGNERS; i++) {
    const present = signature[64 * SIGNERS + (i >> 3)]! & (0x80 >> (i & 7));
    const part = signature.subarray(64 * i, 64 * (i + 1));
    if (!present) {
      // Bytes that nothing covers would let anyone make a second ID for the item.
      if (part.some((byte) => byte !== 0)) return false;
      continue;
    }
    const key = owner.subarray(32 * i, 32 * (i + 1));
    if (!verifyEd25519(key, message, part)) return false;
    keys.add(toHex(key));
  }
  return keys.size >= threshold;
}
