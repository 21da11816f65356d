/**
 * `message.verify`: committed messages verified a second, one after the other: the RSA-4096 commitment and all that it
 * rests on. Every message is a new object, so that no verdict is remembered. Beside `crypto.subtle.verify` alone over
 * data of about the same size.
 */
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { verifyPss } from '../../../src/crypto/rsa.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import { defineBench, interleave } from '../bench.ts';
import { sampleMessage } from '../sample.ts';

const EACH = 200;

export default defineBench(async ({ quick }) => {
  const wallet = await RsaWallet.generate();
  const committed = await Promise.all(
    Array.from({ length: 20 }, (_, index) => commitHttpsig(sampleMessage(index), wallet)),
  );
  const data = new Uint8Array(1024);
  const signature = await wallet.sign(data, 'rsa-pss-sha512');
  const times = await interleave(
    quick ? 2 : 9,
    async () => {
      for (let i = 0; i < EACH; i++) {
        const message = Message.from(committed[i % committed.length]!.entries());
        if (!(await verifyMessage(message))) throw new Error('A good commitment did not verify.');
      }
    },
    async () => {
      for (let i = 0; i < EACH; i++)
        if (!(await verifyPss(wallet.publicKey, signature, data, 'sha512'))) throw new Error('Not verified.');
    },
  );
  return {
    value: (EACH / times.subject) * 1000,
    unit: 'op/s',
    baseline: 'signature check alone',
    baselineValue: (EACH / times.baseline) * 1000,
  };
});
