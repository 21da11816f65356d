/** Key files, as wallets keep them. */
import { generateKeyPairSync } from 'node:crypto';
import { utf8 } from '../../../src/base/bytes.ts';
import { AoError } from '../../../src/base/errors.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new AoError('bad-key', 'No JSON.');
  }
}

export default defineTarget({
  words: ['"kty":"RSA"', '"e":"AQAB"', '"d":', 'null', '"n":"AA"', ',', '{', '}'],
  seeds: () => {
    // A short key has every part that a long one has, and is refused last of all.
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return few([JSON.stringify(privateKey.export({ format: 'jwk' })), '{"kty":"RSA","e":"AQAB","n":"AA"}']);
  },
  run: (input) => RsaWallet.fromJwk(parse(utf8(input))),
});
