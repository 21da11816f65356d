/** A wallet for tests: an RSA key, and what an extension such as Wander puts into a page for it. */
import {
  constants,
  createHash,
  createPrivateKey,
  createSign,
  generateKeyPairSync,
  type JsonWebKey,
} from 'node:crypto';
import type { Page } from '@playwright/test';
import { ArweaveSigner, createData } from 'arbundles';

export interface ItemContent {
  readonly data: string | Uint8Array;
  readonly tags?: readonly { name: string; value: string }[];
  readonly target?: string;
  readonly anchor?: string;
}

export class TestWallet {
  readonly jwk: JsonWebKey;
  readonly address: string;

  private constructor(jwk: JsonWebKey) {
    this.jwk = jwk;
    this.address = createHash('sha256').update(Buffer.from(jwk.n!, 'base64url')).digest('base64url');
  }

  static make(): TestWallet {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 4096, publicExponent: 65537 });
    return new TestWallet(privateKey.export({ format: 'jwk' }));
  }

  /** The octets of a signed data item. */
  async item({ data, tags = [], target, anchor }: ItemContent): Promise<Buffer> {
    const signer = new ArweaveSigner(this.jwk as ConstructorParameters<typeof ArweaveSigner>[0]);
    const item = createData(data, signer, {
      tags: [...tags],
      ...(target ? { target } : {}),
      ...(anchor ? { anchor } : {}),
    });
    await item.sign(signer);
    return item.getRaw();
  }

  /** The ID of an item of this wallet. */
  static idOf(item: Uint8Array): string {
    return createHash('sha256').update(item.subarray(2, 514)).digest('base64url');
  }

  /** RSA-PSS over octets, as `signMessage` of the extension. */
  sign(octets: Uint8Array, hash: string): Buffer {
    const key = createPrivateKey({ key: this.jwk, format: 'jwk' });
    return createSign(hash).update(octets).sign({ key, padding: constants.RSA_PKCS1_PSS_PADDING });
  }

  /** Puts `arweaveWallet` into the page. Its key stays outside, as with an extension. */
  async install(page: Page): Promise<void> {
    const text = (octets: Uint8Array) => Buffer.from(octets).toString('base64');
    await page.exposeFunction(
      'walletSignItem',
      async (item: { data: string; text: boolean } & Omit<ItemContent, 'data'>) => {
        const octets = Buffer.from(item.data, 'base64');
        return text(await this.item({ ...item, data: item.text ? octets.toString() : octets }));
      },
    );
    await page.exposeFunction('walletSign', (octets: string, hash: string) =>
      text(this.sign(Buffer.from(octets, 'base64'), hash.replace('-', ''))),
    );
    await page.addInitScript(
      ({ address, key }) => {
        const outside = globalThis as unknown as Record<string, (...given: unknown[]) => Promise<string>>;
        const toText = (octets: Uint8Array) => {
          let out = '';
          for (let at = 0; at < octets.length; at += 8192)
            out += String.fromCharCode(...octets.subarray(at, at + 8192));
          return btoa(out);
        };
        const toOctets = (text: string) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
        Object.assign(globalThis, {
          arweaveWallet: {
            connect: async () => undefined,
            getActiveAddress: async () => address,
            getActivePublicKey: async () => key,
            async signDataItem({ data, ...rest }: { data: string | Uint8Array }) {
              const octets = typeof data === 'string' ? new TextEncoder().encode(data) : data;
              const given = { ...rest, data: toText(octets), text: typeof data === 'string' };
              return toOctets(await outside['walletSignItem']!(given));
            },
            async signMessage(octets: Uint8Array, { hashAlgorithm = 'SHA-256' } = {}) {
              return toOctets(await outside['walletSign']!(toText(new Uint8Array(octets)), hashAlgorithm));
            },
          },
        });
      },
      { address: this.address, key: this.jwk.n! },
    );
  }
}
