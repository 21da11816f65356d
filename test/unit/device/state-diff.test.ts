import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDiff, diffMessages } from '../../../src/device/state-diff.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message } from '../../../src/message/message.ts';
import { Atom, Link, type Value } from '../../../src/message/value.ts';

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.string({ maxLength: 4 }),
  fc.bigInt({ min: -9n, max: 9n }),
  fc.double({ noNaN: true }),
  fc.constantFrom(Atom.true, Atom.null, new Link('L'.repeat(43))),
  fc.uint8Array({ maxLength: 3 }),
);
const { message } = fc.letrec<{ value: Value; message: Message }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    tie('message'),
    fc.array(tie('value'), { maxLength: 3 }) as fc.Arbitrary<Value>,
  ),
  message: fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e/f', 'é'), tie('value'), { maxKeys: 5 })
    .map((record) => Message.from(Object.entries(record))),
}));

describe('state differences', () => {
  it('lead from any state to any other, through a structured clone', () => {
    fc.assert(
      fc.property(message, message, (before, after) => {
        const diff = diffMessages(before, after);
        expect(equalValues(applyDiff(before, structuredClone(diff)), after)).toBe(true);
        if (diff === undefined) expect(equalValues(before, after)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('hold only what changed, also deep inside', () => {
    const big = Message.of({ many: 'x'.repeat(1000), n: 1n });
    const before = Message.of({ same: big, part: { kept: big, x: 1n, gone: '1' }, list: ['a'] });
    const after = Message.of({ same: big, part: { kept: big, x: 2n }, list: ['a'] });
    expect(diffMessages(before, after)).toEqual({
      within: new Map([['part', { set: new Map([['x', 2n]]), unset: ['gone'] }]]),
    });
    expect(diffMessages(before, before.withPrivate({ hashpath: 'x' }))).toBeUndefined();
  });

  it('never hold private keys, and are refused where they do not fit', () => {
    expect(diffMessages(Message.empty, Message.of({ privy: '1' }))).toBeUndefined();
    const diff = { within: new Map([['a', { unset: ['b'] }]]) };
    expect(() => applyDiff(Message.of({ a: 'text' }), diff)).toThrow('does not fit');
  });
});
