/**
 * `message.id`: uncommitted IDs a second, of messages that were not seen before (ten fields, one nested); making the
 * message is part of it.
 */
import { messageId } from '../../../src/commitment/id.ts';
import { defineBench, rate } from '../bench.ts';
import { sampleMessage } from '../sample.ts';

export default defineBench(async (context) => {
  let index = 0;
  return { value: await rate(() => messageId(sampleMessage(index++)), context), unit: 'op/s' };
});
