/** GraphQL queries of strangers. */
import { graphql } from '../../../src/device/query-graphql.ts';
import { Message } from '../../../src/message/message.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { fuzzNode } from '../node.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

let node: Promise<NodeContext> | undefined;

const query = (text: string, variables: object = {}) => JSON.stringify({ query: text, variables });

export default defineTarget({
  words: [
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    '...',
    '$a',
    'fragment a on Query {',
    '@include(if: true)',
    '\\"',
    '#',
  ],
  seeds: () =>
    few([
      query(
        '{ transactions(tags: [{ name: "a", values: ["1"] }], first: 5) { pageInfo { hasNextPage } edges { cursor node { id owner { address } tags { name value } } } } }',
      ),
      query('query($o: [String!]) { transactions(owners: $o, sort: HEIGHT_ASC, after: "AA") { count } }', {
        o: ['x'],
      }),
      query('{ transaction(id: "qoKsl5XJIjkL7QIfUXNplkdh71dTOV1mUtP3b4WlzMk") { id data { size } } }'),
      query('{ message(keys: [{ name: "a", value: "b" }]) { id keys { name value } } }'),
      query(
        '{ block(id: "1") { height } blocks(first: 1) { edges { node { id } } } __schema { types { name } } }',
      ),
      query('query A { block { id } } query B { ...F } fragment F on Query { block { id } }'),
    ]),
  async run(input) {
    const context = await (node ??= fuzzNode());
    await graphql(Message.empty, Message.from([['body', input]]), context as never);
  },
});
