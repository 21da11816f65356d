/** Structured field values (RFC 9651): items, lists, dictionaries, and the `ao-types` of a message. */
import { fromBytes } from '../../../src/base/bytes.ts';
import {
  parseDictionary,
  parseItem,
  parseList,
  writeDictionary,
} from '../../../src/codec/structured-fields.ts';
import { parseTypes } from '../../../src/codec/structured.ts';
import { few, isText, valuesOf } from '../seeds.ts';
import { defineTarget } from '../target.ts';
import { attemptAll } from '../attempt.ts';

export default defineTarget({
  words: [
    '"',
    '\\"',
    ':',
    '=',
    '; ',
    '(',
    ')',
    '?1',
    '@1',
    '%"',
    '1.5',
    ', ',
    'a=',
    ':AAAA:',
    '999999999999999',
  ],
  seeds: () =>
    few(
      ['signature', 'signature-input', 'ao-types', 'content-digest', 'ao-ids'].flatMap((key) =>
        valuesOf(key, 'codec', 'commit-', 'signed-node', 'resolve-http').filter(isText),
      ),
    ),
  run(input) {
    const text = fromBytes(input);
    attemptAll(
      () => parseItem(text),
      () => parseList(text),
      () => parseTypes(text),
      () => writeDictionary(parseDictionary(text)),
    );
  },
});
