/** Whole HTTP requests → the messages that a node resolves, without resolving them. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { parseSingleton } from '../../../src/resolver/path.ts';
import { toSingleton } from '../../../src/node/http/request.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { fuzzNode } from '../node.ts';
import { decode64, few, readForm, records, vectors, writeForm } from '../seeds.ts';
import { defineTarget } from '../target.ts';

let node: Promise<NodeContext> | undefined;

export default defineTarget({
  words: [
    '?a+integer=1&',
    '/1.a=b/',
    'codec-device: json@1.0\r\n',
    'codec-device: flat@1.0\r\n',
    'codec-device: structured@1.0\r\n',
    'content-type: application/json\r\n',
    'cookie: a=1; b="2"\r\n',
    'ao-peer-port: 1\r\n',
    'accept-bundle: true\r\n',
    'ao-types: ',
    '{"a":1}',
  ],
  seeds: () =>
    few(
      vectors('resolve-http', 'pay-and-hooks', 'push')
        .flatMap((document) => [...records(document)])
        .flatMap(({ method = 'GET', path, headers, body }) => {
          if (typeof path !== 'string' || typeof headers !== 'object' || headers === null) return [];
          if (Array.isArray(headers) || 'signature' in headers) return [];
          const rest = writeForm(headers, decode64([body ?? ''])[0] ?? new Uint8Array(0));
          return [Buffer.concat([Buffer.from(`${String(method)} ${path}\r\n`, 'utf8'), rest])];
        }),
      400,
    ),
  async run(input) {
    const end = input.indexOf(10);
    const line = fromBytes(input.subarray(0, end < 0 ? input.length : end)).replace(/\r$/, '');
    const { headers, body } = readForm(input.subarray(end < 0 ? input.length : end + 1));
    const space = line.indexOf(' ');
    const request = {
      method: space < 0 ? 'GET' : line.slice(0, space),
      target: space < 0 ? line : line.slice(space + 1),
      headers: headers.map(([name, value]): [string, string] => [name.toLowerCase(), value]),
      body,
    };
    parseSingleton(await toSingleton(request, await (node ??= fuzzNode())));
  },
});
