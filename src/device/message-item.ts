/** Messages that were signed as data items (ANS-104), as the very items that they were. */
import { AoError } from '../base/errors.ts';
import { encodeAns104 } from '../codec/ans104-encode.ts';
import { ANS104_DEVICE } from '../codec/ans104-fields.ts';
import type { DataItem } from '../codec/ans104-item.ts';
import { isBundled } from '../commitment/commitment.ts';
import { toTabm } from '../commitment/http.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { signaturesOf, type Signature } from './message-id.ts';

/** The signature over an item, where there is exactly one. */
export function itemSignature(message: Message): Signature | undefined {
  const signed = signaturesOf(message).filter(
    ({ commitment }) => commitment.text('commitment-device') === ANS104_DEVICE,
  );
  return signed.length === 1 ? signed[0] : undefined;
}

/** The item that a message was signed as; undefined for one that was signed otherwise. */
export async function itemOf(message: Message, context: Context): Promise<DataItem | undefined> {
  const signature = itemSignature(message);
  if (!signature) return undefined;
  try {
    // Nested messages as they were signed: in place, or as links.
    const bundle = isBundled(signature.commitment);
    const tabm = await toTabm(message, { bundle, load: (link) => context.cache.load(link) });
    const item = encodeAns104(tabm);
    return item.idText === signature.id ? item : undefined;
  } catch (thrown) {
    if (thrown instanceof AoError) return undefined;
    throw thrown;
  }
}
