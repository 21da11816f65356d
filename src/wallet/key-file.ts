/**
 * Arweave keys that this page itself holds: from a key file (JWK), or a local one for development. Either is a
 * WebCrypto key. One from a file cannot be taken out again, and is kept only where the user says so; a local one can
 * be saved as a file, which is what makes it one for development alone.
 */
import { deleteDB, openDB } from 'idb';
import { AoError } from '../base/errors.ts';
import { RSA_TYPE } from '../codec/ans104-item.ts';
import { RsaWallet, type WalletKeys } from '../crypto/wallet.ts';
import { buildItem } from './data-item.ts';
import { disconnected } from './errors.ts';
import { Connection, type Wallet } from './wallet.ts';

const DATABASE = 'beamlet-wallets';
const TABLE = 'keys';

interface Kept {
  readonly name: string;
  readonly keys: WalletKeys;
}

/** A wallet whose key is in this page. */
export interface KeyWallet extends Wallet {
  /** The private key in JWK form. @throws AoError `key-not-exportable` (403) for one that came from a file */
  exportKey(): Promise<JsonWebKey>;
}

/** From the text of a key file. `keep`: it is there after a reload. @throws AoError `bad-key` */
export async function openKeyFile(text: string, name: string, { keep = false } = {}): Promise<KeyWallet> {
  let jwk: unknown;
  try {
    jwk = JSON.parse(text);
  } catch (cause) {
    throw new AoError('bad-key', `${name} is no key file: it is not JSON.`, { cause });
  }
  const wallet = await RsaWallet.fromJwk(jwk);
  if (keep) await write('file', { name, keys: wallet.keys });
  else await forget('file');
  return keyWallet('file', name, wallet);
}

/** The local key of this browser, made if there is none yet (some seconds). */
export async function openLocalKey({ silent = false } = {}): Promise<KeyWallet> {
  const kept = await read('local');
  if (!kept && silent) throw disconnected('The local key');
  const wallet = kept ? new RsaWallet(kept.keys) : await RsaWallet.generate({ extractable: true });
  const name = 'Local development key';
  if (!kept) await write('local', { name, keys: wallet.keys });
  return keyWallet('local', name, wallet);
}

/** The key of a file that was kept. @throws AoError `wallet-disconnected` (403) if none was */
export async function openKeptFile(): Promise<KeyWallet> {
  const kept = await read('file');
  if (!kept) throw disconnected('The key file');
  return keyWallet('file', kept.name, new RsaWallet(kept.keys));
}

/** Deletes what was kept of a wallet. */
export async function forget(kind: 'file' | 'local'): Promise<void> {
  const database = await open();
  await database.delete(TABLE, kind);
  const rest = await database.count(TABLE);
  database.close();
  if (rest === 0) await deleteDB(DATABASE);
}

function keyWallet(kind: 'file' | 'local', name: string, wallet: RsaWallet): KeyWallet {
  const connection = new Connection();
  return {
    kind,
    name,
    address: wallet.address,
    get connected() {
      return connection.connected;
    },
    onChange: connection.onChange,
    async sign(content) {
      if (!connection.connected) throw disconnected(name);
      const sign = (data: Uint8Array) => wallet.sign(data, 'rsa-pss-sha256');
      return buildItem(content, { signatureType: RSA_TYPE, owner: wallet.publicKey, sign }, name);
    },
    async disconnect() {
      // The local key is kept: what it owns would be lost with it.
      if (kind === 'file') await forget('file');
      connection.end();
    },
    exportKey: () => wallet.toJwk(),
  };
}

const open = () =>
  openDB(DATABASE, 1, {
    upgrade: (database) => {
      database.createObjectStore(TABLE);
    },
  });

async function read(kind: string): Promise<Kept | undefined> {
  const database = await open();
  try {
    return (await database.get(TABLE, kind)) as Kept | undefined;
  } finally {
    database.close();
  }
}

async function write(kind: string, kept: Kept): Promise<void> {
  const database = await open();
  try {
    await database.put(TABLE, kept, kind);
  } finally {
    database.close();
  }
}
