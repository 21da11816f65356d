/** Transactions of Arweave itself, made by its own library. */
import Arweave from 'arweave';
import { describe, expect, it } from 'vitest';
import { dataRoot, transactionFrom } from '../../../src/verify/arweave-transaction.ts';
import { toBase64Url } from '../../../src/base/bytes.ts';

const arweave = Arweave.init({ host: 'nowhere.test' });

async function made(data: Uint8Array) {
  const key = await arweave.wallets.generate();
  const transaction = await arweave.createTransaction({ data, last_tx: 'AAAA', reward: '5' }, key);
  transaction.addTag('Content-Type', 'application/wasm');
  await arweave.transactions.sign(transaction, key);
  return { header: transaction.toJSON(), address: await arweave.wallets.jwkToAddress(key) };
}

const KIB = 1024;

describe('transactions', () => {
  it('verify, with who signed them and their tags', async () => {
    const data = crypto.getRandomValues(new Uint8Array(3000));
    const { header, address } = await made(data);
    const read = await transactionFrom(header, data);
    expect(read.signer).toBe(address);
    expect(new TextDecoder().decode(read.tags[0]!.value)).toBe('application/wasm');
  }, 60_000);

  it('are refused with other data, another header, another ID', async () => {
    const data = new Uint8Array(1000).fill(7);
    const { header } = await made(data);
    const other = new Uint8Array(1000).fill(8);
    await expect(transactionFrom(header, other)).rejects.toMatchObject({ code: 'transaction-data' });
    await expect(transactionFrom(header, data.subarray(1))).rejects.toMatchObject({
      code: 'transaction-data',
    });
    await expect(transactionFrom({ ...header, reward: '6' }, data)).rejects.toMatchObject({
      code: 'transaction-signature',
    });
    await expect(transactionFrom({ ...header, id: 'A'.repeat(43) }, data)).rejects.toMatchObject({
      code: 'transaction-id',
    });
    await expect(transactionFrom({ ...header, tags: 5 }, data)).rejects.toMatchObject({
      code: 'transaction-form',
    });
    await expect(transactionFrom(null, data)).rejects.toMatchObject({ code: 'transaction-form' });
  }, 60_000);

  it.each([1, 32 * KIB, 256 * KIB, 256 * KIB + 1, 288 * KIB, 512 * KIB, 700 * KIB, 1024 * KIB + 5])(
    'have the data root of %i bytes that the library finds',
    async (size) => {
      const data = new Uint8Array(size).map((_, index) => index % 251);
      const transaction = await arweave.createTransaction(
        { data, owner: 'AAAA', last_tx: 'AAAA', reward: '5' },
        undefined,
      );
      await transaction.prepareChunks(data);
      expect(toBase64Url(await dataRoot(data))).toBe(transaction.data_root);
    },
  );
});
