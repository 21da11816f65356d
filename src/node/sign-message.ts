/** Signs a message with the node's own key. */
import { HTTPSIG_DEVICE } from '../commitment/commitment.ts';
import { commitmentDevice } from '../commitment/devices.ts';
import type { Message } from '../message/message.ts';
import type { NodeContext } from '../resolver/node-context.ts';

export function signMessage(message: Message, context: NodeContext): Promise<Message> {
  const options = { signer: context.identity, load: context.cache.load.bind(context.cache) };
  return commitmentDevice(HTTPSIG_DEVICE)!.commit(message, { type: 'signed' }, options);
}
