/** Type-annotated messages → typed values, and back. */
import { textToFlat } from '../../../src/codec/flat.ts';
import { decodeStructured, encodeStructured } from '../../../src/codec/structured.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { Message } from '../../../src/message/message.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    'ao-types: ',
    'a="integer"',
    'a="float", ',
    '.="list"',
    '="atom"',
    '="map"',
    '="empty-list"',
    '/ao-types: .="list"\n',
    '+link: ',
    '(ao-type-integer) ',
    '1.00000000000000000000e+00',
    '%41',
    '\n1: ',
  ],
  seeds: () =>
    few([
      'a: 1\nao-types: a="integer"\n',
      '1: 1\n2: 2\n3: x\nao-types: .="list", 1="integer", 2="float"\n',
      'l/1: a\nl/2: true\nl/ao-types: .="list", 2="atom"\nm/n/o: 1.5e3\nm/n/ao-types: o="float"\n',
      'a: "(ao-type-integer) 1", "b", tok, :AAA=:, 1.5, ?1\nao-types: a="list"\n',
      'a: b=1, c="x";p=1, d=(1 2), e\nao-types: a="map"\n',
      'x+link: qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk\nao-types: x="integer"\n',
      'A: tok/en*\nKey_B: "quoted atom"\nao-types: %41="atom", %4bey_%42=atom\n',
      'e/ao-types: .="list"\nf/ao-types: empty-message\n',
      '0: a\n1: b\nao-types: .="list"\n',
      'data: -999999999999999\nf: -9.44946484873071289062e+09\nao-types: data="integer", f="float"\n',
    ]),
  run(input) {
    const tabm = textToFlat(input);
    const value = decodeStructured(tabm);
    const again = encodeStructured(value);
    messageId(value);
    if (again instanceof Message) decodeStructured(again);
  },
});
