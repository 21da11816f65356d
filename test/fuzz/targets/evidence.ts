/** Evidence files, as people hand them on: read, and checked as far as they go. */
import { fromBytes, toBase64Url } from '../../../src/base/bytes.ts';
import { checkEvidence } from '../../../src/verify/check-evidence.ts';
import { parseEvidence, valueOf } from '../../../src/verify/evidence.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { fuzzNode } from '../node.ts';
import { decode64, few, records, vectors } from '../seeds.ts';
import { defineTarget } from '../target.ts';

let node: Promise<NodeContext> | undefined;

const ID = 'qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk';

export default defineTarget({
  words: ['[', ']', '{', '}', 'null', '"body":', '"headers":[["a","b"]]', '"schedule":[]', '"slot":-1', '{}'],
  seeds() {
    const statements = vectors('signed-node')
      .flatMap((document) => [...records(document)])
      .flatMap(({ status, headers, body }) =>
        typeof status === 'number' &&
        typeof headers === 'object' &&
        headers !== null &&
        !Array.isArray(headers)
          ? [
              {
                url: `/${ID}~process@1.0/compute&slot=1`,
                receivedAt: 1,
                status,
                headers: Object.entries(headers),
                body: toBase64Url(decode64([body ?? ''])[0] ?? new Uint8Array(0)),
              },
            ]
          : [],
      )
      .slice(0, 10);
    const item = (kind: string, more: object) =>
      JSON.stringify({
        v: 1,
        kind,
        createdAt: 1,
        process: ID,
        slot: 1,
        path: '',
        statements: statements.slice(0, 2),
        context: { stateRules: '' },
        ...more,
      });
    const items = [{ headers: [['a', 'b']], body: '' }, { body: 'AAAA' }];
    return few([
      item('double-answer', {}),
      item('double-answer', { statements: [statements[0], statements[0]] }),
      item('double-assignment', {}),
      item('bad-schedule', { schedule: items }),
      item('wrong-answer', { schedule: items, modules: items }),
    ]);
  },
  async run(input) {
    const item = parseEvidence(fromBytes(input));
    for (const one of [...(item.schedule ?? []), ...(item.modules ?? [])])
      try {
        valueOf(one);
      } catch (thrown) {
        if (!(thrown instanceof Error && thrown.name === 'AoError')) throw thrown;
      }
    await checkEvidence(item, await (node ??= fuzzNode()));
  },
});
