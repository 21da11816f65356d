/** A request's path → the sequence of messages that it stands for. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { Message } from '../../../src/message/message.ts';
import { parseSingleton } from '../../../src/resolver/path.ts';
import { few, isText, valuesOf } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: [
    '/',
    '~',
    '&',
    '=',
    '+integer=',
    '+list=',
    '(',
    ')',
    '%2F',
    '%',
    '"',
    '//',
    '~a@1.0',
    '&a=(b/c)',
    '?a=1',
    '1.a=',
  ],
  seeds: () => few(valuesOf('path', 'paths', 'resolve-http', 'push', 'pay-and-hooks').filter(isText)),
  run(input) {
    const [path = '', ...fields] = fromBytes(input).split('\n');
    const entries = fields.map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 2)];
    });
    parseSingleton(Message.from([...entries, ['path', path]]));
  },
});
