/** Fields and body → message, and on to typed values; the other way round for what was read. */
import { decodeHttpsig, encodeHttpsig, hasWrongDigest } from '../../../src/codec/httpsig.ts';
import { decodeStructured } from '../../../src/codec/structured.ts';
import { decode64, few, readForm, records, vectors, writeForm } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    'ao-types: ',
    'a="integer"',
    '.="list"',
    'content-type: multipart/form-data; boundary="a"\r\n',
    'content-disposition: form-data;name="a/b"\r\n',
    'inline-body-key: a\r\n',
    'signature: ',
    'signature-input: ',
    '+link',
    '\r\n--',
    '--\r\n',
    '; ',
    '("a" "b");',
    ':AAAA:',
  ],
  seeds: () =>
    few(
      vectors('codec', 'commit-httpsig', 'commit-multi', 'signed-node')
        .flatMap((document) => [...records(document)])
        .flatMap((record) => {
          const { headers, body } = record;
          if (typeof headers === 'object' && headers !== null && !Array.isArray(headers))
            return [writeForm(headers, decode64([body ?? ''])[0] ?? new Uint8Array(0))];
          const { wire } = record;
          if (typeof wire === 'object' && wire !== null && !Array.isArray(wire)) {
            const { body: inner = '', ...fields } = wire;
            return [writeForm(fields, new TextEncoder().encode(String(inner)))];
          }
          return [];
        }),
    ),
  run(input) {
    const { headers, body } = readForm(input);
    const form = { headers: new Map(headers), body };
    hasWrongDigest(form);
    const { tabm } = decodeHttpsig(form);
    decodeStructured(tabm);
    encodeHttpsig(tabm);
  },
});
