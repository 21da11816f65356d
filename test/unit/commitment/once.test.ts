/** IDs are computed once per message: counted at the hashes beneath them. */
import { beforeEach, expect, it, vi } from 'vitest';
import { encodeJson } from '../../../src/codec/json.ts';
import { encodeHttp } from '../../../src/commitment/http.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { messageId } from '../../../src/commitment/id.ts';
import type * as Hmac from '../../../src/crypto/hmac.ts';
import { EVERY } from '../../../src/commitment/select.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { Message } from '../../../src/message/message.ts';

const count = vi.hoisted(() => ({ hmac: 0 }));

vi.mock('../../../src/crypto/hmac.ts', async (original) => {
  const real = await original<typeof Hmac>();
  return {
    ...real,
    hmacSha256: (...args: Parameters<typeof real.hmacSha256>) => {
      count.hmac++;
      return real.hmacSha256(...args);
    },
  };
});

beforeEach(() => {
  count.hmac = 0;
});

const child = () => Message.of({ x: '1', list: [1n, 2n] });
const parent = (inner: Message) => Message.of({ a: 'b', n: 5n, inner, again: inner });

it('one for each message and list, however often it is asked for', async () => {
  const inner = child();
  const message = parent(inner);
  messageId(message);
  // The message, what is nested in it, and the list in that.
  expect(count.hmac).toBe(3);
  messageId(message);
  messageId(message, 'signed');
  messageId(message.get('inner')!);
  encodeJson(message);
  await encodeHttp(message);
  await encodeHttp(message, { bundle: true });
  expect(count.hmac).toBe(3);
});

it('none anew for what a changed message still holds', () => {
  const message = parent(child());
  messageId(message);
  count.hmac = 0;
  const changed = message.with({ a: 'c' });
  messageId(changed);
  expect(count.hmac).toBe(1);
  // Private keys are no part of an ID.
  messageId(changed.with({ 'priv-x': 'y' }));
  expect(count.hmac).toBeLessThanOrEqual(2);
});

it('one to commit and one to verify; the ID is the commitment’s', async () => {
  const inner = child();
  messageId(inner);
  count.hmac = 0;
  const committed = await commitHttpsig(parent(inner), undefined, { type: 'unsigned' });
  expect(count.hmac).toBe(1);
  messageId(committed);
  messageId(committed, 'signed');
  expect(count.hmac).toBe(1);
  expect(await verifyMessage(committed, EVERY)).toBe(true);
  expect(count.hmac).toBe(2);
});
