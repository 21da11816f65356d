/** Lies about one answer: what its signature says, and how it is written down. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toBytes } from '../../../../src/base/bytes.ts';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../../src/commitment/httpsig.ts';
import { Message } from '../../../../src/message/message.ts';
import type { HttpResponse } from '../../../../src/resolver/context.ts';
import { decodeReply } from '../../../../src/resolver/reply.ts';
import { verify } from '../../../../src/verify/verify.ts';
import { httpOf } from '../scheduling-peer.ts';
import { accepted, codes, header, honest, keys, liar, node, prepare, tried, type Lie } from './support.ts';

beforeAll(prepare, 120_000);

const ASKED = /\/compute&slot=5/;

const answers: Lie[] = [
  {
    name: 'the signature is stripped',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => all.filter(([name]) => !name.startsWith('signature'))),
      ),
  },
  {
    name: 'there is an unkeyed HMAC alone',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth()));
        return httpOf(await commitHttpsig(bare, keys.scheduler, { type: 'unsigned' }));
      }),
  },
  {
    name: 'the signature is on the hashpath alone',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth())).with({ hashpath: 'a/b' });
        return httpOf(await commitHttpsig(bare, keys.scheduler, { committed: ['hashpath'] }));
      }),
  },
  {
    name: 'the body is swapped under its digest',
    level: 'signed',
    code: 'wrong-digest',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(ASKED, async (truth) => ({ ...(await truth()), body: toBytes('1000000') })),
  },
  {
    name: 'the body is cut short',
    level: 'signed',
    code: 'wrong-digest',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        return { ...answer, body: answer.body.slice(0, answer.body.length >> 1) };
      }),
  },
  {
    name: 'body and digest are swapped',
    level: 'signed',
    code: 'not-signed',
    path: 'now/balances/alice',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const signed = await truth();
        const { headers, body } = await peer.reply('1000000');
        const digest = headers.find(([name]) => name === 'content-digest')!;
        return { ...signed, body, headers: [...signed.headers.filter(([n]) => n !== digest[0]), digest] };
      }),
  },
  {
    name: 'a header is altered',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => all.map(([n, v]) => (n === 'count' ? [n, '600'] : [n, v]))),
      ),
  },
  {
    name: 'a key is added that nobody signed',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => [...all, ['balance-of-mallory', '1000000']]),
      ),
  },
  {
    name: 'the keys of two signers are swapped',
    level: 'signed',
    code: 'peer-unreadable',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        const other = await peer.reply(uncommitted(decodeReply(answer)), { by: keys.stranger });
        const of = ({ headers }: HttpResponse, name: string) => headers.find(([key]) => key === name)!;
        const rest = answer.headers.filter(([name]) => name !== 'signature-input');
        return { ...answer, headers: [...rest, of(other, 'signature-input')] };
      }),
  },
  {
    name: 'another key is named as the one that the answer is about',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => [...all, ['ao-result', 'count']]),
      ),
  },
  {
    name: 'a text is made a number by a type that nobody signed',
    level: 'signed',
    code: 'not-signed',
    path: 'now/balances/alice',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const bare = uncommitted(decodeReply(await truth())).without('ao-types', 'status', 'ao-result');
        const signed = await commitHttpsig(bare.with({ 'ao-result': 'body' }), keys.scheduler, {});
        const answer = await httpOf(signed);
        return { ...answer, headers: [...answer.headers, ['ao-types', 'body="integer"']] };
      }),
  },
  {
    name: 'the signature is of another answer',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, async (truth) => {
        const answer = await truth();
        const other = await peer.reply(Message.of({ count: 1n }));
        const isSignature = ([name]: readonly [string, string]) => name.startsWith('signature');
        return {
          ...answer,
          headers: [
            ...answer.headers.filter((pair) => !isSignature(pair)),
            ...other.headers.filter(isSignature),
          ],
        };
      }),
  },
  {
    name: 'the status is another',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) => peer.instead(ASKED, async (truth) => ({ ...(await truth()), status: 202 })),
  },
  {
    name: 'a page of HTML comes instead',
    level: 'signed',
    code: 'not-signed',
    tell: (peer) =>
      peer.instead(ASKED, () =>
        Promise.resolve({
          status: 200,
          headers: [['content-type', 'text/html']],
          body: toBytes('<!doctype html><title>Sign in</title>'),
        }),
      ),
  },
  {
    name: 'it is called JSON and is none',
    level: 'signed',
    code: 'peer-unreadable',
    tell: (peer) =>
      peer.instead(
        ASKED,
        header((all) => [...all, ['codec-device', 'json@1.0']]),
      ),
  },
  {
    name: 'a redirect leads nowhere',
    level: 'signed',
    code: 'peer-refused',
    tell: (peer) =>
      peer.instead(ASKED, () =>
        Promise.resolve({ status: 307, headers: [], body: toBytes('Redirecting to scheduler') }),
      ),
  },
  {
    name: 'nothing comes but refusals',
    level: 'signed',
    code: 'peer-refused',
    tell: (peer) =>
      peer.instead(/./, () => Promise.resolve({ status: 503, headers: [], body: new Uint8Array(0) })),
  },
  {
    name: 'the number of slots is no number',
    level: 'replayed',
    code: 'peer-unreadable',
    tell: (peer) => peer.instead(/slot\/current/, () => peer.reply('many')),
  },
  {
    name: 'an answer is nested without end',
    level: 'replayed',
    code: 'peer-unreadable',
    tell: (peer) =>
      peer.instead(ASKED, () =>
        Promise.resolve({
          status: 200,
          headers: [['codec-device', 'json@1.0']],
          body: toBytes('{"a":'.repeat(200_000) + '1' + '}'.repeat(200_000)),
        }),
      ),
  },
];

describe('a peer that tells the truth', () => {
  it.each(['now', 'now/balances/alice', 'now/balances', 'now/balances/nobody', 'compute&slot=3/count'])(
    'is believed: %s',
    async (path) => {
      const report = await verify(liar().url(path), {}, await node(honest));
      expect(report.problems).toEqual([]);
      expect(report.level).toBe('replayed');
      if (path !== 'now/balances/nobody') expect(report.reached).toContain('signed');
    },
  );

  it('is believed behind a proxy that adds fields', async () => {
    const peer = liar();
    const added: [string, string][] = [
      ['cf-ray', '8f'],
      ['alt-svc', 'h3=":443"'],
      ['server', 'proxy'],
    ];
    peer.instead(
      /./,
      header((all) => [...all, ...added]),
    );
    const report = await verify(peer.url(), {}, await node(peer));
    expect(report.problems).toEqual([]);
    expect(report.reached).toContain('signed');
  });

  it('is believed when its schedule was encoded anew', async () => {
    const peer = liar();
    peer.shows(await peer.assignments());
    expect((await verify(peer.url(), {}, await node(peer))).level).toBe('replayed');
  });
});

describe('a peer that lies about an answer', () => {
  it.each(answers)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
  });
});
