/** Lies that show at a second visit: what was said before has to stay. */
import { beforeAll, describe, expect, it } from 'vitest';
import { uncommitted } from '../../../../src/commitment/commitment.ts';
import { commitHttpsig } from '../../../../src/commitment/httpsig.ts';
import { Message } from '../../../../src/message/message.ts';
import type { NodeContext } from '../../../../src/resolver/node-context.ts';
import { verify } from '../../../../src/verify/verify.ts';
import type { SchedulingPeer } from '../scheduling-peer.ts';
import { accepted, codes, keys, liar, node, prepare, proves } from './support.ts';

beforeAll(prepare, 120_000);

describe('a second visit', () => {
  const visited = async (upTo: number): Promise<[SchedulingPeer, NodeContext]> => {
    const peer = liar();
    const context = await node(peer);
    const first = await verify(peer.url(`compute&slot=${upTo}`), { level: 'audited' }, context);
    expect(first.level).toBe('audited');
    return [peer, context];
  };

  it('shows: a scheduler gave one slot to two messages, with evidence', async () => {
    const [peer, context] = await visited(3);
    const all = await peer.assignments();
    const body = await peer.message({ action: 'credit', to: 'mallory', quantity: '1' });
    all[3] = await commitHttpsig(
      uncommitted(all[3]!).with({ body, 'hash-chain': peer.chain(all[2]!, body) }),
      keys.scheduler,
      {},
    );
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    expect(report.level).toBe('contradicted');
    const problem = report.problems.find(({ code }) => code === 'equivocation');
    expect(problem).toMatchObject({ slot: 3, contradiction: true });
    await proves(problem?.evidence, context, 'double-assignment');
  });

  it('shows: another past is shown that the scheduler did not sign', async () => {
    const [peer, context] = await visited(3);
    const all = await peer.assignments();
    all[3] = all[3]!.with({ body: await peer.message({ action: 'credit', to: 'mallory', quantity: '1' }) });
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    expect(codes(report)).toContain('audit-past');
    expect(accepted(report)).toBe(false);
  });

  it('shows: slots were taken back', async () => {
    const [peer, context] = await visited(5);
    peer.instead(/slot\/current/, () => peer.reply(2n));
    const report = await verify(peer.url(), {}, context);
    expect(codes(report)).toContain('head-regress');
    expect(report.level).toBe('contradicted');
    expect(report.freshness?.head).toBe(5);
  });

  it('shows: a scheduler signed two hash chains for one slot', async () => {
    const [peer, context] = await visited(3);
    const all = await peer.assignments();
    all[3] = await peer.resign(all[3]!, { 'hash-chain': 'C'.repeat(43) });
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    const problem = report.problems.find(({ code }) => code === 'equivocation');
    expect(problem).toMatchObject({ slot: 3, contradiction: true });
    await proves(problem?.evidence, context, 'double-assignment');
  });

  it('shows: one question is answered in two ways', async () => {
    const peer = liar();
    const context = await node(peer);
    const url = peer.url('compute&slot=3/count');
    expect(codes(await verify(url, { level: 'signed' }, context))).toEqual([]);
    peer.instead(/compute&slot=3/, () => peer.reply(99n));
    const report = await verify(url, { level: 'signed' }, context);
    const problem = report.problems.find(({ code }) => code === 'double-answer');
    expect(problem).toMatchObject({ slot: 3, contradiction: true });
    expect(accepted(report)).toBe(false);
    await proves(problem?.evidence, context, 'double-answer');
  });

  it('shows: a head is signed that lies before one that was signed earlier', async () => {
    const peer = liar();
    const context = await node(peer);
    const head = (current: bigint, timestamp: bigint) => {
      peer.instead(/slot\/current/, () => peer.reply(current));
      peer.instead(/\/slot$/, () =>
        peer.reply(Message.of({ process: peer.process, current, timestamp, 'cache-control': 'no-store' })),
      );
    };
    head(5n, 1000n);
    await verify(peer.url(), { level: 'audited' }, context);
    head(3n, 1060n);
    const report = await verify(peer.url(), { level: 'audited' }, context);
    const problem = report.problems.find(({ code }) => code === 'head-regress');
    expect(problem).toMatchObject({ slot: 5, contradiction: true });
    expect(accepted(report)).toBe(false);
    await proves(problem?.evidence, context, 'head-regress');
  });

  it('is told when a message was assigned before', async () => {
    const peer = liar();
    const context = await node(peer);
    const all = await peer.assignments();
    const body = all[4]!.message('body')!;
    all[5] = await peer.resign(all[5]!, { body, 'hash-chain': peer.chain(all[4]!, body) });
    peer.shows(all);
    const report = await verify(peer.url(), { level: 'audited' }, context);
    expect(report.facts.audited?.notes).toContainEqual({
      slot: 5,
      code: 'replayed',
      text: 'The message was assigned before, to slot 4.',
    });
  });
});
