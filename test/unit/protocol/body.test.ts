import { describe, expect, it } from 'vitest';
import { bodyInit, portable, readBody, requestBody } from '../../../src/protocol/body.ts';
import { expose, wrap } from '../../../src/protocol/rpc.ts';

/** An endless sender that notes how much was taken from it and why it was stopped. */
function sender(piece: number) {
  const seen: { taken: number; stopped?: unknown } = { taken: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.taken += piece;
        controller.enqueue(new Uint8Array(piece).fill(1));
      },
      cancel(reason) {
        seen.stopped = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { seen, stream };
}

/** Comparing large bodies element by element takes the test runner minutes. */
const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;
const numbered = (size: number) => Uint8Array.from({ length: size }, (_, at) => (at * 31) & 0xff);

describe('a body that is read', () => {
  it('is what came, in however many pieces', async () => {
    const whole = numbered(10_000);
    for (const size of [1_000, 3_333, 10_000]) {
      const pieces = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < whole.length; at += size) controller.enqueue(whole.subarray(at, at + size));
          controller.close();
        },
      });
      expect(await readBody(pieces, 10_000)).toEqual(whole);
    }
    expect(await readBody(null)).toEqual(new Uint8Array(0));
  });

  it('is refused at the limit, and the sender is stopped there', async () => {
    const { seen, stream } = sender(100);
    await expect(readBody(stream, 1_000)).rejects.toMatchObject({ code: 'body-too-large', status: 413 });
    expect(seen.taken).toBe(1_100);
    expect(seen.stopped).toMatchObject({ code: 'body-too-large' });
  });

  it('fails as its sender fails', async () => {
    const broken = new ReadableStream<Uint8Array>({ start: (one) => one.error(new Error('gone')) });
    await expect(readBody(broken)).rejects.toThrow('gone');
  });

  it('is limited where requests have no streams, too', async () => {
    const old = { blob: () => Promise.resolve(new Blob([numbered(50)])) } as Request;
    expect(await requestBody(old, 50)).toEqual(numbered(50));
    await expect(requestBody(old, 49)).rejects.toMatchObject({ status: 413 });
  });
});

describe('a large body that crosses a port', () => {
  it('is transferred, and the original stays whole', async () => {
    const { port1, port2 } = new MessageChannel();
    const kept = numbered(400_000);
    const whole = kept.slice();
    const calls = {
      echo: (exchange: { body: Uint8Array }) => portable(exchange),
      give: () => portable({ body: kept }),
    };
    expose(calls, port1 as never);
    const remote = wrap<typeof calls>(port2 as never);
    try {
      const mine = { body: numbered(400_000) };
      // Asked again, as when the node moved: the first try must not have taken the body away.
      for (let tries = 0; tries < 2; tries++) {
        const given = portable(mine);
        expect(same((await remote.echo(given)).body, whole)).toBe(true);
        expect(given.body.buffer.byteLength).toBe(0);
        expect(same((await remote.give()).body, whole)).toBe(true);
      }
      expect(same(mine.body, whole)).toBe(true);
      expect(same(kept, whole)).toBe(true);
    } finally {
      port1.close();
      port2.close();
    }
  });

  it('takes only its own octets from a larger buffer', () => {
    const buffer = numbered(1_000_000);
    const given = portable({ body: buffer.subarray(300_000, 700_000) });
    expect(given.body.buffer.byteLength).toBe(400_000);
    const small = { body: numbered(10) };
    expect(portable(small)).toBe(small);
  });
});

describe('a large body that is given out', () => {
  it('comes in pieces, as they are asked for', async () => {
    const body = numbered(400_000);
    const stream = bodyInit(body) as ReadableStream<Uint8Array>;
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(body.length);
    expect(same(Buffer.concat(pieces), body)).toBe(true);
    expect(same(new Uint8Array(await new Response(bodyInit(body)).arrayBuffer()), body)).toBe(true);
  });

  it('ends when its reader goes away', async () => {
    const reader = (bodyInit(numbered(400_000)) as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await reader.cancel();
    expect((await reader.read()).done).toBe(true);
  });
});
