/**
 * `verify.rsa`: ANS-104 items (1 KiB, 8 tags, 2,000 distinct items of 20 owners) decoded and verified from bytes, a
 * second; beside `crypto.subtle.verify` alone over the same precomputed digests and imported keys, at the same
 * concurrency.
 */
import { signingData } from '../../../src/codec/ans104-hash.ts';
import { DataItem } from '../../../src/codec/ans104.ts';
import { createItem, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { defineBench, interleave } from '../bench.ts';

/** Checks that are under way at the same time. */
const CONCURRENCY = 16;

export default defineBench(async ({ quick }) => {
  const owners = quick ? 2 : 20;
  const count = quick ? 100 : 2000;
  const wallets = await Promise.all(Array.from({ length: owners }, () => RsaWallet.generate()));
  const items: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const tags = Array.from({ length: 8 }, (_, tag) => ({
      name: `Name-${tag}`,
      value: `value ${tag} of ${index}`,
    }));
    const data = crypto.getRandomValues(new Uint8Array(1024));
    const item = await createItem({ data, tags }, rsaSigner(wallets[index % owners]!));
    items.push(item.toBytes());
  }

  const keys = await Promise.all(
    wallets.map(({ publicKey }) =>
      crypto.subtle.importKey(
        'jwk',
        { kty: 'RSA', e: 'AQAB', n: base64Url(publicKey) },
        { name: 'RSA-PSS', hash: 'SHA-256' },
        false,
        ['verify'],
      ),
    ),
  );
  const prepared = items.map((bytes, index) => {
    const item = DataItem.parse(bytes);
    return {
      key: keys[index % owners]!,
      signature: Uint8Array.from(item.signature),
      digest: Uint8Array.from(signingData(item)),
    };
  });

  const times = await interleave(
    quick ? 2 : 7,
    () => each(items, (bytes) => verifyItem(DataItem.parse(bytes))),
    () =>
      each(prepared, ({ key, signature, digest }) =>
        crypto.subtle.verify({ name: 'RSA-PSS', saltLength: 32 }, key, signature, digest),
      ),
  );
  return {
    value: (count / times.subject) * 1000,
    unit: 'items/s',
    baseline: 'crypto.subtle.verify',
    baselineValue: (count / times.baseline) * 1000,
  };
});

async function each<T>(list: readonly T[], check: (one: T) => Promise<boolean>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < list.length)
      if (!(await check(list[next++]!))) throw new Error('A good item did not verify.');
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
