/** JSON text → message and back, as `json@1.0` reads it. */
import { decodeJson, encodeJson } from '../../../src/codec/json.ts';
import { decodeStructured } from '../../../src/codec/structured.ts';
import { isBinary } from '../../../src/message/value.ts';
import { Message } from '../../../src/message/message.ts';
import { few, isText, valuesOf } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    '{',
    '[',
    '"',
    '\\u0000',
    '\\ud800',
    '{"a":',
    '[[',
    '1e400',
    '-0',
    'true',
    'null',
    '"ao-types":"a=\\"list\\""',
  ],
  seeds: () => few(valuesOf('json', 'codec', 'commit-', 'tamper').filter(isText)),
  run(input) {
    const value = decodeJson(input);
    encodeJson(value);
    if (isBinary(value) || value instanceof Message) decodeStructured(value);
  },
});
