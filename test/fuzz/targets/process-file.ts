/** Processes as files: lines of JSON under gzip, which is put around what is changed. */
import { gzipSync } from 'node:zlib';
import { importProcess } from '../../../src/node/process-file.ts';
import { plainToJson } from '../../../src/node/plain-json.ts';
import { decodeHttpMessage, httpForm } from '../../../src/commitment/http.ts';
import { Message } from '../../../src/message/message.ts';
import { toPlain } from '../../../src/message/plain.ts';
import { Atom, Link } from '../../../src/message/value.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { fuzzNode } from '../node.ts';
import { few, records, vectors } from '../seeds.ts';
import { defineTarget } from '../target.ts';

let node: Promise<NodeContext> | undefined;

const ID = 'qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk';

export default defineTarget({
  words: [
    '{"m":[',
    '{"t":[1]}',
    '{"f":"1e999"}',
    '{"i":"1"}',
    '{"b":"AA"}',
    '{"a":"x"}',
    '{"l":"x"}',
    '[["a","b"]]',
    '\n',
    '{"message":',
    '"slots":-1',
  ],
  seeds() {
    const head = (slots: number) =>
      JSON.stringify({ format: 'beamlet-process', version: 1, process: ID, slots });
    const line = (kind: string, message: Message) =>
      JSON.stringify({ [kind]: plainToJson(toPlain(message)) });
    const signed = vectors('commit-httpsig')
      .flatMap((document) => [...records(document)])
      .flatMap(({ headers }) => {
        if (typeof headers !== 'object' || headers === null || !('signature' in headers)) return [];
        try {
          return [decodeHttpMessage(httpForm(Object.entries(headers).map(([k, v]) => [k, String(v)])))];
        } catch {
          return [];
        }
      })[0];
    const values = Message.from([
      ['text', 'x'],
      ['octets', Uint8Array.of(0xff, 0)],
      ['float', 1.5],
      ['integer', -5n],
      ['atom', Atom.true],
      ['list', ['a', 1n]],
      ['link', new Link(ID, { lazy: true, type: 'integer' })],
      ['\udcff', Message.empty],
    ]);
    const assignment = Message.from([
      ['slot', 0n],
      ['body', signed ?? Message.empty],
    ]);
    return few([
      `${head(1)}\n${line('assignment', assignment)}\n`,
      `${head(2)}\n${line('message', values)}\n${line('assignment', assignment)}\n${line('assignment', values)}\n`,
      `${head(0)}\n${line('message', values)}\n`,
    ]);
  },
  async run(input) {
    // Some are not even gzip.
    const file = input.length % 16 === 0 ? input : new Uint8Array(gzipSync(input, { level: 0 }));
    await importProcess(file, await (node ??= fuzzNode()));
  },
});
