/** What another node answers, in any codec. */
import { decodeAnswer } from '../../../src/verify/peer.ts';
import { decode64, few, readForm, records, vectors, writeForm } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    'codec-device: json@1.0\r\n',
    'codec-device: ans104@1.0\r\n',
    'ao-result: body\r\n',
    'ao-result: a\r\n',
    'ao-types: ',
    'content-type: text/html\r\n',
    '+link',
    '\r\n\r\n',
  ],
  seeds: () =>
    few(
      vectors('resolve-http', 'signed-node', 'pay-and-hooks')
        .flatMap((document) => [...records(document)])
        .flatMap(({ status, headers, body }) =>
          status !== undefined && typeof headers === 'object' && headers !== null && !Array.isArray(headers)
            ? [writeForm(headers, decode64([body ?? ''])[0] ?? new Uint8Array(0))]
            : [],
        ),
      300,
    ),
  run(input) {
    const { headers, body } = readForm(input);
    // The digest of a changed body is wrong, and the answer would not be looked at.
    const rest = headers.filter(([name]) => name.toLowerCase() !== 'content-digest');
    decodeAnswer({ status: 200, headers: rest, body });
  },
});
