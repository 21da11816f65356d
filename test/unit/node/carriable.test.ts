/** Answers with keys and values that HTTP cannot carry as fields: they come all the same, and whole. */
import { describe, expect, it } from 'vitest';
import { latin1ToBytes, toBytes, bytesToLatin1 } from '../../../src/base/bytes.ts';
import { committers } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { equalValues } from '../../../src/message/equal.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { handle } from '../../../src/node/http.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { testNode } from '../../conformance/node.ts';

const CASES: Record<string, Record<string, ValueInput>> = {
  'line breaks': { k: 'a\r\nset-cookie: x=1', l: 'b\nc' },
  NUL: { k: 'a\0b' },
  'a key with a slash': { 'a/b': 'v' },
  'a key that is not ASCII': { schlüssel: 'v' },
  'a key with a space': { 'a b': 'v' },
  'a key with a line break': { 'a\r\nb': 'v' },
  'more than clients take': Object.fromEntries(
    Array.from({ length: 90 }, (_, at) => [`k${at}`, 'x'.repeat(4000)]),
  ),
  'values that are not ASCII': { k: 'höß', n: 5n },
  'octets beside a line break': { k: Uint8Array.of(1, 2, 255), l: 'a\nb' },
};

describe('an answer with', () => {
  for (const [name, fields] of Object.entries(CASES))
    it(`${name} reaches the client`, async () => {
      const context = await testNode();
      const given = Message.of(fields);
      context.devices.register({ name: 'give@1.0', keys: { it: () => given } });
      for (const bundle of ['true', 'false']) {
        const answer = await handle(
          {
            method: 'GET',
            target: '/~give@1.0/it',
            headers: [['accept-bundle', bundle]],
            body: new Uint8Array(),
          },
          context,
        );
        expect(answer.status).toBe(200);
        // What a real server would send: every field is one.
        for (const [field, value] of answer.headers) {
          expect(field).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
          expect(bytesToLatin1(toBytes(value))).not.toMatch(/[\x00-\x08\x0a-\x1f\x7f]/);
        }
        const message = decodeReply(answer);
        // A data item carries no signature over an HTTP message; what is no text has no other form.
        const item = answer.headers.some(([, value]) => value === 'ans104@1.0');
        expect(committers(message)).toEqual(item ? [] : [context.identity.address]);
        expect(await verifyMessage(message)).toBe(true);
        for (const [key, value] of given) expect(equalValues(message.get(key)!, value), key).toBe(true);
      }
    });

  it('a key that no codec can name is refused with a reason, not broken off', async () => {
    const context = await testNode();
    const octets = String.fromCharCode(0xdc80 + 0x7f);
    const given = Message.from([[octets, latin1ToBytes('\xff')]]);
    context.devices.register({ name: 'give@1.0', keys: { it: () => given } });
    const headers: [string, string][] = [['accept-bundle', 'true']];
    const answer = await handle(
      { method: 'GET', target: '/~give@1.0/it', headers, body: new Uint8Array() },
      context,
    );
    expect(answer.status).toBeGreaterThanOrEqual(200);
    for (const [field] of answer.headers) expect(field).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
  });
});
