/** Starting from a checkpoint, and sampling between checkpoints: only on the word of somebody whom the user trusts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { gunzip, gzip } from '../../../src/base/gzip.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { newestSlot, readState } from '../../../src/device/slot-records.ts';
import type { Message } from '../../../src/message/message.ts';
import { toPlain } from '../../../src/message/plain.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { decodeReply } from '../../../src/resolver/reply.ts';
import { makeCheckpoint, readCheckpoint } from '../../../src/verify/checkpoint.ts';
import { verify, type VerifyOptions } from '../../../src/verify/verify.ts';
import luaCases from '../../vectors/process-lua.json';
import wasmCases from '../../vectors/process-wasm.json';
import { enginesHere, type ProcessCase } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';
import { RecordedPeer } from './recorded-peer.ts';
import { SchedulingPeer, type Keys } from './scheduling-peer.ts';

const ledger = (luaCases as unknown as ProcessCase[])[1]!;
const counter = (wasmCases as unknown as ProcessCase[])[0]!;
let signer: RsaWallet;
let other: RsaWallet;

beforeAll(async () => {
  [signer, other] = await Promise.all([RsaWallet.generate(), RsaWallet.generate()]);
}, 120_000);

const nodeOf = (peer: RecordedPeer | SchedulingPeer, identity: RsaWallet): Promise<NodeContext> =>
  testNode({ identity, capabilities: { engines: enginesHere, http: peer } });

const url = (peer: RecordedPeer, rest = 'now') =>
  `${peer.origin}/${peer.data['process-id']}~process@1.0/${rest}`;

/** A checkpoint of a slot, by a node that replayed up to it. */
async function checkpointAt(data: ProcessCase, slot: number, identity = signer): Promise<Uint8Array> {
  const peer = new RecordedPeer(data, other);
  const context = await nodeOf(peer, identity);
  await verify(url(peer, `compute&slot=${slot}`), {}, context);
  return makeCheckpoint(data['process-id'], context);
}

async function from(data: ProcessCase, files: Uint8Array[], options: VerifyOptions = {}) {
  const peer = new RecordedPeer(data, other);
  const context = await nodeOf(peer, other);
  const report = await verify(url(peer), { checkpoints: files, ...options }, context);
  return { report, peer, context, codes: report.problems.map(({ code }) => code) };
}

describe('a checkpoint', () => {
  it.each([
    ['Lua', ledger, 10],
    ['WASM', counter, 4],
  ])('of %s by a trusted signer is started from, and the report says so', async (_, data, slot) => {
    const file = await checkpointAt(data, slot);
    const { id } = await readCheckpoint(file);
    const { report, context, peer } = await from(data, [file], {
      trust: { checkpointSigners: [signer.address] },
    });
    expect(report.problems.filter(({ code }) => code !== 'not-signed')).toEqual([]);
    expect(report.level).toBe('replayed');
    expect(report.facts.replayed).toMatchObject({
      from: slot + 1,
      to: peer.head,
      start: signer.address,
      checkpoint: { id, slot },
    });
    expect(report.notChecked.join(' ')).toContain(`Slots 0 to ${slot} were not computed here`);
    // What rests on somebody's word never stands among what this node computed.
    expect(await newestSlot(context.store, data['process-id'])).toBe(-1);
  });

  it('is named by the user, whoever signed it', async () => {
    const file = await checkpointAt(counter, 4);
    const { id } = await readCheckpoint(file);
    const trust = { checkpoints: [{ name: 'spring', id }] };
    const named = await from(counter, [file], { trust, from: 'spring' });
    expect(named.report.facts.replayed?.checkpoint).toEqual({ id, slot: 4, name: 'spring' });
    const unknown = await from(counter, [file], { trust, from: 'autumn' });
    expect(unknown.codes).toContain('checkpoint-unknown');
    expect(unknown.report.facts.replayed).toBeUndefined();
  });

  it('of a signer that is not trusted is never used', async () => {
    const file = await checkpointAt(counter, 4);
    const { id } = await readCheckpoint(file);
    for (const trust of [
      {},
      { checkpointSigners: [other.address] },
      { checkpoints: [{ name: 'x', id: 'y' }] },
    ]) {
      const { report, codes } = await from(counter, [file], { trust });
      expect(codes).toContain('checkpoint-untrusted');
      expect(report.facts.replayed).toMatchObject({ from: 0, start: 'genesis' });
      expect(report.facts.replayed?.checkpoint).toBeUndefined();
    }
    const asked = await from(counter, [file], { from: id });
    expect(asked.codes).toEqual(expect.arrayContaining(['checkpoint-untrusted', 'checkpoint-unknown']));
    expect(asked.report.facts.replayed).toBeUndefined();
  });

  it('is not used for another process, or for a slot before it', async () => {
    const trust = { checkpointSigners: [signer.address] };
    const file = await checkpointAt(counter, 4);
    expect((await from(ledger, [file], { trust })).codes).toContain('checkpoint-process');
    const peer = new RecordedPeer(counter, other);
    const report = await verify(
      url(peer, 'compute&slot=2'),
      { checkpoints: [file], trust },
      await nodeOf(peer, other),
    );
    expect(report.problems.map(({ code }) => code)).toContain('checkpoint-late');
    expect(report.facts.replayed).toMatchObject({ from: 0, start: 'genesis' });
  });

  it('is refused once anything in it is changed', async () => {
    const file = JSON.parse(fromBytes(await gunzip(await checkpointAt(counter, 4), 2 ** 30))) as {
      state: string;
      memory: string;
      pages: Record<string, string>;
      statement: unknown;
    };
    const [page] = Object.keys(file.pages);
    const statement = JSON.stringify(file.statement);
    for (const changed of [
      { ...file, state: file.state.replace('"4"', '"5"') },
      { ...file, state: '[]' },
      { ...file, memory: file.memory.replace(/\d/, '7') },
      { ...file, memory: undefined },
      { ...file, pages: { ...file.pages, [page!]: 'AAAA' } },
      { ...file, pages: {} },
      { ...file, statement: JSON.parse(statement.replace('"v":"4"', '"v":"5"')) as unknown },
      { ...file, statement: JSON.parse(statement.replace(signer.address, other.address)) as unknown },
      { ...file, v: 2 },
    ]) {
      const bytes = await gzip(toBytes(JSON.stringify(changed)));
      await expect(readCheckpoint(bytes)).rejects.toMatchObject({ code: 'bad-checkpoint' });
    }
    await expect(readCheckpoint(new Uint8Array(10))).rejects.toMatchObject({ code: 'bad-checkpoint' });
  });

  it('leaves the first lie after it to be found', async () => {
    const file = await checkpointAt(ledger, 10);
    const peer = new RecordedPeer(ledger, other);
    peer.state = (slot, state) => (slot >= 13 ? state.with({ supply: 7n }) : state);
    const trust = { checkpointSigners: [signer.address] };
    const report = await verify(url(peer), { checkpoints: [file], trust }, await nodeOf(peer, other));
    expect(report.level).toBe('contradicted');
    expect(report.problems.find(({ code }) => code === 'answer-differs')).toMatchObject({
      slot: 13,
      said: '7',
    });
  });
});

describe('where a replay starts', () => {
  it('is this node’s own work, or genesis where that is asked for', async () => {
    const peer = new RecordedPeer(ledger, other);
    const context = await nodeOf(peer, other);
    await verify(url(peer, 'compute&slot=10'), {}, context);
    const own = await verify(url(peer), { from: 'own' }, context);
    expect(own.facts.replayed).toMatchObject({ from: 11, start: 'own' });
    const anew = await verify(url(peer), { from: 'genesis' }, context);
    expect(anew.facts.replayed).toMatchObject({ from: 0, start: 'genesis' });
    expect(anew.level).toBe('replayed');
  });
});

describe('sampling', () => {
  it.each([
    ['Lua', ledger, [5, 10, 15, 20]],
    ['WASM', counter, [2, 4, 6]],
  ])(
    'of %s computes stretches between checkpoints and says what it may have missed',
    async (_, data, slots) => {
      const files = await Promise.all(slots.map((slot) => checkpointAt(data, slot)));
      const trust = { checkpointSigners: [signer.address] };
      const { report, codes } = await from(data, files, { trust, sample: { stretches: slots.length - 1 } });
      expect(codes.filter((code) => code !== 'not-signed')).toEqual([]);
      const { sampled, replayed } = report.facts;
      expect(replayed).toMatchObject({ from: slots.at(-1)! + 1, start: signer.address });
      expect(sampled).toMatchObject({ stretches: slots.length, of: slots.at(-1)! + 1 });
      expect(sampled?.computed).toHaveLength(slots.length - 1);
      expect(sampled?.missed[0]?.stretches).toBe(1);
      expect(sampled?.missed[0]?.probability).toBeCloseTo(1 / slots.length, 10);
      expect(report.notChecked.join(' ')).toContain('goes unseen with a probability of');
    },
  );

  it('catches a checkpoint that does not follow from the one before', async () => {
    const keys: Keys = { scheduler: signer, author: other, stranger: other };
    const honest = await SchedulingPeer.open(keys);
    // Somebody who is trusted writes another balance into a state, and signs it.
    const make = async (slot: number, change?: (state: Message) => Message) => {
      const context = await nodeOf(honest, signer);
      await verify(honest.url(`compute&slot=${slot}`), {}, context);
      if (change) {
        const { state, record } = (await readState(context.store, honest.process, slot))!;
        const value = { ...record, base: slot, diff: undefined, state: toPlain(change(state)) };
        await context.store.write([{ table: 'slots', key: [honest.process, slot], value }]);
      }
      return makeCheckpoint(honest.process, context);
    };
    const forged = (state: Message) =>
      state.with({ balances: state.message('balances')!.with({ bob: '1000000' }) });
    const files = [await make(2), await make(4, forged)];
    honest.instead(/compute&slot=5$/, async (truth) =>
      honest.reply(forged(uncommitted(decodeReply(await truth())))),
    );
    const report = await verify(
      honest.url(),
      { checkpoints: files, trust: { checkpointSigners: [signer.address] }, sample: { stretches: 2 } },
      await nodeOf(honest, other),
    );
    expect(report.level).toBe('contradicted');
    expect(report.problems.find(({ code }) => code === 'checkpoint-differs')).toMatchObject({
      slot: 4,
      said: '1000000',
    });
  });

  it('says so where there is nothing to sample', async () => {
    const { codes } = await from(counter, [], { sample: { stretches: 3 } });
    expect(codes).toContain('no-stretches');
  });
});
