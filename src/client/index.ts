/** What a page imports. */
export { AoError } from '../base/errors.ts';
export { isAoPath } from '../base/ao-path.ts';
export { openNode, type OpenNode, type OpenOptions } from './open-node.ts';
export type * from '../protocol/api.ts';
export { isProven, proven, unproven, verified, type Verified } from '../protocol/verified.ts';
export { forgetKey, openKeyFile, openWallet, type OpenWalletOptions } from './open-wallet.ts';
export type { KeyWallet } from '../wallet/key-file.ts';
export type { Wallet, WalletKind } from '../wallet/wallet.ts';
