/** `spawn` and `send` with a wallet: the node prepares, the wallet signs in the page, the node takes the signed item. */
import type {
  ItemContent,
  NodeApi,
  ProcessSummary,
  SendOptions,
  SendResult,
  SpawnOptions,
} from '../protocol/api.ts';
import type { Wallet } from '../wallet/wallet.ts';

type Signed = Pick<NodeApi, 'prepareSpawn' | 'spawnSigned' | 'sendSigned'>;

export async function spawnWith(
  node: Signed,
  wallet: Wallet,
  options: SpawnOptions,
): Promise<ProcessSummary> {
  const { content, kind } = await node.prepareSpawn(options);
  const { name } = options;
  return node.spawnSigned(await wallet.sign(content), { kind, ...(name ? { name } : {}) });
}

export async function sendWith(
  node: Signed,
  wallet: Wallet,
  process: string,
  message: SendOptions,
): Promise<SendResult> {
  const item = await wallet.sign(messageContent(process, message));
  const { compute } = message;
  return node.sendSigned(process, item, compute === undefined ? {} : { compute });
}

/** A message as wallets and legacynet's clients write it: names of tags as typed, an anchor that makes it one of a kind. */
export function messageContent(process: string, { action, data = '', tags = {} }: SendOptions): ItemContent {
  const own = { 'Data-Protocol': 'ao', Type: 'Message', Variant: 'ao.N.1' };
  const named = { ...tags, ...(action ? { Action: action } : {}), ...own };
  return {
    target: process,
    anchor: crypto.randomUUID().replaceAll('-', ''),
    tags: Object.entries(named).map(([name, value]) => ({ name, value })),
    data,
  };
}
