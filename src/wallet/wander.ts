/** Wander, and every other extension that offers `window.arweaveWallet`. It may appear some time after the page. */
import { fromBase64 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { addressOf } from '../crypto/address.ts';
import { RSA_TYPE } from '../codec/ans104-item.ts';
import { buildItem, checkedItem } from './data-item.ts';
import { disconnected, walletError } from './errors.ts';
import { Connection, type Wallet } from './wallet.ts';

/** What we ask of the extension; none of it lets us move anything. */
const PERMISSIONS = ['ACCESS_ADDRESS', 'ACCESS_PUBLIC_KEY', 'SIGNATURE', 'SIGN_TRANSACTION'] as const;
/** How long an extension may take to appear, milliseconds. */
const APPEAR = 3_000;

/** The part of the interface that is used. */
interface ArweaveWallet {
  readonly walletName?: string;
  connect(permissions: readonly string[], app?: { name: string; logo?: string }): Promise<void>;
  disconnect(): Promise<void>;
  getPermissions(): Promise<string[]>;
  getActiveAddress(): Promise<string>;
  getActivePublicKey(): Promise<string>;
  signDataItem?(item: {
    data: string | Uint8Array;
    tags?: { name: string; value: string }[];
    target?: string;
    anchor?: string;
  }): Promise<ArrayBuffer | ArrayBufferView | ArrayLike<number>>;
  signature?(data: Uint8Array, algorithm: { name: string; saltLength: number }): Promise<ArrayLike<number>>;
  readonly events?: {
    on?(event: string, listener: (detail?: unknown) => void): void;
    off?(event: string, listener: (detail?: unknown) => void): void;
  };
}

const injected = () => (globalThis as { arweaveWallet?: ArweaveWallet }).arweaveWallet;

/** True if an extension is there now. */
export function hasWander(): boolean {
  return injected() !== undefined;
}

/**
 * Connects; the extension asks the user. `silent`: only if the user allowed it before.
 * @throws AoError `no-wallet` (404), `wallet-refused` (403), `wallet-failed` (502)
 */
export async function connectWander({ silent = false } = {}): Promise<Wallet> {
  const wallet = await appeared();
  if (!wallet)
    throw new AoError('no-wallet', 'There is no Arweave wallet in this browser. Wander is one: wander.app.', {
      status: 404,
    });
  const name = wallet.walletName ?? 'Wander';
  try {
    const given = (await wallet.getPermissions().catch((): string[] => [])) ?? [];
    if (!PERMISSIONS.every((one) => given.includes(one))) {
      if (silent) throw disconnected(name);
      await wallet.connect(PERMISSIONS, { name: 'Beamlet' });
    }
    return await opened(wallet, name);
  } catch (thrown) {
    throw walletError(name, thrown);
  }
}

async function opened(wallet: ArweaveWallet, name: string): Promise<Wallet> {
  const connection = new Connection();
  let owner = fromBase64(await wallet.getActivePublicKey());
  const change = async () => {
    try {
      owner = fromBase64(await wallet.getActivePublicKey());
      connection.changed();
    } catch {
      // Locked or taken away: it says so when it is asked to sign.
      connection.end();
    }
  };
  const onSwitch = () => void change();
  const onEnd = () => stop();
  const stop = () => {
    removeEventListener('walletSwitch', onSwitch);
    wallet.events?.off?.('activeAddress', onSwitch);
    wallet.events?.off?.('disconnect', onEnd);
    connection.end();
  };
  addEventListener('walletSwitch', onSwitch);
  wallet.events?.on?.('activeAddress', onSwitch);
  wallet.events?.on?.('disconnect', onEnd);

  return {
    kind: 'wander',
    name,
    get address() {
      return addressOf(owner);
    },
    get connected() {
      return connection.connected;
    },
    onChange: connection.onChange,
    async sign(content) {
      if (!connection.connected) throw disconnected(name);
      const by = owner;
      try {
        if (wallet.signDataItem) {
          const { data, tags, target, anchor } = content;
          const signed = await wallet.signDataItem({
            data,
            tags,
            ...(target === undefined ? {} : { target }),
            ...(anchor === undefined ? {} : { anchor }),
          });
          return await checkedItem(octets(signed), content, name, by);
        }
        const { signature } = wallet;
        if (!signature)
          throw new AoError('wallet-failed', `${name} cannot sign data items.`, { status: 502 });
        const sign = async (data: Uint8Array) =>
          octets(await signature.call(wallet, data, { name: 'RSA-PSS', saltLength: 32 }));
        return await buildItem(content, { signatureType: RSA_TYPE, owner: by, sign }, name);
      } catch (thrown) {
        throw walletError(name, thrown);
      }
    },
    async disconnect() {
      stop();
      await wallet.disconnect().catch(() => {});
    },
  };
}

/** The extension, as soon as it has put itself into the page. */
async function appeared(): Promise<ArweaveWallet | undefined> {
  if (injected()) return injected();
  const wait = Math.max(0, APPEAR - performance.now());
  await new Promise<void>((resolve) => {
    addEventListener('arweaveWalletLoaded', () => resolve(), { once: true });
    setTimeout(resolve, wait);
  });
  return injected();
}

/** Octets in any of the forms in which extensions hand them over: some are turned into objects on the way. */
function octets(value: ArrayBuffer | ArrayBufferView | ArrayLike<number>): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value))
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  return Uint8Array.from(Object.values(value) as number[]);
}
