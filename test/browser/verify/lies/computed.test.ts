/** Lies about what was computed, and about the program that computes. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toBytes } from '../../../../src/base/bytes.ts';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import { Message } from '../../../../src/message/message.ts';
import { decodeReply } from '../../../../src/resolver/reply.ts';
import { verify } from '../../../../src/verify/verify.ts';
import wasmCases from '../../../vectors/process-wasm.json';
import type { ProcessCase } from '../../../conformance/families/support/process-case.ts';
import { RecordedPeer } from '../recorded-peer.ts';
import { httpOf, SchedulingPeer } from '../scheduling-peer.ts';
import { accepted, codes, keys, node, prepare, state, tried, type Lie } from './support.ts';

beforeAll(prepare, 120_000);

const computed: Lie[] = [
  {
    name: 'a result is altered',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(2, (all) => all.with({ results: Message.of({ output: { data: 'message 99' } }) })),
  },
  {
    name: 'a balance in the state is altered',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.with({ balances: all.message('balances')!.with({ alice: '1000000' }) })),
  },
  {
    name: 'a key of the state is left out',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.without('count')),
  },
  {
    name: 'a key is added to the state',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(3, (all) => all.with({ 'balance-of-mallory': '1000000' })),
  },
  {
    name: 'a number is told as a text',
    level: 'replayed',
    code: 'answer-differs',
    tell: state(1, (all) => all.with({ count: String(all.get('count') as bigint) })),
  },
  {
    name: 'the answer is of an earlier slot',
    level: 'replayed',
    code: 'answer-differs',
    tell: (peer) =>
      peer.instead(/compute&slot=5$/, async () =>
        peer.request({
          method: 'GET',
          target: `/${peer.process}~process@1.0/compute&slot=4`,
          headers: [['accept-bundle', 'true']],
          body: new Uint8Array(0),
        }),
      ),
  },
  {
    name: 'only the asked key is a lie',
    level: 'replayed',
    code: 'answer-differs',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(/balances\/alice/, () => peer.reply('1000000')),
  },
  {
    name: 'the first answer is a lie and later ones are not',
    level: 'replayed',
    code: 'answer-differs',
    tell: (peer) => {
      let asked = 0;
      peer.instead(/compute&slot=5$/, async (truth) => {
        const answer = await truth();
        if (asked++ > 0) return answer;
        const all = uncommitted(decodeReply(answer));
        return peer.reply(all.with({ balances: all.message('balances')!.with({ alice: '1000000' }) }));
      });
    },
  },
  {
    name: 'a key that is there is said not to be',
    level: 'replayed',
    code: 'answer-withheld',
    path: 'now/balances/alice',
    tell: (peer) => peer.instead(/balances\/alice/, () => peer.reply('not_found', { status: 404 })),
  },
  {
    name: 'a slot is said to have failed',
    level: 'replayed',
    code: 'answer-withheld',
    tell: (peer) => peer.instead(/compute/, () => peer.reply('failed', { status: 500 })),
  },
];

describe('a peer that lies about what was computed', () => {
  it.each(computed)('is not believed: $name', async (lie) => {
    const report = await tried(lie);
    expect(codes(report)).toContain(lie.code);
    expect(accepted(report)).toBe(false);
    expect(report.facts.replayed).toBeUndefined();
  });
});

describe('a program that is not the one', () => {
  const data = (wasmCases as unknown as ProcessCase[])[0]!;
  const id = data.preload[0]!.id;
  const evil = Message.of({ body: toBytes('another program') });
  it.each([
    { name: 'a program has another ID', code: 'no-module', program: evil },
    {
      name: 'a program claims the ID in a commitment that is not valid',
      code: 'no-module',
      program: evil.with({
        commitments: Message.from([[id, Message.of({ 'commitment-device': 'httpsig@1.0' })]]),
      }),
    },
  ])('is not run: $name', async ({ program, code }) => {
    const peer = new RecordedPeer(data, keys.scheduler);
    peer.lie = async (path, truth) => (path === `/${id}` ? httpOf(program) : truth);
    const report = await verify(`${peer.origin}/${data['process-id']}~process@1.0/now`, {}, await node(peer));
    expect(codes(report)).toContain(code);
    expect(accepted(report)).toBe(false);
    expect(report.facts.replayed).toBeUndefined();
  });
});

describe('a process that failed', () => {
  it('is replayed: the node fails where we do', async () => {
    const peer = await SchedulingPeer.open(keys, { fails: true, anchor: 'fails' });
    const report = await verify(peer.url(), {}, await node(peer));
    expect(report.problems).toEqual([]);
    expect(report.level).toBe('replayed');
    expect(report.facts.replayed?.compared).toEqual(['failure']);
  });

  it('is not believed: a result where the process failed', async () => {
    const peer = await SchedulingPeer.open(keys, { fails: true, anchor: 'fails' });
    peer.instead(/compute&slot=[45]/, () => peer.reply(Message.of({ count: 5n, results: { output: {} } })));
    const report = await verify(peer.url(), {}, await node(peer));
    expect(codes(report)).toContain('answer-differs');
    expect(report.problems.find(({ code }) => code === 'answer-differs')?.slot).toBe(4);
  });
});
