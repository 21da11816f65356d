/** Processes as files: lines of JSON under gzip, which is put around what is changed. */
import { crc32 } from 'node:zlib';
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

/** Gzip around octets that are stored as they are: packing them would take longer than reading them. */
function stored(input: Uint8Array): Uint8Array {
  const blocks = Math.max(1, Math.ceil(input.length / 0xffff));
  const out = Buffer.alloc(10 + blocks * 5 + input.length + 8);
  out.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  let at = 10;
  for (let block = 0; block < blocks; block++) {
    const part = input.subarray(block * 0xffff, (block + 1) * 0xffff);
    at = out.writeUInt8(block === blocks - 1 ? 1 : 0, at);
    at = out.writeUInt16LE(part.length, at);
    at = out.writeUInt16LE(part.length ^ 0xffff, at);
    out.set(part, at);
    at += part.length;
  }
  out.writeUInt32LE(input.length, out.writeUInt32LE(crc32(input), at));
  return new Uint8Array(out);
}

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
    const file = input.length % 16 === 0 ? input : stored(input);
    await importProcess(file, await (node ??= fuzzNode()));
  },
});
