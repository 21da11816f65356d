/** Wallets in a real browser: extensions played by real keys, items built by arbundles, checked by our own code. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBase64Url, toBytes, toHex } from '../../../src/base/bytes.ts';
import { DataItem } from '../../../src/codec/ans104.ts';
import { createItem, ethereumSigner, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { EthereumKey } from '../../../src/crypto/ecdsa.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import type { ItemContent } from '../../../src/protocol/api.ts';
import { connectEthereum } from '../../../src/wallet/ethereum.ts';
import { forget, openKeptFile, openKeyFile, openLocalKey } from '../../../src/wallet/key-file.ts';
import { connectWander } from '../../../src/wallet/wander.ts';

const scope = globalThis as { arweaveWallet?: unknown; ethereum?: unknown };
let rsa: RsaWallet;
let other: RsaWallet;
const key = EthereumKey.generate();
const content: ItemContent = {
  target: toBase64Url(new Uint8Array(32).fill(5)),
  anchor: 'a'.repeat(32),
  tags: [
    { name: 'Action', value: 'Eval' },
    { name: 'größe', value: 'ä "x", y' },
    { name: 'empty', value: '' },
  ],
  data: '1 + 1',
};

beforeAll(async () => {
  rsa = await RsaWallet.generate({ extractable: true });
  other = await RsaWallet.generate();
}, 60_000);
afterEach(() => {
  delete scope.arweaveWallet;
  delete scope.ethereum;
  localStorage.clear();
});

/** An extension as Wander is, for one key; `more` changes it. */
function wander(more: Record<string, unknown> = {}) {
  const asked: string[] = [];
  let given: string[] = [];
  const listeners = new Map<string, () => void>();
  let active = rsa;
  const wallet = {
    walletName: 'Fake Wander',
    connect: async (permissions: string[]) => {
      asked.push('connect');
      given = permissions;
    },
    disconnect: async () => {
      given = [];
    },
    getPermissions: async () => given,
    getActiveAddress: async () => active.address,
    getActivePublicKey: async () => toBase64Url(active.publicKey),
    signDataItem: async ({ data, tags, target, anchor }: ItemContent) => {
      asked.push('signDataItem');
      const item = await createItem(
        {
          data,
          tags,
          ...(target === undefined ? {} : { target }),
          ...(anchor === undefined ? {} : { anchor: toBytes(anchor) }),
        },
        rsaSigner(active),
      );
      return item.toBytes().buffer;
    },
    signature: async (data: Uint8Array) => {
      asked.push('signature');
      return { ...(await active.sign(data, 'rsa-pss-sha256')) };
    },
    events: {
      on: (event: string, listener: () => void) => void listeners.set(event, listener),
      off: (event: string) => void listeners.delete(event),
    },
    ...more,
  };
  scope.arweaveWallet = wallet;
  return {
    asked,
    emit: (event: string) => listeners.get(event)?.(),
    become: (next: RsaWallet) => {
      active = next;
      dispatchEvent(new CustomEvent('walletSwitch', { detail: { address: next.address } }));
    },
  };
}

/** An EIP-1193 provider of one key. */
function ethereum(more: (method: string, params: unknown[]) => unknown = () => undefined) {
  const asked: string[] = [];
  const listeners = new Map<string, (detail: unknown) => void>();
  scope.ethereum = {
    isMetaMask: true,
    request: async ({ method, params = [] }: { method: string; params?: unknown[] }) => {
      asked.push(method);
      const own = more(method, params);
      if (own !== undefined) return own;
      if (/^eth_(requestA|a)ccounts$/.test(method)) return [key.address.toLowerCase()];
      if (method === 'personal_sign') return `0x${toHex(key.signPersonal(bytesOfHex(String(params[0]))))}`;
      throw Object.assign(new Error('Unsupported'), { code: 4200 });
    },
    on: (event: string, listener: (detail: unknown) => void) => void listeners.set(event, listener),
    removeListener: (event: string) => void listeners.delete(event),
  };
  return { asked, emit: (event: string, detail: unknown) => listeners.get(event)?.(detail) };
}

const bytesOfHex = (hex: string) =>
  Uint8Array.from(hex.slice(2).match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** The item without its signature. */
function unsigned(bytes: Uint8Array): string {
  const item = DataItem.parse(bytes);
  return fromBytes(item.withSignature(new Uint8Array(item.signature.length)).toBytes());
}

describe('Wander', () => {
  it('asks for permissions once, signs items, and they are what our own signer makes', async () => {
    const { asked } = wander();
    const wallet = await connectWander();
    expect(wallet).toMatchObject({
      kind: 'wander',
      name: 'Fake Wander',
      address: rsa.address,
      connected: true,
    });
    const bytes = await wallet.sign(content);
    const item = DataItem.parse(bytes);
    expect(await verifyItem(item)).toBe(true);
    expect(item.signer).toBe(rsa.address);
    const ours = await createItem({ ...content, anchor: toBytes(content.anchor!) } as never, rsaSigner(rsa));
    expect(unsigned(bytes)).toBe(unsigned(ours.toBytes()));
    await connectWander({ silent: true });
    expect(asked).toEqual(['connect', 'signDataItem']);
  });

  it('without signDataItem: arbundles builds the item, the extension gives the signature', async () => {
    const { asked } = wander({ signDataItem: undefined });
    const bytes = await (await connectWander()).sign(content);
    expect(await verifyItem(DataItem.parse(bytes))).toBe(true);
    const ours = await createItem({ ...content, anchor: toBytes(content.anchor!) } as never, rsaSigner(rsa));
    expect(unsigned(bytes)).toBe(unsigned(ours.toBytes()));
    expect(asked).toContain('signature');
  });

  it('follows the account that is active, and the end of the connection', async () => {
    const { become, emit } = wander();
    const wallet = await connectWander();
    let told = 0;
    wallet.onChange(() => told++);
    become(other);
    await expect.poll(() => wallet.address).toBe(other.address);
    expect(DataItem.parse(await wallet.sign(content)).signer).toBe(other.address);
    emit('disconnect');
    expect(wallet.connected).toBe(false);
    expect(told).toBe(2);
    await expect(wallet.sign(content)).rejects.toMatchObject({ code: 'wallet-disconnected' });
  });

  it.each([
    ['other data', { data: '2 + 2' }],
    ['another target', { target: toBase64Url(new Uint8Array(32).fill(6)) }],
    ['other tags', { tags: [{ name: 'Action', value: 'Transfer' }] }],
  ])('refuses an item with %s', async (_, change) => {
    wander({
      signDataItem: async () =>
        (
          await createItem(
            { ...content, anchor: toBytes(content.anchor!), ...change } as never,
            rsaSigner(rsa),
          )
        ).toBytes(),
    });
    await expect((await connectWander()).sign(content)).rejects.toMatchObject({ code: 'wallet-differs' });
  });

  it('refuses an item of another account, and one whose signature does not hold', async () => {
    const sign = async (by: RsaWallet) =>
      (await createItem({ ...content, anchor: toBytes(content.anchor!) } as never, rsaSigner(by))).toBytes();
    wander({ signDataItem: () => sign(other) });
    await expect((await connectWander()).sign(content)).rejects.toMatchObject({ code: 'wallet-differs' });
    wander({
      signDataItem: async () => {
        const bytes = await sign(rsa);
        bytes[100]! ^= 1;
        return bytes;
      },
    });
    await expect((await connectWander()).sign(content)).rejects.toMatchObject({ code: 'wallet-differs' });
  });

  it('says when the user refused, when it failed, and when there is none', async () => {
    wander({ signDataItem: () => Promise.reject(new Error('User cancelled the AuthRequest')) });
    await expect((await connectWander()).sign(content)).rejects.toMatchObject({ code: 'wallet-refused' });
    wander({ connect: () => Promise.reject(new Error('boom')) });
    await expect(connectWander()).rejects.toMatchObject({ code: 'wallet-failed' });
    wander();
    await expect(connectWander({ silent: true })).rejects.toMatchObject({ code: 'wallet-disconnected' });
    delete scope.arweaveWallet;
    await expect(connectWander()).rejects.toMatchObject({ code: 'no-wallet' });
  });
});

describe('an Ethereum wallet', () => {
  it('shows its key once and signs items that are ours to the byte', async () => {
    const { asked } = ethereum();
    const wallet = await connectEthereum();
    expect(wallet).toMatchObject({ kind: 'ethereum', name: 'MetaMask', address: key.address });
    const bytes = await wallet.sign(content);
    const ours = await createItem(
      { ...content, anchor: toBytes(content.anchor!) } as never,
      ethereumSigner(key),
    );
    expect(toHex(bytes)).toBe(toHex(ours.toBytes()));
    await connectEthereum({ silent: true });
    expect(asked.filter((method) => method === 'personal_sign')).toHaveLength(2);
  });

  it('takes signatures that count from 0', async () => {
    ethereum((method, params) => {
      if (method !== 'personal_sign') return undefined;
      const signature = key.signPersonal(bytesOfHex(String(params[0])));
      signature[64]! -= 27;
      return `0x${toHex(signature)}`;
    });
    expect(await verifyItem(DataItem.parse(await (await connectEthereum()).sign(content)))).toBe(true);
  });

  it('refuses a key of another account, a refusal is one, and an account that is gone ends it', async () => {
    const stranger = EthereumKey.generate();
    ethereum((method, params) =>
      method === 'personal_sign'
        ? `0x${toHex(stranger.signPersonal(bytesOfHex(String(params[0]))))}`
        : undefined,
    );
    await expect(connectEthereum()).rejects.toMatchObject({ code: 'wallet-differs' });
    ethereum((method) => {
      if (method === 'eth_requestAccounts') throw Object.assign(new Error('no'), { code: 4001 });
    });
    await expect(connectEthereum()).rejects.toMatchObject({ code: 'wallet-refused' });
    const { emit } = ethereum();
    const wallet = await connectEthereum();
    emit('accountsChanged', []);
    expect(wallet.connected).toBe(false);
    await expect(wallet.sign(content)).rejects.toMatchObject({ code: 'wallet-disconnected' });
    delete scope.ethereum;
    await expect(connectEthereum()).rejects.toMatchObject({ code: 'no-wallet' });
  });
});

describe('keys in the page', () => {
  it('a key file signs, is kept only when asked, and cannot be taken out again', async () => {
    const text = JSON.stringify(await rsa.toJwk());
    const wallet = await openKeyFile(text, 'my-key.json');
    expect(wallet).toMatchObject({ kind: 'file', name: 'my-key.json', address: rsa.address });
    expect(DataItem.parse(await wallet.sign(content)).signer).toBe(rsa.address);
    await expect(wallet.exportKey()).rejects.toMatchObject({ code: 'key-not-exportable' });
    await expect(openKeptFile()).rejects.toMatchObject({ code: 'wallet-disconnected' });
    await openKeyFile(text, 'my-key.json', { keep: true });
    const kept = await openKeptFile();
    expect(kept.address).toBe(rsa.address);
    await kept.disconnect();
    await expect(kept.sign(content)).rejects.toMatchObject({ code: 'wallet-disconnected' });
    await expect(openKeptFile()).rejects.toMatchObject({ code: 'wallet-disconnected' });
    await expect(openKeyFile('{"kty":"EC"}', 'x')).rejects.toMatchObject({ code: 'bad-key' });
    await expect(openKeyFile('PEM', 'x')).rejects.toMatchObject({ code: 'bad-key' });
  });

  it('a local key is made once and can be saved', { timeout: 60_000 }, async () => {
    await forget('local');
    await expect(openLocalKey({ silent: true })).rejects.toMatchObject({ code: 'wallet-disconnected' });
    const first = await openLocalKey();
    const again = await openLocalKey({ silent: true });
    expect(again.address).toBe(first.address);
    const saved = await openKeyFile(JSON.stringify(await again.exportKey()), 'saved.json');
    expect(saved.address).toBe(first.address);
    await forget('local');
  });

  it('a limit of the format is said, not thrown bare', async () => {
    const wallet = await openKeyFile(JSON.stringify(await rsa.toJwk()), 'k');
    const long = { ...content, tags: [{ name: 'x', value: 'y'.repeat(5000) }] };
    await expect(wallet.sign(long)).rejects.toMatchObject({ code: 'bad-item' });
    await expect(wallet.sign({ ...content, anchor: 'short' })).rejects.toMatchObject({ code: 'bad-item' });
  });
});
