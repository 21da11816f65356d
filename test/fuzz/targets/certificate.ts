/** X.509 certificates, DER and PEM. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { certificatesFrom, parseCertificate } from '../../../src/attestation/certificate.ts';
import { attemptAll } from '../attempt.ts';
import { few, snpVectors } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['-----BEGIN CERTIFICATE-----\n', '\n-----END CERTIFICATE-----\n'],
  seeds: () =>
    few(
      snpVectors()
        .filter((text) => text.includes('BEGIN CERTIFICATE'))
        .flatMap((text) => [text, ...certificatesFrom(text)]),
      60,
    ),
  run(input) {
    attemptAll(
      () => parseCertificate(input),
      () => certificatesFrom(fromBytes(input)).map((der) => parseCertificate(der)),
      () => certificatesFrom(input).map((der) => parseCertificate(der)),
    );
  },
});
