/** Wallets that the node keeps for callers who prove themselves by a secret (resolver.md §9.13). */
import { toBase64Url, toBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { sha256 } from '../crypto/hash.ts';
import { RsaWallet, type WalletKeys } from '../crypto/wallet.ts';
import type { Binary } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';

/** Wallets that one node keeps; making one is seconds of work that strangers ask for. */
const MAX_WALLETS = 256;
const PREFIX = 'hosted ';

/** The name by which a secret is known: its hash. */
export function keyidOf(secret: Binary): string {
  return toBase64Url(sha256(typeof secret === 'string' ? toBytes(secret) : secret));
}

/** The wallet of a secret; made and stored when it is first asked for. @throws AoError `too-many-wallets` (503) */
export function hostedWallet(keyid: string, context: Context): Promise<RsaWallet> {
  const open = context.memory('hosted-wallets', () => new Map<string, Promise<RsaWallet>>());
  let wallet = open.get(keyid);
  if (!wallet) {
    wallet = load(keyid, context);
    open.set(keyid, wallet);
    wallet.catch(() => open.delete(keyid));
  }
  return wallet;
}

async function load(keyid: string, context: Context): Promise<RsaWallet> {
  const kept = await context.store.get<WalletKeys>('keys', PREFIX + keyid);
  if (kept) return new RsaWallet(kept);
  if ((await hostedKeyids(context)).length >= MAX_WALLETS)
    throw new AoError('too-many-wallets', 'The node keeps as many wallets as it may.', { status: 503 });
  const wallet = await RsaWallet.generate();
  await keepWallet(keyid, wallet, context);
  return wallet;
}

export async function keepWallet(keyid: string, wallet: RsaWallet, context: Context): Promise<void> {
  await context.store.write([{ table: 'keys', key: PREFIX + keyid, value: wallet.keys }], { durable: true });
}

/** Names of the secrets whose wallets are kept. */
export async function hostedKeyids(context: Context): Promise<string[]> {
  const keys = await context.store.keys('keys', { from: PREFIX, to: `${PREFIX}\uffff` });
  return keys.map((key) => String(key).slice(PREFIX.length));
}
