/** The message that the message and codec benchmarks use: ten fields of different types, one of them a message. */
import { Message } from '../../src/message/message.ts';

/** A new object each time, so that nothing is remembered from the last; `index` makes its content its own. */
export function sampleMessage(index: number): Message {
  return Message.of({
    action: 'Transfer',
    target: 'dGFyZ2V0LXRhcmdldC10YXJnZXQtdGFyZ2V0LXRhcmc',
    quantity: BigInt(1_000_000 + index),
    rate: 0.25,
    urgent: true,
    note: 'A line of text, as people write them, of some eighty characters or a little more.',
    data: 'x'.repeat(512),
    reference: String(index),
    list: ['one', 2n, 'three'],
    terms: { currency: 'AO', limit: 100n, place: 'Berlin' },
  });
}
