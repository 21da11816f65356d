import { createHash } from 'node:crypto';
import {
  ArweaveSigner,
  bundleAndSignData,
  createData,
  DataItem as ArItem,
  EthereumSigner,
  HexSolanaSigner,
  type Signer as ArSigner,
  SolanaSigner,
  TypedEthereumSigner,
} from 'arbundles';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64, toBase64Url, toBytes } from '../../../src/base/bytes.ts';
import { decodeAns104, DataItem, encodeAns104 } from '../../../src/codec/ans104.ts';
import { parseBundle } from '../../../src/codec/ans104-bundle.ts';
import { decodeStructuredMessage, encodeStructuredMessage } from '../../../src/codec/structured.ts';
import { ans104Device } from '../../../src/commitment/ans104.ts';
import {
  createItem,
  ed25519Signer,
  ethereumSigner,
  type ItemSigner,
  rsaSigner,
  signItem,
  solanaSigner,
  typedEthereumSigner,
} from '../../../src/commitment/ans104-sign.ts';
import { aptosMessage, verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { decodeHttpMessage, encodeHttp } from '../../../src/commitment/http.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { committers } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { base58 } from '../../../src/crypto/address.ts';
import { EthereumKey } from '../../../src/crypto/ecdsa.ts';
import { Ed25519Key } from '../../../src/crypto/ed25519.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Link, type Value } from '../../../src/message/value.ts';

let wallet: RsaWallet;
let jwk: JsonWebKey;
const ethereum = EthereumKey.generate();
const ed25519 = Ed25519Key.generate();
const solanaText = base58(Buffer.concat([ed25519.secret(), ed25519.publicKey]));

beforeAll(async () => {
  wallet = await RsaWallet.generate({ extractable: true });
  jwk = await wallet.toJwk();
}, 60_000);

const pairs: [string, () => ItemSigner, () => ArSigner][] = [
  ['RSA', () => rsaSigner(wallet), () => new ArweaveSigner(jwk as never)],
  [
    'Ethereum',
    () => ethereumSigner(ethereum),
    () => new EthereumSigner(Buffer.from(ethereum.secret()).toString('hex')),
  ],
  [
    'typed Ethereum',
    () => typedEthereumSigner(ethereum),
    () => new TypedEthereumSigner(Buffer.from(ethereum.secret()).toString('hex')),
  ],
  ['Ed25519', () => ed25519Signer(ed25519), () => new SolanaSigner(solanaText)],
  ['Solana', () => solanaSigner(ed25519), () => new HexSolanaSigner(solanaText)],
];

const target = toBase64Url(new Uint8Array(32).fill(5));
const tags = [
  { name: 'Action', value: 'Eval' },
  { name: 'größe', value: 'ä "x", y' },
  { name: 'x', value: '' },
];
const full = { data: '1 + 1', tags, target, anchor: toBytes('a'.repeat(32)) };

describe.each(pairs)('%s items', (_, ours, theirs) => {
  it('of ours are valid for arbundles, with the same ID and parts', async () => {
    for (const content of [full, {}, { data: 'd' }]) {
      const item = await createItem(content, ours());
      expect(await verifyItem(item)).toBe(true);
      const read = new ArItem(Buffer.from(item.toBytes()));
      expect(await read.isValid()).toBe(true);
      expect(read.id).toBe(toBase64Url(item.id));
      expect(read.tags).toEqual(item.tags);
      expect(read.target).toBe(toBase64Url(item.target));
    }
  });

  it('of arbundles are valid for us, byte for byte as we would build them', async () => {
    const signer = theirs();
    const made = createData('1 + 1', signer, { tags, target, anchor: 'a'.repeat(32) });
    await made.sign(signer);
    const bytes = new Uint8Array(made.getRaw());
    const item = DataItem.parse(bytes);
    expect(await verifyItem(item)).toBe(true);
    expect(toBase64Url(item.id)).toBe(made.id);
    const own = (await createItem(full, ours())).withSignature(item.signature);
    expect(Buffer.from(own.toBytes()).equals(bytes)).toBe(true);
    const message = decodeStructuredMessage(decodeAns104(bytes) as Message);
    expect(await verifyMessage(message)).toBe(true);
    expect(message.text('action')).toBe('Eval');
    expect(messageId(message, 'signed')).toBe(made.id);
  });

  it('name their signer, and verify, after a trip through HTTP', async () => {
    for (const name of ['Action', 'action']) {
      const item = await createItem({ ...full, tags: [{ name, value: 'Eval' }] }, ours());
      const sent = decodeStructuredMessage(decodeAns104(item.toBytes()) as Message);
      const got = decodeHttpMessage(await encodeHttp(sent));
      expect(committers(got)).toEqual([item.signer]);
      expect(await verifyMessage(got, { committers: 'all' })).toBe(true);
    }
  });

  it('do not verify with any one bit changed', async () => {
    const bytes = (await createItem(full, ours())).toBytes();
    const bits = fc.sample(fc.nat(bytes.length * 8 - 1), 120);
    // Every byte that is not signature or key, too.
    for (let at = bytes.length - 140; at < bytes.length; at++) bits.push(at * 8);
    for (const bit of bits) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      let valid = false;
      try {
        valid = await verifyItem(DataItem.parse(changed));
      } catch (thrown) {
        expect(thrown).toMatchObject({ name: 'AoError' });
      }
      expect([bit, valid]).toEqual([bit, false]);
    }
  });

  it('do not verify as somebody else’s', async () => {
    const item = await createItem(full, ours());
    const others = pairs
      .map(([, other]) => other())
      .filter(({ signatureType }) => signatureType !== item.signatureType);
    for (const other of others) {
      const stolen = await signItem(item, other);
      if (stolen.signature.length !== item.signature.length) continue;
      expect(await verifyItem(stolen.withSignature(item.signature))).toBe(false);
    }
  });
});

describe('Aptos items', () => {
  it('verify by what a wallet shows', async () => {
    const signer = {
      signatureType: 5,
      owner: ed25519.publicKey,
      sign: (data: Uint8Array) => ed25519.sign(aptosMessage(data)),
    };
    const item = await createItem(full, signer);
    expect(await verifyItem(item)).toBe(true);
    expect(await new ArItem(Buffer.from(item.toBytes())).getSignatureData()).toHaveLength(48);
  });

  const several = async (count: number, threshold: number, change?: (signature: Uint8Array) => void) => {
    const keys = Array.from({ length: 3 }, () => Ed25519Key.generate());
    const owner = new Uint8Array(32 * 32 + 1);
    keys.forEach((key, index) => owner.set(key.publicKey, 32 * index));
    owner[1024] = threshold;
    const sign = (data: Uint8Array) => {
      const out = new Uint8Array(64 * 32 + 4);
      keys.slice(0, count).forEach((key, index) => {
        out.set(key.sign(data), 64 * index);
        out[2048]! |= 0x80 >> index;
      });
      change?.(out);
      return out;
    };
    const item = await createItem(full, { signatureType: 6, owner, sign });
    // It throws for some signatures that are no points of the curve.
    const theirs = await new ArItem(Buffer.from(item.toBytes())).isValid().catch(() => false);
    return [await verifyItem(item), theirs];
  };

  it('of several signers need enough of them, all right', async () => {
    expect(await several(2, 2)).toEqual([true, true]);
    expect(await several(3, 2)).toEqual([true, true]);
    expect(await several(2, 3)).toEqual([false, true]);
    // Nobody's signature at all: the library lets it pass, we must not.
    expect(await several(0, 0)).toEqual([false, true]);
    expect((await several(2, 2, (signature) => (signature[70]! ^= 1)))[0]).toBe(false);
    expect((await several(2, 2, (signature) => (signature[64 * 20] = 1)))[0]).toBe(false);
  });
});

describe('bundles of arbundles', () => {
  it('hold items that verify', async () => {
    const signer = new ArweaveSigner(jwk as never);
    const items = ['a', 'b', 'c'].map((data) => createData(data, signer, { tags }));
    const bundle = await bundleAndSignData(items, signer);
    const { endian, entries } = parseBundle(new Uint8Array(bundle.getRaw()));
    expect(endian).toBe('little');
    for (const { id, bytes } of entries) {
      const item = DataItem.parse(bytes);
      expect(await verifyItem(item)).toBe(true);
      expect(toBase64Url(item.id)).toBe(toBase64Url(id));
    }
  });
});

describe('ans104@1.0 commitments', () => {
  /** Whoever made them, also if it was nobody. */
  const every = { commitments: 'all' };
  const nested = Message.of({
    action: 'Eval',
    data: '1+1',
    m: { x: 1n as never, deep: { y: 'z' } },
    n: 7n as never,
  });
  const of = (record: Record<string, ValueInput>) => Message.of(record);
  const commit = (message: Message, bundle = false) =>
    ans104Device.commit(message, { bundle }, { signer: wallet });
  const commitmentOf = (message: Message) => [...message.message('commitments')!][0] as [string, Message];
  const withCommitment = (message: Message, id: string, commitment: Message) =>
    message.with({ commitments: Message.from([[id, commitment]]) });

  it('verify, with links and bundled, and keep the unsigned ID', async () => {
    for (const bundle of [false, true]) {
      const signed = await commit(nested, bundle);
      expect(await verifyMessage(signed)).toBe(true);
      expect(messageId(signed, 'unsigned')).toBe(messageId(nested, 'unsigned'));
      const [id, commitment] = commitmentOf(signed);
      expect(messageId(signed, 'signed')).toBe(id);
      expect(commitment.text('committer')).toBe(wallet.address);
      expect(commitment.text('bundle')).toBe(String(bundle));
      const item = encodeAns104(encodeStructuredMessage(signed));
      expect(await new ArItem(Buffer.from(item.toBytes())).isValid()).toBe(true);
    }
  });

  it('verify with a link beside a long value, whatever the link leads to', async () => {
    const signed = await commit(of({ m: { x: '1' }, long: 'y'.repeat(4000), data: 'd' }));
    expect(signed.get('m')).toBeInstanceOf(Link);
    expect(await verifyMessage(signed)).toBe(true);
    expect(await verifyMessage(signed.with({ m: new Link('z'.repeat(43)) }))).toBe(false);
  });

  it('verify again after keys that they do not cover were added', async () => {
    const signed = await commit(of({ action: 'Eval', data: 'd' }));
    expect(await verifyMessage(signed.with({ extra: 'x', body: 'late' }))).toBe(true);
  });

  it('verify with the content that was signed and no other', async () => {
    const upper = await commit(of({ UPPER: 'v', Count: '012', 'Ao-Types': 'Count="integer"', data: 'd' }));
    const plain = await commit(of({ action: 'Eval', data: 'd', target }));
    const bundled = await commit(nested, true);
    for (const signed of [upper, plain, bundled, await commit(nested)]) {
      expect(await verifyMessage(signed)).toBe(true);
      for (const [key, value] of signed) {
        if (key === 'commitments') continue;
        const changed: Value[] = ['!', `${typeof value === 'string' ? value : ''}!`, 8n, of({ x: 'other' })];
        for (const other of changed)
          expect([key, await verifyMessage(signed.with({ [key]: other }))]).toEqual([key, false]);
        expect(await verifyMessage(signed.without(key))).toBe(false);
      }
    }
  });

  it('do not verify with any part of them changed', async () => {
    const signed = await commit(of({ UPPER: 'v', other: 'w', data: 'd', target }));
    const [id, commitment] = commitmentOf(signed);
    expect(commitment.has('original-tags')).toBe(true);
    const change = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    for (const [key, value] of commitment) {
      if (typeof value !== 'string') continue;
      const changed = withCommitment(signed, id, commitment.with({ [key]: change(value) }));
      expect([key, await verifyMessage(changed, every)]).toEqual([key, false]);
      const bare = withCommitment(signed, id, commitment.without(key));
      expect([key, await verifyMessage(bare, every)]).toEqual([key, false]);
    }
    const listed = commitment.get('committed') as Value[];
    for (const committed of [[], listed.slice(1), [...listed, 'more'], 'text', 5n])
      expect(await verifyMessage(withCommitment(signed, id, commitment.with({ committed })), every)).toBe(
        false,
      );
    expect(await verifyMessage(withCommitment(signed, change(id), commitment))).toBe(false);
    const originals: Value[] = [
      'text',
      of({}),
      of({ '1': { name: 'UPPER', value: 'v' } }),
      of({ x: 'y' }),
      of({ '1': 'x' }),
    ];
    for (const originalTags of originals)
      expect(
        await verifyMessage(withCommitment(signed, id, commitment.with({ 'original-tags': originalTags }))),
      ).toBe(false);
  });

  it('do not cover nested messages by another’s ID, however they are said to be laid out', async () => {
    const inner = await commit(of({ a: 'b' }));
    const signed = await commit(of({ inner: inner as never, data: 'd' }));
    const [id, commitment] = commitmentOf(signed);
    const whole = (bundle: string, a: string) =>
      withCommitment(signed.with({ inner: inner.with({ a }) }), id, commitment.with({ bundle }));
    expect(await verifyMessage(whole('false', 'b'))).toBe(true);
    for (const bundle of ['false', 'true']) expect(await verifyMessage(whole(bundle, 'forged'))).toBe(false);
  });

  it('do not verify with a key that is not the committer’s', async () => {
    const other = await RsaWallet.generate();
    const signed = await commit(of({ a: 'b' }));
    const [id, commitment] = commitmentOf(signed);
    const forged = commitment.with({ committer: other.address });
    expect(await verifyMessage(withCommitment(signed, id, forged))).toBe(false);
    const padded = commitment.with({ keyid: `${commitment.text('keyid')}=` });
    expect(await verifyMessage(withCommitment(signed, id, padded))).toBe(false);
  }, 60_000);

  it('of unsigned items say that nothing was changed', async () => {
    const decoded = decodeStructuredMessage(
      decodeAns104(encodeAns104(of({ UPPER: 'v' })).toBytes()) as Message,
    );
    const [id, commitment] = commitmentOf(decoded);
    expect(await verifyMessage(decoded, every)).toBe(true);
    expect(await verifyMessage(decoded.with({ upper: 'w' }), every)).toBe(false);
    const claimed = commitment.with({ committer: wallet.address });
    expect(await verifyMessage(withCommitment(decoded, id, claimed), every)).toBe(false);
  });

  it('verify large data', async () => {
    const data = new Uint8Array(3_000_000).map((_, index) => index * 7);
    const item = await createItem({ data, tags }, rsaSigner(wallet));
    expect(await verifyItem(item)).toBe(true);
    const message = decodeStructuredMessage(decodeAns104(item.toBytes()) as Message);
    expect(await verifyMessage(message)).toBe(true);
    data[1_000_000]! ^= 1;
    expect(await verifyItem(item)).toBe(false);
  });

  it('are refused without a key and for other types', async () => {
    await expect(ans104Device.commit(of({}), {}, {})).rejects.toMatchObject({ code: 'cannot-commit' });
    await expect(ans104Device.commit(of({}), { type: 'unsigned' }, { signer: wallet })).rejects.toMatchObject(
      {
        code: 'unknown-commitment-type',
      },
    );
  });

  it('have the ID that is the hash of the signature', async () => {
    const [id, commitment] = commitmentOf(await commit(of({ a: 'b' })));
    const signature = fromBase64(commitment.text('signature')!);
    expect(createHash('sha256').update(signature).digest('base64url')).toBe(id);
  });
});
