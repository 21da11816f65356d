/**
 * `message.commit`: `httpsig@1.0` commitments a second with RSA-4096, of a new message each (ten fields, one nested),
 * beside `crypto.subtle.sign` alone with a key of that size.
 */
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { defineBench, interleave } from '../bench.ts';
import { sampleMessage } from '../sample.ts';

const EACH = 20;

export default defineBench(async ({ quick }) => {
  const wallet = await RsaWallet.generate();
  const data = new Uint8Array(1024);
  let index = 0;
  const times = await interleave(
    quick ? 2 : 9,
    async () => {
      for (let i = 0; i < EACH; i++) await commitHttpsig(sampleMessage(index++), wallet);
    },
    async () => {
      for (let i = 0; i < EACH; i++) await wallet.sign(data, 'rsa-pss-sha512');
    },
  );
  return {
    value: (EACH / times.subject) * 1000,
    unit: 'op/s',
    baseline: 'crypto.subtle.sign',
    baselineValue: (EACH / times.baseline) * 1000,
  };
});
