/** A wallet for cases that are to be committed anew. */
import { RsaWallet } from '../../../../src/crypto/wallet.ts';

let wallet: Promise<RsaWallet> | undefined;

/** Made once for each worker. */
export function testWallet(): Promise<RsaWallet> {
  return (wallet ??= RsaWallet.generate());
}
