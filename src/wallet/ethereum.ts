/**
 * Ethereum wallets (EIP-1193, `window.ethereum`). A data item of type 3 names the public key, which a wallet does not
 * hand out: it is recovered from the signature on a sentence that signs nothing else.
 */
import { fromHex, toBytes, toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { checksummed, ethereumAddress } from '../crypto/address.ts';
import { personalHash, recoverKey } from '../crypto/ecdsa.ts';
import { buildItem } from './data-item.ts';
import { disconnected, walletError } from './errors.ts';
import { Connection, type Wallet } from './wallet.ts';

interface Provider {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
  on?(event: string, listener: (detail: never) => void): void;
  removeListener?(event: string, listener: (detail: never) => void): void;
  readonly isMetaMask?: boolean;
}

const ETHEREUM_TYPE = 3;
const KEY = 'beamlet:ethereum-key:';
const injected = () => (globalThis as { ethereum?: Provider }).ethereum;

export function hasEthereum(): boolean {
  return injected() !== undefined;
}

/**
 * Connects; the wallet asks the user for an account, and once for its public key. `silent`: only if both are known.
 * @throws AoError `no-wallet` (404), `wallet-refused` (403), `wallet-failed` (502)
 */
export async function connectEthereum({ silent = false } = {}): Promise<Wallet> {
  const provider = injected();
  if (!provider)
    throw new AoError('no-wallet', 'There is no Ethereum wallet in this browser.', { status: 404 });
  const name = provider.isMetaMask ? 'MetaMask' : 'The Ethereum wallet';
  try {
    const account = first(
      await provider.request({ method: silent ? 'eth_accounts' : 'eth_requestAccounts' }),
    );
    if (!account) throw disconnected(name);
    const key = knownKey(account) ?? (silent ? undefined : await askKey(provider, account, name));
    if (!key) throw disconnected(name);
    return opened(provider, name, account, key);
  } catch (thrown) {
    throw walletError(name, thrown);
  }
}

function opened(provider: Provider, name: string, account: string, key: Uint8Array): Wallet {
  const connection = new Connection();
  let active = account;
  let owner: Uint8Array | undefined = key;
  const onAccounts = (accounts: unknown) => {
    const next = first(accounts);
    if (!next) return stop();
    active = next;
    owner = knownKey(next);
    connection.changed();
  };
  const onEnd = () => stop();
  const stop = () => {
    provider.removeListener?.('accountsChanged', onAccounts as (detail: never) => void);
    provider.removeListener?.('disconnect', onEnd);
    connection.end();
  };
  provider.on?.('accountsChanged', onAccounts as (detail: never) => void);
  provider.on?.('disconnect', onEnd);

  return {
    kind: 'ethereum',
    name,
    get address() {
      return checksummed(active.slice(2).toLowerCase());
    },
    get connected() {
      return connection.connected;
    },
    onChange: connection.onChange,
    async sign(content) {
      if (!connection.connected) throw disconnected(name);
      try {
        // An account that was switched to in the wallet is asked for its key when it first signs.
        const by = active;
        owner ??= await askKey(provider, by, name);
        const sign = (data: Uint8Array) => personalSign(provider, by, data);
        return await buildItem(content, { signatureType: ETHEREUM_TYPE, owner, sign }, name);
      } catch (thrown) {
        throw walletError(name, thrown);
      }
    },
    async disconnect() {
      stop();
      // Few wallets can; those that cannot go on listing this page as connected.
      await provider
        .request({ method: 'wallet_revokePermissions', params: [{ eth_accounts: {} }] })
        .catch(() => {});
    },
  };
}

async function personalSign(provider: Provider, account: string, data: Uint8Array): Promise<Uint8Array> {
  const said = await provider.request({ method: 'personal_sign', params: [`0x${toHex(data)}`, account] });
  if (typeof said !== 'string' || !/^0x[0-9a-fA-F]{130}$/.test(said))
    throw new AoError('wallet-failed', 'The wallet answered with something that is no signature.', {
      status: 502,
    });
  const signature = fromHex(said.slice(2).toLowerCase());
  // Some hardware wallets count from 0.
  if (signature[64]! < 27) signature[64]! += 27;
  return signature;
}

/** The public key of an account, from its signature on a sentence; kept, so that it is asked for once. */
async function askKey(provider: Provider, account: string, name: string): Promise<Uint8Array> {
  const sentence = toBytes(
    `Show ${location.host} the public key of this account. Signing this sentence allows nothing.`,
  );
  const key = recoverKey(personalHash(sentence), await personalSign(provider, account, sentence));
  if (!key || ethereumAddress(key).toLowerCase() !== account.toLowerCase())
    throw new AoError('wallet-differs', `${name} signed with another account than the one it named.`, {
      status: 502,
    });
  try {
    localStorage.setItem(KEY + account.toLowerCase(), toHex(key));
  } catch {
    // Storage denied: it is asked for again next time.
  }
  return key;
}

function knownKey(account: string): Uint8Array | undefined {
  try {
    const kept = localStorage.getItem(KEY + account.toLowerCase());
    const key = kept && /^04[0-9a-f]{128}$/.test(kept) ? fromHex(kept) : undefined;
    return key && ethereumAddress(key).toLowerCase() === account.toLowerCase() ? key : undefined;
  } catch {
    return undefined;
  }
}

function first(accounts: unknown): string | undefined {
  const found: unknown = Array.isArray(accounts) ? accounts[0] : undefined;
  return typeof found === 'string' && /^0x[0-9a-fA-F]{40}$/.test(found) ? found : undefined;
}
