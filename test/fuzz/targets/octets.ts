/** Base64 of either alphabet, hexadecimal, octets as text: each has to lead back to what it was made of. */
import {
  bytesToLatin1,
  equalBytes,
  fromBase64,
  fromBytes,
  fromHex,
  latin1ToBytes,
  toBase64,
  toBase64Url,
  toBytes,
  toHex,
} from '../../../src/base/bytes.ts';
import { nativeId, humanId } from '../../../src/message/keys.ts';
import { attemptAll } from '../attempt.ts';
import { few } from '../seeds.ts';
import { Broken, defineTarget } from '../target.ts';

function same(a: Uint8Array, b: Uint8Array, what: string): void {
  if (!equalBytes(a, b)) throw new Broken(`${what} does not lead back.`);
}

export default defineTarget({
  words: ['==', '=', '-_', '+/', 'ü', '\u{10ffff}'],
  seeds: () =>
    few([
      'qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk',
      'qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk=',
      'AA==',
      '00ff10',
      'Grüße €😀',
      Uint8Array.of(0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xff),
    ]),
  run(input) {
    const text = fromBytes(input);
    same(toBytes(text), input, 'Text');
    same(latin1ToBytes(bytesToLatin1(input)), input, 'Latin 1');
    same(fromBase64(toBase64(input)), input, 'Base64');
    same(fromBase64(toBase64Url(input)), input, 'Base64url');
    same(fromHex(toHex(input)), input, 'Hexadecimal');
    attemptAll(
      () => fromBase64(text),
      () => fromHex(text),
      () => latin1ToBytes(text),
      () => nativeId(input),
      () => humanId(input),
    );
  },
});
