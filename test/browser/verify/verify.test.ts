/** Every recorded process, verified through a server that serves its schedule as it was recorded. */
import { beforeAll, describe, expect, it } from 'vitest';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { assignmentsOf } from '../../../src/device/remote-schedule.ts';
import { Message } from '../../../src/message/message.ts';
import type { HttpResponse } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { verify } from '../../../src/verify/verify.ts';
import luaCases from '../../vectors/process-lua.json';
import wasmCases from '../../vectors/process-wasm.json';
import { enginesHere, type ProcessCase } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';
import { RecordedPeer } from './recorded-peer.ts';
import { httpOf } from './scheduling-peer.ts';

const all = [...luaCases, ...wasmCases] as unknown as (ProcessCase & { name: string })[];
const named = all.map((data) => [data.name, data] as const);
/** First slot that cannot be computed, in those that fail by design. */
const failureOf = (data: ProcessCase) => data.slots.find(({ status }) => status >= 400)?.slot;
const healthy = all.filter((data) => failureOf(data) === undefined);
let wallet: RsaWallet;

beforeAll(async () => {
  wallet = await RsaWallet.generate();
});

const node = (peer: RecordedPeer): Promise<NodeContext> =>
  testNode({ capabilities: { engines: enginesHere, http: peer } });

const url = (peer: RecordedPeer, rest = 'now') =>
  `${peer.origin}/${peer.data['process-id']}~process@1.0/${rest}`;

describe('verifying a node that is honest', () => {
  it.each(named)('%s reaches replayed', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    const report = await verify(url(peer), {}, await node(peer));
    // A state with keys in upper case cannot be signed over HTTP, which has none: then the answer is unsigned.
    expect(report.problems.filter(({ code }) => code !== 'not-signed')).toEqual([]);
    expect(report.level).toBe('replayed');
    if (report.facts.signed) expect(report.facts.signed.by).toEqual([wallet.address]);
    expect(report.facts.audited).toMatchObject({ from: 0, to: peer.head });
    const failed = failureOf(data) !== undefined;
    expect(report.facts.replayed?.compared).toEqual(failed ? ['failure'] : ['state', 'results']);
  });

  it('pays only for what is new the second time', async () => {
    const peer = new RecordedPeer(healthy[0]!, wallet);
    const context = await node(peer);
    const first = await verify(url(peer), {}, context);
    expect(first.answer).toMatchObject({ form: 'json' });
    const { answer } = await verify(url(peer, 'now/at-slot'), {}, context);
    expect(answer).toEqual({ text: String(peer.head), form: 'text' });
    expect(first.facts.replayed).toMatchObject({ from: 0, to: peer.head, start: 'genesis' });
    peer.asked.length = 0;
    const again = await verify(url(peer), {}, context);
    expect(again.level).toBe('replayed');
    expect(again.facts.replayed).toMatchObject({ from: peer.head + 1, to: peer.head, start: 'own' });
    expect(peer.asked.some((path) => path.includes('/schedule'))).toBe(false);
  });

  it('is told at the level `signed` that an old answer can be served again', async () => {
    const peer = new RecordedPeer(healthy[0]!, wallet);
    const report = await verify(url(peer), { level: 'signed' }, await node(peer));
    expect(report.reached).toContain('signed');
    expect(report.notChecked.join(' ')).toContain('an old answer');
  });
});

/** What was lost in HTTP fields is looked for in JSON before anybody is called a liar. */
describe('verifying a node behind a transport that loses text', () => {
  it('reaches replayed, and says what was compared instead', async () => {
    const data = healthy[0]!;
    const peer = new RecordedPeer(data, wallet);
    peer.signs = false;
    peer.lie = (path, answer) =>
      path.includes('/compute') && answer.headers.every(([name]) => name !== 'codec-device')
        ? { ...answer, headers: answer.headers.map(([n, v]) => [n, n === 'count' ? '77' : v] as const) }
        : answer;
    const report = await verify(url(peer), {}, await node(peer));
    expect(report.level).toBe('replayed');
    expect(report.notChecked.join(' ')).toContain('count');
  });
});

/** A page of the schedule with one assignment changed. */
async function withAssignment(
  answer: HttpResponse,
  slot: number,
  change: (assignment: Message) => Message | undefined,
): Promise<HttpResponse> {
  const page = decodeReply(answer);
  const list = assignmentsOf(page).flatMap((one, at): [string, Message][] => {
    const changed = at === slot ? change(one) : one;
    return changed ? [[String(at), changed]] : [];
  });
  return httpOf(
    uncommitted(page)
      .without('status')
      .with({ assignments: Message.from(list) }),
  );
}

describe('verifying a recorded process that was tampered with', () => {
  it.each(named)('%s: a changed time is refused at its slot', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    const slot = data.slots.length - 1;
    peer.lie = (path, answer) =>
      path.includes('/schedule')
        ? withAssignment(answer, slot, (one) => one.with({ timestamp: 1n }))
        : answer;
    const report = await verify(url(peer), {}, await node(peer));
    expect(report.level).toBe('contradicted');
    expect(report.problems).toContainEqual(expect.objectContaining({ code: 'audit-signature', slot }));
  });

  it.each(named)('%s: a changed message is refused at its slot', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    peer.lie = (path, answer) =>
      path.includes('/schedule')
        ? withAssignment(answer, 1, (one) =>
            one.with({ body: one.message('body')!.with({ target: 'x'.repeat(43) }) }),
          )
        : answer;
    const report = await verify(url(peer), {}, await node(peer));
    expect(report.level).toBe('contradicted');
    expect(report.problems).toContainEqual(
      expect.objectContaining({
        code: expect.stringMatching(/^audit-(signature|chain|body-signature)$/) as string,
        slot: 1,
      }),
    );
  });

  it.each(named)('%s: a slot that is left out is noticed', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    peer.lie = (path, answer) =>
      path.includes('/schedule') ? withAssignment(answer, 1, () => undefined) : answer;
    const report = await verify(url(peer), {}, await node(peer));
    expect(report.level).toBe('contradicted');
    // Where a message has more signatures than it was assigned with, those are what does not fit first.
    const code = expect.stringMatching(/^audit-(slot|signature)$/) as string;
    expect(report.problems).toContainEqual(expect.objectContaining({ code, slot: 1 }));
  });

  it.each(named)('%s: a changed state is found at its first slot', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    const from = Math.max(1, (failureOf(data) ?? data.slots.length) - 2);
    peer.state = (slot, state) => (slot >= from ? state.with({ 'balance-of-mallory': '1000000' }) : state);
    const context = await node(peer);
    const report = await verify(url(peer), {}, context);
    expect(report.level).toBe('contradicted');
    const problem = report.problems.find(({ code }) => code === 'answer-differs');
    expect(problem).toMatchObject({ slot: from, said: '1000000', right: 'nothing' });
    const kept = await context.store.get<{ kind: string }>('evidence', problem!.evidence!);
    expect(kept).toMatchObject({ slot: from });
    expect(['wrong-answer', 'unsigned-answer']).toContain(kept!.kind);
  });

  it.each(all.filter((data) => failureOf(data) !== undefined).map((data) => [data.name, data] as const))(
    '%s: an answer where the process failed is refused',
    async (_, data) => {
      const peer = new RecordedPeer(data, wallet);
      const failed = failureOf(data)!;
      peer.lie = (path, answer) => {
        const slot = Number(/compute&slot=(\d+)/.exec(path)?.[1] ?? -1);
        return slot >= failed ? peer.reply(Message.of({ results: { output: { data: 'fine' } } })) : answer;
      };
      const report = await verify(url(peer), {}, await node(peer));
      expect(report.level).toBe('contradicted');
      expect(report.problems).toContainEqual(
        expect.objectContaining({ code: 'answer-differs', slot: failed }),
      );
    },
  );
});
