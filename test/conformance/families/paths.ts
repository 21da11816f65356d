/** `paths`: a request parses to the recorded sequence of messages, `as` and sub-paths included (resolver.md §4). */
import { messageId } from '../../../src/commitment/id.ts';
import type { Value } from '../../../src/message/value.ts';
import { parseSingleton } from '../../../src/resolver/path.ts';
import { checkRefused, defineFamily, type Json } from '../family.ts';
import { expectValue, isError, toMessage } from '../value.ts';

interface PathCase {
  request: Json;
  messages: Json;
}

export default defineFamily<PathCase>({
  family: 'paths',
  async run({ data }) {
    const request = toMessage(data.request);
    if (isError(data.messages)) {
      await checkRefused(() => parseSingleton(request));
      return;
    }
    const id = (value: Value) => messageId(value, 'signed');
    await expectValue(data.messages, parseSingleton(request), { id });
  },
});
