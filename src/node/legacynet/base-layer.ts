/** Modules that are transactions of Arweave itself, not items in a bundle: as messages that an evaluation can use. */
import { fromBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { Message } from '../../message/message.ts';
import { transactionFrom } from '../../verify/arweave-transaction.ts';
import type { GatewayClient } from './gateway-client.ts';

/**
 * A transaction, checked: its tags under their names in lower case, and as they were written under `original-tags`; who
 * signed it under `owner`.
 * @throws AoError `transaction-…` (422), those of the gateway
 */
export async function loadTransaction(id: string, gateway: GatewayClient, limit: number): Promise<Message> {
  const header = await gateway.header(id);
  const transaction = await transactionFrom(header, await gateway.data(id, limit));
  if (transaction.id !== id)
    throw new AoError('transaction-id', 'The gateway shows another transaction than the one asked for.', {
      status: 422,
      detail: { id },
    });
  const tags = transaction.tags.map(({ name, value }) => ({
    name: fromBytes(name),
    value: fromBytes(value),
  }));
  return Message.of({
    ...Object.fromEntries(tags.map(({ name, value }) => [name.toLowerCase(), value])),
    owner: transaction.signer,
    'original-tags': tags.map((tag) => Message.of(tag)),
    data: transaction.data,
  });
}
