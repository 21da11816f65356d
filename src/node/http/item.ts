/** A request whose body is a signed data item (ANS-104): the item alone is the message. */
import { AoError } from '../../base/errors.ts';
import { DataItem, decodeItem as toTabm } from '../../codec/ans104.ts';
import { decodeStructured } from '../../codec/structured.ts';
import { verifyItem } from '../../commitment/ans104-verify.ts';
import { Message } from '../../message/message.ts';

export interface SignedItem {
  readonly message: Message;
  /** Address of the item's owner. */
  readonly signer: string;
}

/** @throws AoError `bad-signature` (400), and all that bad bytes throw */
export async function decodeItem(body: Uint8Array): Promise<SignedItem> {
  const item = DataItem.parse(body);
  if (!item.signed || !(await verifyItem(item)))
    throw new AoError('bad-signature', 'The data item is not signed, or its signature does not hold.');
  const message = decodeStructured(toTabm(item));
  if (!(message instanceof Message))
    throw new AoError('bad-body', 'The data item is a binary, not a message.');
  return { message, signer: item.signer };
}
