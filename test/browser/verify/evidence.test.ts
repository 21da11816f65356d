/** Evidence of every kind: checked offline by somebody else, and worth nothing once it is changed. */
import { beforeAll, describe, expect, it } from 'vitest';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { Message } from '../../../src/message/message.ts';
import type { HttpResponse, Transport } from '../../../src/resolver/context.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { checkEvidence } from '../../../src/verify/check-evidence.ts';
import { EVIDENCE_KINDS, sealed, type Evidence, type Statement } from '../../../src/verify/evidence.ts';
import type { Report } from '../../../src/verify/report.ts';
import { verify } from '../../../src/verify/verify.ts';
import wasmCases from '../../vectors/process-wasm.json';
import { enginesHere, type ProcessCase } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';
import { honest, keys, liar, node, prepare, proves, state } from './lies/support.ts';
import { RecordedPeer } from './recorded-peer.ts';
import { httpOf } from './scheduling-peer.ts';

beforeAll(prepare, 120_000);

const fresh = () => testNode({ identity: keys.stranger, capabilities: { engines: enginesHere } });
const evidenceOf = ({ problems }: Report, code: string) =>
  problems.find((problem) => problem.code === code)?.evidence;

/** A file that says the same of itself and holds something else, with the digest of what it now holds. */
async function provesNothing(changed: Omit<Evidence, 'digest'>): Promise<void> {
  const verdict = await checkEvidence(sealed(changed), await fresh());
  expect(verdict.findings.join(' ')).not.toBe('');
  const { kind, slot, statements } = changed;
  const told = statements.map(({ status, headers, body }) => [
    status,
    body.slice(0, 8),
    ...headers.map(([name, text]) => `${name}: ${text.slice(0, 60)} … ${text.slice(-20)}`),
  ]);
  expect(verdict.proves, JSON.stringify({ kind, slot, told })).toBe(false);
}

/** Every change of what is signed in a statement, and of the signature. What nobody signed proves nothing either way. */
function* forged(one: Statement): Generator<Statement> {
  const input = one.headers.find(([name]) => name === 'signature-input')?.[1] ?? '';
  for (const [at, [name, value]] of one.headers.entries()) {
    const instead = (pairs: readonly (readonly [string, string])[]) => ({
      ...one,
      headers: [...one.headers.slice(0, at), ...pairs, ...one.headers.slice(at + 1)],
    });
    if (name === 'signature') {
      yield instead([]);
      yield instead([[name, value.replaceAll(/:(.)/g, (_, first) => `:${first === 'A' ? 'B' : 'A'}`)]]);
    } else if (name === 'signature-input') {
      yield instead([]);
      yield instead([[name, value.replaceAll(/keyid="publickey:(.)/g, 'keyid="publickey:7')]]);
    } else if (name !== 'status' && input.includes(`"${name}"`)) {
      // Digest and types are made anew from what they are about.
      if (name !== 'content-digest' && name !== 'ao-types') yield instead([]);
      yield instead([[name, `${value.slice(0, -1)}${value.endsWith('7') ? '8' : '7'}`]]);
    }
  }
  // The field of that name only repeats it.
  yield { ...one, status: 203 };
  if (one.body.length) {
    yield { ...one, body: `${one.body.startsWith('A') ? 'B' : 'A'}${one.body.slice(1)}` };
    yield { ...one, body: '' };
  }
}

/** The file with each of its statements forged in every way, left out, and said to be of another kind. */
async function holdsNoForgery(item: Evidence): Promise<void> {
  const { statements } = item;
  for (const [at, one] of statements.entries()) {
    const others = (instead: Statement[]) => [
      ...statements.slice(0, at),
      ...instead,
      ...statements.slice(at + 1),
    ];
    for (const changed of forged(one)) await provesNothing({ ...item, statements: others([changed]) });
    await provesNothing({ ...item, statements: others([]) });
  }
  for (const kind of EVIDENCE_KINDS) if (kind !== item.kind) await provesNothing({ ...item, kind });
  await provesNothing({ ...item, process: 'x'.repeat(43) });
  await provesNothing({ ...item, slot: item.slot + 1 });
}

/** An honest answer, as the second host gives it. */
const second = 'https://second.example';
const both = (other: (path: string) => Promise<HttpResponse>): Transport => ({
  request: (request) =>
    request.target.startsWith(second) ? other(request.target.slice(second.length)) : honest.request(request),
});

describe('evidence', () => {
  it('of a wrong answer', async () => {
    const peer = liar();
    state(3, (all) => all.with({ balances: all.message('balances')!.with({ alice: '1000000' }) }))(peer);
    const context = await node(peer);
    const report = await verify(peer.url(), {}, context);
    const problem = report.problems.find(({ code }) => code === 'answer-differs');
    expect(problem).toMatchObject({ slot: 3, said: '1000000', right: '30' });
    const item = await proves(problem?.evidence, context, 'wrong-answer');
    await holdsNoForgery(item);
    const { schedule = [] } = item;
    await provesNothing({ ...item, schedule: [] });
    await provesNothing({ ...item, schedule: schedule.slice(0, 2) });
    await provesNothing({ ...item, schedule: [...schedule].reverse() });
    await provesNothing({ ...item, schedule: [...schedule.slice(0, 2), ...schedule.slice(3)] });
    await provesNothing({
      ...item,
      schedule: schedule.map((one, at) => (at === 2 ? { ...one, body: `A${one.body.slice(1)}` } : one)),
    });
  });

  it('of a wrong answer carries the programs that were run', async () => {
    const data = (wasmCases as unknown as ProcessCase[])[0]!;
    const peer = new RecordedPeer(data, keys.scheduler);
    peer.state = (slot, all) => (slot >= 4 ? all.with({ total: '1000000' }) : all);
    const context = await node(peer);
    const report = await verify(`${peer.origin}/${data['process-id']}~process@1.0/now`, {}, context);
    const item = await proves(evidenceOf(report, 'answer-differs'), context, 'wrong-answer');
    await provesNothing({ ...item, modules: [{ body: 'AGFzbQEAAAA' }] });
    await provesNothing({ ...item, modules: [] });
  });

  it('of a wrong answer that nobody signed shows the lie, and holds nobody to it', async () => {
    const peer = liar();
    peer.instead(/\/compute&slot=5/, async (truth) =>
      httpOf(uncommitted(decodeReply(await truth())).with({ count: 7n })),
    );
    const context = await node(peer);
    const report = await verify(peer.url(), {}, context);
    const item = await proves(evidenceOf(report, 'answer-differs'), context, 'unsigned-answer');
    const verdict = await checkEvidence(item, await fresh());
    expect(verdict.against).toBe('nobody');
    expect(verdict.findings.join(' ')).toContain('not who gave it');
    // Called the word of a signer, it is none; and an answer that is right shows nothing.
    await provesNothing({ ...item, kind: 'wrong-answer' });
    const headers = item.statements[0]!.headers.map(
      ([name, value]) => [name, name === 'count' ? '6' : value] as const,
    );
    await provesNothing({ ...item, statements: [{ ...item.statements[0]!, headers }] });
    await provesNothing({ ...item, slot: 4 });
  });

  it('of two answers by one key', async () => {
    const peer = liar();
    const context = await node(peer);
    const url = peer.url('compute&slot=3/count');
    await verify(url, { level: 'signed' }, context);
    peer.instead(/compute&slot=3/, () => peer.reply(99n));
    const report = await verify(url, { level: 'signed' }, context);
    const item = await proves(evidenceOf(report, 'double-answer'), context, 'double-answer');
    await holdsNoForgery(item);
    await provesNothing({ ...item, statements: [item.statements[0]!, item.statements[0]!] });
  });

  it('of two nodes that say different things', async () => {
    const peer = liar();
    const other = both(async (path) => {
      const answer = await honest.request({
        method: 'GET',
        target: path,
        headers: [['accept-bundle', 'true']],
        body: new Uint8Array(0),
      });
      if (!path.includes('/compute')) return answer;
      return honest.reply(uncommitted(decodeReply(answer)).with({ count: 7n }), { by: keys.stranger });
    });
    const context = await node(other);
    const report = await verify(peer.url(), { level: 'agreed', peers: [second] }, context);
    const item = await proves(evidenceOf(report, 'peers-differ'), context, 'disagreement');
    await holdsNoForgery(item);
  });

  it('of two messages for one slot', async () => {
    const peer = liar();
    const context = await node(peer);
    await verify(peer.url('compute&slot=3'), { level: 'audited' }, context);
    const all = await peer.assignments();
    const body = await peer.message({ action: 'credit', to: 'mallory', quantity: '1' });
    all[3] = await peer.resign(all[3]!, { body, 'hash-chain': peer.chain(all[2]!, body) });
    peer.shows(all);
    const report = await verify(peer.url(), {}, context);
    const item = await proves(evidenceOf(report, 'equivocation'), context, 'double-assignment');
    const bare = { ...item.statements[0]!, body: '' };
    await provesNothing({ ...item, statements: [bare] });
    await provesNothing({ ...item, schedule: [] });
    await provesNothing({ ...item, slot: 2 });
    await provesNothing({ ...item, process: 'x'.repeat(43) });
    await provesNothing({
      ...item,
      schedule: item.schedule!.map((one) => ({ ...one, body: `A${one.body.slice(1)}` })),
    });
  });

  it('of another epoch', async () => {
    const peer = liar();
    const all = await peer.assignments();
    all[2] = await peer.resign(all[2]!, { epoch: '1' });
    peer.shows(all);
    const context = await node(peer);
    const report = await verify(peer.url(), {}, context);
    const item = await proves(evidenceOf(report, 'audit-epoch'), context, 'bad-schedule');
    await provesNothing({ ...item, process: 'x'.repeat(43) });
    await provesNothing({ ...item, statements: [{ ...item.statements[0]!, body: '' }] });
    await provesNothing({ ...item, kind: 'double-assignment' });
  });

  it('of a head that was taken back', async () => {
    const peer = liar();
    const context: NodeContext = await node(peer);
    const head = (current: bigint, timestamp: bigint) => {
      peer.instead(/slot\/current/, () => peer.reply(current));
      peer.instead(/\/slot$/, () => peer.reply(Message.of({ process: peer.process, current, timestamp })));
    };
    head(5n, 1000n);
    await verify(peer.url(), { level: 'audited' }, context);
    head(3n, 1060n);
    const report = await verify(peer.url(), { level: 'audited' }, context);
    const item = await proves(evidenceOf(report, 'head-regress'), context, 'head-regress');
    await holdsNoForgery(item);
    const [before, after] = item.statements;
    await provesNothing({ ...item, statements: [after!, before!] });
  });

  it('of a head is none where nothing says which came first', async () => {
    const peer = liar();
    const context = await node(peer);
    const head = (current: bigint) => {
      peer.instead(/slot\/current/, () => peer.reply(current));
      peer.instead(/\/slot$/, () =>
        peer.reply(Message.of({ process: peer.process, current, timestamp: 0n })),
      );
    };
    head(5n);
    await verify(peer.url(), { level: 'signed' }, context);
    head(3n);
    const report = await verify(peer.url(), { level: 'signed' }, context);
    expect(evidenceOf(report, 'head-regress')).toBeUndefined();
  });

  it('of an attestation about somebody else’s key', async () => {
    const peer = liar();
    const bytes = new Uint8Array(1184);
    bytes.set([2], 0);
    bytes.set([3], 0x0a);
    bytes.set([1], 0x34);
    peer.instead(/snp@1\.0/, () => peer.reply(Message.of({ report: btoa(String.fromCharCode(...bytes)) })));
    const context = await node(peer);
    const report = await verify(peer.url(), { level: 'attested', attest: { trust: [] } }, context);
    const item = await proves(evidenceOf(report, 'SNP_REPORT_DATA'), context, 'bad-attestation');
    await provesNothing({ ...item, context: { ...item.context, code: 'SNP_DEBUG' } });
    for (const one of forged(item.statements[0]!)) await provesNothing({ ...item, statements: [one] });
  });
});
