/** `resolve.multi`: steps a second of a path of five steps, each setting a key of the result of the one before. */
import { Message } from '../../../src/message/message.ts';
import { testNode } from '../../conformance/node.ts';
import { defineBench, rate } from '../bench.ts';

const STEPS = 5;

export default defineBench(async (context) => {
  const node = await testNode();
  const base = Message.of({ device: 'message@1.0', a: 'one' });
  const sequence = [
    base,
    ...Array.from({ length: STEPS }, (_, index) => Message.of({ path: 'set', [`key-${index}`]: 'x' })),
  ];
  const walk = async () => {
    const { status } = await node.resolveSequence(sequence);
    if (status !== 'ok') throw new Error(`The path ended with ${status}.`);
  };
  return { value: STEPS * (await rate(walk, context)), unit: 'steps/s' };
});
