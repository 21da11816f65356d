/** Peers that waste time or space instead of answering. */
import { beforeAll, describe, expect, it } from 'vitest';
import { cloneToJson } from '../../../../src/base/clone-json.ts';
import { Message } from '../../../../src/message/message.ts';
import type { Transport } from '../../../../src/resolver/context.ts';
import { fetchTransport } from '../../../../src/node/transport.ts';
import { verify } from '../../../../src/verify/verify.ts';
import { accepted, codes, liar, node, prepare, refusal } from './support.ts';

beforeAll(prepare, 120_000);

/** A peer behind the real transport, with short limits; `body` makes what `fetch` answers. */
function overFetch(body: (signal: AbortSignal) => Promise<Response>): Transport {
  const transport = fetchTransport({
    retries: 0,
    fetch: (_, init) => body(init?.signal as AbortSignal),
  });
  return { request: (request) => transport.request(request, { timeout: 300, maxBytes: 100_000 }) };
}

describe('a peer that wastes time or space', () => {
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(16_384)),
    });
  /** An octet now and then, for ever. */
  const dripping = (signal: AbortSignal) =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (signal.aborted) controller.error(signal.reason);
        else controller.enqueue(new Uint8Array(1));
      },
    });
  it.each<{ name: string; code: string; body: (signal: AbortSignal) => Promise<Response> }>([
    {
      name: 'never answers',
      code: 'peer-timeout',
      body: (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as DOMException)),
        ),
    },
    { name: 'answers without end', code: 'peer-too-large', body: async () => new Response(endless()) },
    {
      name: 'lets its answer drip',
      code: 'peer-timeout',
      body: (signal) => Promise.resolve(new Response(dripping(signal))),
    },
    {
      name: 'announces more than is taken',
      code: 'peer-too-large',
      body: async () => new Response('x', { headers: { 'content-length': '99999999999' } }),
    },
    {
      name: 'redirects in a circle',
      code: 'peer-unreachable',
      body: () => Promise.reject(new TypeError('Failed to fetch')),
    },
    {
      name: 'breaks off in the middle',
      code: 'peer-unreachable',
      body: async () =>
        new Response(
          new ReadableStream<Uint8Array>({
            start: (controller) => {
              controller.enqueue(new Uint8Array(10));
              controller.error(new TypeError('network error'));
            },
          }),
        ),
    },
  ])('$name, and is given up', async ({ code, body }) => {
    const report = await verify(liar().url(), {}, await node(overFetch(body)));
    expect(codes(report)).toContain(code);
    expect(accepted(report)).toBe(false);
    expect(report.reached).toEqual([]);
  });

  it('gets smaller pages asked for, and is verified when it can serve those', async () => {
    const peer = liar();
    peer.instead(/\/schedule(&from=0&to=(5|\d{3,}))?$/, async (truth) => {
      if (/to=[0-5]$/.test(peer.asked.at(-1)!)) return truth();
      return refusal(503)();
    });
    const report = await verify(peer.url(), {}, await node(peer));
    expect(report.level).toBe('replayed');
  });

  it('never makes the node keep more than it is told to: a schedule without end', async () => {
    const peer = liar();
    const all = await peer.assignments();
    const filler = 'x'.repeat(300_000);
    let slot = 6;
    peer.instead(/slot\/current/, () => peer.reply(1_000_000n));
    peer.instead(/slot=1000000/, () => peer.reply(Message.of({ count: 7n })));
    peer.instead(/\/schedule/, async () => {
      if (peer.asked.at(-1)!.endsWith('/schedule')) return peer.page(all, 0, 'true');
      const body = await peer.message({ action: 'credit', to: 'bob', quantity: '1', filler });
      const last = all.at(-1)!;
      all.push(await peer.resign(last, { body, slot: BigInt(slot++), 'hash-chain': peer.chain(last, body) }));
      return peer.page(all.slice(-2), slot - 2, 'true');
    });
    const context = await node(peer);
    const report = await verify(peer.url(), { maxBytes: 3_000_000 }, context);
    expect(codes(report)).toContain('peer-too-large');
    expect(accepted(report)).toBe(false);
    expect(report.cost.bytes).toBeLessThan(4_000_000);
    let kept = 0;
    for (const table of ['assignments', 'messages', 'data', 'evidence', 'peers'] as const)
      for (const { value } of await context.store.range(table))
        kept += JSON.stringify(cloneToJson(value)).length;
    expect(kept).toBeLessThan(4 * 3_000_000);
  });
});
