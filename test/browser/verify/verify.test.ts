import { beforeAll, describe, expect, it } from 'vitest';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import type { Message } from '../../../src/message/message.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { verify } from '../../../src/verify/verify.ts';
import luaCases from '../../vectors/process-lua.json';
import wasmCases from '../../vectors/process-wasm.json';
import { enginesHere, type ProcessCase } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';
import { RecordedPeer } from './recorded-peer.ts';

const lua = luaCases as unknown as (ProcessCase & { name: string })[];
const wasm = wasmCases as unknown as (ProcessCase & { name: string })[];
let wallet: RsaWallet;

beforeAll(async () => {
  wallet = await RsaWallet.generate();
});

const node = (peer: RecordedPeer): Promise<NodeContext> =>
  testNode({ capabilities: { engines: enginesHere, http: peer } });

const url = (peer: RecordedPeer, rest = 'now') =>
  `${peer.origin}/${peer.data['process-id']}~process@1.0/${rest}`;

/** Processes that never fail: the others have their own test. */
const healthy = [...lua, ...wasm].filter(({ slots }) => slots.every(({ status }) => status < 400));

describe('verifying a node that is honest', () => {
  it.each(healthy.map((data) => [data.name, data] as const))('%s reaches replayed', async (_, data) => {
    const peer = new RecordedPeer(data, wallet);
    const report = await verify(url(peer), {}, await node(peer));
    // A state with keys in upper case can not be signed over HTTP, which has none: then the answer is unsigned.
    expect(report.problems.filter(({ code }) => code !== 'not-signed')).toEqual([]);
    expect(report.level).toBe('replayed');
    if (report.facts.signed) expect(report.facts.signed.by).toEqual([wallet.address]);
    expect(report.facts.audited).toMatchObject({ from: 0, to: peer.head });
  });

  it('pays only for what is new the second time', async () => {
    const peer = new RecordedPeer(healthy[0]!, wallet);
    const context = await node(peer);
    await verify(url(peer), {}, context);
    peer.asked.length = 0;
    const again = await verify(url(peer), {}, context);
    expect(again.level).toBe('replayed');
    expect(peer.asked.some((path) => path.includes('/schedule'))).toBe(false);
  });
});

describe('verifying a node that lies about a state', () => {
  it('names the first slot at which it does, and keeps evidence', async () => {
    const data = healthy.find(({ slots }) => slots.length >= 5)!;
    const peer = new RecordedPeer(data, wallet);
    peer.state = (slot, state): Message =>
      slot >= 3 ? state.with({ 'balance-of-mallory': '1000000' }) : state;
    const context = await node(peer);
    const report = await verify(url(peer), {}, context);
    expect(report.level).toBe('contradicted');
    expect(report.problems[0]).toMatchObject({
      code: 'answer-differs',
      slot: 3,
      said: '1000000',
      right: 'nothing',
    });
    expect(await context.store.get('evidence', report.problems[0]!.evidence!)).toMatchObject({
      kind: 'wrong-answer',
      slot: 3,
    });
  });
});
