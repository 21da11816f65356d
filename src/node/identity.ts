/** The node's key: made once, kept in the store, never exportable. */
import { RsaWallet, type WalletKeys } from '../crypto/wallet.ts';
import type { Store } from '../store/store.ts';

const NAME = 'node';

/** The wallet that the store holds, or a new one that it holds from now on. */
export async function nodeWallet(store: Store): Promise<RsaWallet> {
  const kept = await store.get<WalletKeys>('keys', NAME);
  if (kept) return new RsaWallet(kept);
  const wallet = await RsaWallet.generate();
  await store.write([{ table: 'keys', key: NAME, value: wallet.keys }], { durable: true });
  return wallet;
}
