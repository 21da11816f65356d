/** `resolve.single`: steps a second of a path of one step (a key of a message), from the parsed request to its result. */
import { Message } from '../../../src/message/message.ts';
import { testNode } from '../../conformance/node.ts';
import { defineBench, rate } from '../bench.ts';

export default defineBench(async (context) => {
  const node = await testNode();
  const base = Message.of({ device: 'message@1.0', a: 'one', b: 'two' });
  const request = Message.of({ path: 'a' });
  const step = async () => {
    const { status } = await node.resolve(base, request);
    if (status !== 'ok') throw new Error(`The step ended with ${status}.`);
  };
  return { value: await rate(step, context), unit: 'steps/s' };
});
