/** The wallets that there are, each loaded when it is first asked for. */
import { AoError } from '../base/errors.ts';
import type { KeyWallet } from '../wallet/key-file.ts';
import type { Wallet, WalletKind } from '../wallet/wallet.ts';

export interface OpenWalletOptions {
  /** Asks nobody: only a connection that was allowed before, or a key that was kept. */
  silent?: boolean;
}

/**
 * Connects a wallet; `wander` is any extension that offers `window.arweaveWallet`.
 * @throws AoError `no-wallet` (404), `wallet-refused`, `wallet-disconnected` (403), `wallet-failed` (502)
 */
export async function openWallet(kind: WalletKind, options: OpenWalletOptions = {}): Promise<Wallet> {
  switch (kind) {
    case 'wander':
      return (await import('../wallet/wander.ts')).connectWander(options);
    case 'ethereum':
      return (await import('../wallet/ethereum.ts')).connectEthereum(options);
    case 'local':
      return (await import('../wallet/key-file.ts')).openLocalKey(options);
    case 'file':
      return (await import('../wallet/key-file.ts')).openKeptFile();
    default:
      throw new AoError('no-wallet', `There is no wallet of the kind ${String(kind)}.`, { status: 404 });
  }
}

/**
 * An Arweave key file (JWK) as a wallet. Its key cannot be taken out of the page again; `keep` stores it, so that
 * `openWallet('file')` finds it after a reload.
 * @throws AoError `bad-key`
 */
export async function openKeyFile(file: Blob, options: { keep?: boolean } = {}): Promise<KeyWallet> {
  const name = file instanceof File ? file.name : 'Key file';
  if (file.size > 64 * 1024) throw new AoError('bad-key', `${name} is too large for a key file.`);
  return (await import('../wallet/key-file.ts')).openKeyFile(await file.text(), name, options);
}

/** Deletes the key of a file or the local one from this browser. What it owns can be signed for no more. */
export async function forgetKey(kind: 'file' | 'local'): Promise<void> {
  return (await import('../wallet/key-file.ts')).forget(kind);
}
