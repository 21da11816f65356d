/** Bodies of several parts, whatever they are said to be. */
import { boundaryOf, readMultipart } from '../../../src/codec/multipart.ts';
import { fromBytes } from '../../../src/base/bytes.ts';
import { attemptAll } from '../attempt.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

const part = (head: string, body = '') => `--b\r\n${head}\r\n\r\n${body}\r\n`;

export default defineTarget({
  words: [
    '--b\r\n',
    '\r\n--b--',
    '\r\n--b',
    '\r\n\r\n',
    'content-disposition: form-data;name="a/b"\r\n',
    'content-disposition: inline\r\n',
    'ao-types: empty-message\r\n',
    'ao-body-key: x\r\n',
    'multipart/form-data; boundary="b"',
    ': ',
  ],
  seeds: () =>
    few([
      `${part('content-disposition: inline', 'text')}--b--`,
      `${part('content-disposition: form-data;name="m"\r\nx: 1')}${part('content-disposition: form-data;name="m/n"', 'body')}--b--`,
      `${part('ao-types: empty-message\r\ncontent-disposition: form-data;name="e"')}--b--`,
      `${part('ao-types: .="list", 1="integer"\r\n1: 1\r\ncontent-disposition: form-data;name="l"')}--b--`,
      '--b\r\ncontent-disposition: form-data;name="x"\r\na: b\r\n--b--',
      'multipart/form-data; boundary="b"',
    ]),
  run(input) {
    attemptAll(
      () => readMultipart(input, 'b', 'body'),
      () => boundaryOf(fromBytes(input)),
    );
  },
});
