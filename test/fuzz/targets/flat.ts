/** The text form of `flat@1.0` → message and back. */
import { flatToText, textToFlat } from '../../../src/codec/flat.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['/', ': ', '\n', 'a/b/c: ', 'a: '],
  seeds: () => few(['a: 1\nb/c: 2\n', 'a/b/c/d/e: x\na/b/f: y\n', 'key: value: more\n', '']),
  run(input) {
    flatToText(textToFlat(input));
  },
});
