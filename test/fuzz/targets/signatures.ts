/** `signature` and `signature-input` → commitments, and back into fields. */
import { decodeHttp, encodeHttp } from '../../../src/commitment/http.ts';
import { commitmentsOf, committedKeys } from '../../../src/commitment/commitment.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { committed, committers, EVERY, SIGNED, withOnlyCommitted } from '../../../src/commitment/select.ts';
import { resolveKeyid } from '../../../src/commitment/keyid.ts';
import { Message } from '../../../src/message/message.ts';
import { attemptAll } from '../attempt.ts';
import { decode64, few, readForm, records, vectors, writeForm } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    'signature: comm-a=:AAAA:\r\n',
    'signature-input: comm-a=("a");alg="hmac-sha256";keyid="constant:ao"\r\n',
    'comm-',
    ', comm-b=',
    ';alg="rsa-pss-sha512"',
    ';alg="ans104@1.0/rsa-pss-sha256"',
    ';keyid="publickey:',
    ';keyid="secret:',
    ';original-tags="1:A:b, 2:C:d"',
    ';bundle="true"',
    ';created=1',
    '"content-digest"',
    '"ao-body-key"',
    '"@path"',
  ],
  seeds: () =>
    few(
      vectors('commit-httpsig', 'commit-hmac', 'commit-multi', 'commit-ans104', 'signed-node')
        .flatMap((document) => [...records(document)])
        .flatMap(({ headers, body }) =>
          typeof headers === 'object' &&
          headers !== null &&
          !Array.isArray(headers) &&
          'signature-input' in headers
            ? [writeForm(headers, decode64([body ?? ''])[0] ?? new Uint8Array(0))]
            : [],
        ),
      200,
    ),
  run(input) {
    const { headers, body } = readForm(input);
    const message = decodeHttp({ headers: new Map(headers), body });
    if (!(message instanceof Message)) return undefined;
    attemptAll(
      () => messageId(message, 'signed'),
      () => messageId(message, 'every'),
      () => committers(message),
      () => committed(message, SIGNED),
      () => committed(message, EVERY, true),
      () => withOnlyCommitted(message),
      ...[...commitmentsOf(message).values()].flatMap((commitment) => [
        () => committedKeys(commitment),
        () => resolveKeyid(commitment.text('keyid') ?? '', commitment.text('type') ?? ''),
      ]),
    );
    return encodeHttp(message);
  },
});
