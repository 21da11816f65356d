/** A body of 100 MB, as it comes: committed, verified, and never held twice. */
import { cdp } from 'vitest/browser';
import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64, toBase64Url } from '../../../src/base/bytes.ts';
import { decodeAns104 } from '../../../src/codec/ans104.ts';
import { DataItem } from '../../../src/codec/ans104-item.ts';
import { decodeStructuredMessage } from '../../../src/codec/structured.ts';
import { createItem, rsaSigner } from '../../../src/commitment/ans104-sign.ts';
import { verifyItem } from '../../../src/commitment/ans104-verify.ts';
import { decodeHttpMessage, encodeHttp, httpForm } from '../../../src/commitment/http.ts';
import { commitHttpsig } from '../../../src/commitment/httpsig.ts';
import { messageId } from '../../../src/commitment/id.ts';
import { checkMessage, verifyMessage } from '../../../src/commitment/verify.ts';
import { sha256Async } from '../../../src/crypto/hash.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { Message } from '../../../src/message/message.ts';
import type { Tabm } from '../../../src/message/tabm.ts';

const SIZE = 100 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** What may be held beside the body: pieces on their way into a hash, and what the page has anyway. */
const BESIDE = 40 * 1024 * 1024;

interface Session {
  send(method: 'Runtime.getHeapUsage'): Promise<{ usedSize: number; backingStorageSize?: number }>;
  send(method: 'HeapProfiler.collectGarbage'): Promise<unknown>;
}

/** Octets in array buffers and on the heap of this page, as the engine counts them. */
async function held(): Promise<number> {
  const { usedSize, backingStorageSize } = await (cdp() as unknown as Session).send('Runtime.getHeapUsage');
  expect(backingStorageSize, 'this engine does not tell').toBeTypeOf('number');
  return usedSize + backingStorageSize!;
}

const collect = () => (cdp() as unknown as Session).send('HeapProfiler.collectGarbage');

/** The most that is held while `act` runs, beyond what was before. It is looked again and again, garbage included. */
async function peak<T>(act: () => Promise<T>): Promise<{ result: T; most: number }> {
  await collect();
  const before = await held();
  let most = 0;
  let done = false;
  const look = async () => {
    while (!done) most = Math.max(most, (await held()) - before);
  };
  const looking = look();
  const result = await act();
  most = Math.max(most, (await held()) - before);
  done = true;
  await looking;
  return { result, most };
}

function piece(index: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(PIECE / 4);
  for (let i = 0; i < words.length; i++) words[i] = Math.imul(i + index * 7919, 0x9e3779b1);
  return new Uint8Array(words.buffer);
}

/** The body as a stream hands it over, piece by piece. */
function stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  let index = 0;
  return new ReadableStream({
    pull(controller) {
      if (index * PIECE < SIZE) controller.enqueue(piece(index++));
      else controller.close();
    },
  });
}

async function readAll(): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(SIZE);
  let at = 0;
  const reader = stream().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    out.set(next.value, at);
    at += next.value.length;
  }
  return out;
}

let wallet: RsaWallet;
let body: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  wallet = await RsaWallet.generate();
  body = await readAll();
});

describe('a body of 100 MB', () => {
  it('is seen by the measurement when it is held twice', async () => {
    const { most } = await peak(() => Promise.resolve(body.slice()));
    expect(most).toBeGreaterThan(SIZE - BESIDE);
  });

  it('is hashed as WebCrypto hashes it, without a copy', async () => {
    const { result, most } = await peak(() => sha256Async(body));
    expect(most).toBeLessThan(BESIDE);
    // WebCrypto makes one.
    expect(toBase64(result)).toBe(toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', body))));
  });

  it('is committed with httpsig@1.0, travels, and is verified', async () => {
    const { result, most } = await peak(async () => {
      const message = Message.from([
        ['action', 'Store'],
        ['body', body],
      ]);
      const committed = await commitHttpsig(message, wallet);
      const form = await encodeHttp(committed);
      expect(form.body).toBe(body);
      const came = decodeHttpMessage(
        httpForm(
          [...form.headers].map(([name, value]) => [name, value as string] as const),
          form.body,
        ),
        { checkDigest: true },
      );
      expect(await checkMessage(came)).toMatchObject([{ verdict: { valid: true } }]);
      expect(messageId(came, 'signed')).toBe(messageId(committed, 'signed'));
      return came;
    });
    expect(most).toBeLessThan(BESIDE);
    expect(result.get('body')).toBe(body);
  });

  it('is committed beside another long value, in a multipart body that is never put together', async () => {
    const { result, most } = await peak(async () => {
      const message = Message.from([
        ['note', 'n'.repeat(5000)],
        ['body', body],
      ]);
      const committed = await commitHttpsig(message, wallet);
      return verifyMessage(Message.from(committed.entries()));
    });
    expect(result).toBe(true);
    expect(most).toBeLessThan(BESIDE);
  });

  it('is the data of a signed item, which is read, verified and shown without a copy', async () => {
    const item = await createItem(
      { data: body, tags: [{ name: 'Action', value: 'Store' }] },
      rsaSigner(wallet),
    );
    const bytes = item.toBytes();
    const { most } = await peak(async () => {
      const parsed = DataItem.parse(bytes);
      expect(await verifyItem(parsed)).toBe(true);
      const message = decodeStructuredMessage(decodeAns104(bytes) as Tabm);
      expect((message.get('data') as Uint8Array).buffer).toBe(bytes.buffer);
      expect(messageId(message, 'signed')).toBe(toBase64Url(parsed.id));
      expect(await checkMessage(message)).toMatchObject([{ verdict: { valid: true } }]);
    });
    expect(most).toBeLessThan(BESIDE);
    bytes[bytes.length - 1]! ^= 1;
    expect(await verifyItem(DataItem.parse(bytes))).toBe(false);
  });
});
