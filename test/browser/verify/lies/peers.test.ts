/** Several peers, of which some lie, are one, or are behind. */
import { beforeAll, describe, expect, it } from 'vitest';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import type { Message } from '../../../../src/message/message.ts';
import type { HttpResponse, Transport } from '../../../../src/resolver/context.ts';
import { decodeReply } from '../../../../src/resolver/reply.ts';
import { verify, type VerifyOptions } from '../../../../src/verify/verify.ts';
import { accepted, codes, honest, keys, liar, node, prepare, refusal, state } from './support.ts';

beforeAll(prepare, 120_000);

describe('several peers', () => {
  const second = 'https://second.example';
  /** Answers of the second host come from `other`, signed by its own key. */
  const both = (other: (path: string) => Promise<HttpResponse>): Transport => ({
    request: (request) =>
      request.target.startsWith(second)
        ? other(request.target.slice(second.length))
        : honest.request(request),
  });
  const asStranger = (change: (state: Message) => Message) => async (path: string) => {
    const answer = await honest.request({
      method: 'GET',
      target: path,
      headers: [['accept-bundle', 'true']],
      body: new Uint8Array(0),
    });
    if (!path.includes('/compute')) return answer;
    return honest.reply(change(uncommitted(decodeReply(answer))), { by: keys.stranger });
  };

  it('agree when two keys say the same', async () => {
    const context = await node(both(asStranger((all) => all)));
    const report = await verify(liar().url(), { level: 'agreed', peers: [second] }, context);
    expect(report.facts.agreed).toMatchObject({ k: 2, n: 2 });
    expect(accepted(report)).toBe(true);
  });

  const sameKey = (path: string) =>
    honest.request({
      method: 'GET',
      target: path,
      headers: [['accept-bundle', 'true']],
      body: new Uint8Array(0),
    });

  it.each<{
    name: string;
    code: string;
    peers: string[];
    other: (path: string) => Promise<HttpResponse>;
    k?: number;
  }>([
    {
      name: 'one says something else',
      code: 'peers-differ',
      peers: [second],
      other: asStranger((all) => all.with({ count: 7n })),
    },
    {
      name: 'one host is named twice',
      code: 'not-agreed',
      peers: ['https://ledger.example'],
      other: asStranger((all) => all),
    },
    { name: 'two hosts sign with one key', code: 'not-agreed', peers: [second], other: sameKey },
    { name: 'the others are silent', code: 'peer-silent', peers: [second], other: refusal(503) },
    {
      name: 'the others are behind',
      code: 'not-agreed',
      peers: [second],
      other: () => honest.reply(2n, { by: keys.stranger }),
    },
    {
      name: 'one voice is asked to be enough',
      code: 'not-agreed',
      peers: ['https://ledger.example'],
      other: asStranger((all) => all),
      k: 1,
    },
  ])('do not agree: $name', async ({ code, peers, other, k }) => {
    const context = await node(both(other));
    const options: VerifyOptions = { level: 'agreed', peers, ...(k ? { k } : {}) };
    const report = await verify(liar().url(), options, context);
    expect(codes(report)).toContain(code);
    expect(accepted(report)).toBe(false);
  });

  it('are caught by replaying: all tell the same lie', async () => {
    const peer = liar();
    state(3, (all) => all.with({ count: 99n }))(peer);
    const context = await node(both(asStranger((all) => all)));
    const report = await verify(peer.url(), { peers: [second] }, context);
    expect(report.facts.agreed?.agree).toHaveLength(2);
    expect(codes(report)).toContain('answer-differs');
    expect(report.level).toBe('contradicted');
  });

  it('show: the first one is behind', async () => {
    const peer = liar();
    peer.instead(/slot\/current/, () => peer.reply(3n));
    const other = both((path) =>
      path.includes('slot/current')
        ? honest.reply(5n, { by: keys.stranger })
        : asStranger((all) => all)(path),
    );
    const report = await verify(peer.url(), { peers: [second] }, await node(other));
    expect(codes(report)).toContain('stale');
    expect(report.freshness).toMatchObject({ slot: 3, head: 5 });
  });
});
