/** What programs answer, as text that they wrote themselves. */
import { parseJson } from '../../../src/codec/json-text.ts';
import { numberedOutbox, resultsOf } from '../../../src/device/json-struct.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { Message } from '../../../src/message/message.ts';
import { few } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  words: ['[', ']', '{', '}', '"Messages":', '"Tags":', '"Output":', '"Error":', 'null', '1e400', '\\ud800'],
  seeds: () =>
    few([
      '{"Output":{"data":"x","prompt":"> "},"Messages":[{"Target":"a","Data":"d","Anchor":"0","Tags":[{"name":"Action","value":"Go"}]}],"Spawns":[],"Assignments":[],"Error":""}',
      '{"Messages":{},"Output":"","patches":[{"Tags":[{"name":"device","value":"patch@1.0"}]}]}',
      '{"Error":"no"}',
      '{"Data":1.5,"Messages":[{"tags":[{"name":"x","value":[1,{"a":null}]}]}]}',
    ]),
  run(input) {
    const parsed = parseJson(input);
    if (!(parsed instanceof Message)) return;
    const { data, outbox, patches } = resultsOf(parsed);
    messageId(
      Message.from([
        ['data', data],
        ['outbox', numberedOutbox(outbox)],
        ['patches', patches],
      ]),
    );
  },
});
