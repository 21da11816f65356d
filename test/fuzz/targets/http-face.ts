/** Whole HTTP requests → answers of a node without network and engines, as a browser's `Response`. */
import { fromBytes } from '../../../src/base/bytes.ts';
import { toFetchResponse } from '../../../src/node/fetch-adapter.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { fuzzNode } from '../node.ts';
import { decode64, few, readForm, records, vectors, writeForm } from '../seeds.ts';
import { Broken, defineTarget } from '../target.ts';

/** Requests that one node is asked before a fresh one takes over: what it stores must not grow without end. */
const LIFE = 300;

let node: Promise<NodeContext> | undefined;
let asked = 0;
let failure: string | undefined;

function fresh(): Promise<NodeContext> {
  return fuzzNode({
    // A signature on every answer would take most of the time.
    config: { force_signed: { $atom: 'false' } },
    capabilities: {
      report: (event) => {
        if (event.type === 'request-failed') failure = String(event['error']);
      },
    },
  });
}

export default defineTarget({
  words: [
    '/',
    '~',
    '&',
    '=',
    '+integer=',
    '(',
    ')',
    '%2F',
    '!',
    '~message@1.0',
    'accept-bundle: true\r\n',
    'accept: application/json\r\n',
    'ao-types: ',
    'device: ',
    'path: ',
  ],
  seeds: () =>
    few(
      vectors('resolve-http', 'pay-and-hooks', 'signed-node', 'push')
        .flatMap((document) => [...records(document)])
        .flatMap(({ method = 'GET', path, headers, body }) => {
          if (
            typeof path !== 'string' ||
            typeof headers !== 'object' ||
            headers === null ||
            Array.isArray(headers)
          )
            return [];
          const rest = writeForm(headers, decode64([body ?? ''])[0] ?? new Uint8Array(0));
          return [Buffer.concat([Buffer.from(`${String(method)} ${path}\r\n`, 'utf8'), rest])];
        }),
      500,
    ),
  async run(input) {
    const end = input.indexOf(10);
    const line = fromBytes(input.subarray(0, end < 0 ? input.length : end)).replace(/\r$/, '');
    const { headers, body } = readForm(input.subarray(end < 0 ? input.length : end + 1));
    const space = line.indexOf(' ');
    const method = space < 0 ? 'GET' : line.slice(0, space);
    const target = space < 0 ? line : line.slice(space + 1);
    if (asked++ % LIFE === 0) node = fresh();
    failure = undefined;
    const answer = await handle(
      { method, target, headers: headers.map(([name, value]) => [name.toLowerCase(), value]), body },
      await node!,
    );
    if (failure !== undefined) throw new Broken(`An untyped error inside: ${failure}`);
    if (!Number.isInteger(answer.status) || answer.status < 100 || answer.status > 599)
      throw new Broken(`The status ${answer.status} is none.`);
    toFetchResponse(answer, { method });
  },
});
