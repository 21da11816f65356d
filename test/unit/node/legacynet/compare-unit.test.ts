/** Results of a followed process held against a compute unit's, and the evidence that following leaves. */
import { describe, expect, it } from 'vitest';
import type { FollowOptions } from '../../../../src/protocol/api.ts';
import { checkEvidence } from '../../../../src/verify/check-evidence.ts';
import { evidenceText, parseEvidence, sealed, type Evidence } from '../../../../src/verify/evidence.ts';
import { resultDifference } from '../../../../src/verify/legacy-result.ts';
import { COMPUTE, FakeLegacynet, html } from '../../../setup/fake-legacynet.ts';
import { add, caughtUp, followingsOf, nodeOn, until } from '../../../setup/following.ts';
import { testNode } from '../../../setup/test-node.ts';

const result = (data: string) => ({ Output: { data }, Messages: [], Spawns: [], Assignments: [] });

/** A legacynet whose compute unit answers what is right. */
async function netWithUnit(messages: number, options: { assignsProcess?: boolean; height?: number } = {}) {
  const net = await FakeLegacynet.create(options);
  await add(net, messages);
  for (const [index, { message }] of net.slots.filter(({ message }) => message !== net.process).entries())
    net.results.set(message!.idText, { ...result(String(index + 1)), GasUsed: 0 });
  return net;
}

async function follow(net: FakeLegacynet, compare: FollowOptions['compare'] = { url: `${COMPUTE}/` }) {
  const node = await nodeOn(net);
  const followings = followingsOf(node);
  await followings.start(net.id, compare ? { compare } : {});
  const now = await until(followings, caughtUp);
  const kept = await node.store.range<Evidence>('evidence');
  return { node, followings, now, evidence: kept.map(({ value }) => value) };
}

const asked = (net: FakeLegacynet) => net.asked.filter((one) => one.includes('/result/'));

/** What a file proves to somebody who has nothing else. */
async function verdict(item: Evidence) {
  const { context } = await testNode();
  return checkEvidence(parseEvidence(evidenceText(item)), context);
}

describe('comparing with a compute unit', () => {
  it('asks for every result, and goes on where they are the same', async () => {
    const net = await netWithUnit(5);
    const { now, evidence } = await follow(net);
    expect(now).toMatchObject({ computed: 5, comparison: { through: 5, same: 5 } });
    expect(asked(net)).toHaveLength(5);
    expect(evidence).toEqual([]);
  });

  it('asks for every so many', async () => {
    const net = await netWithUnit(7);
    const { now, followings } = await follow(net, { url: COMPUTE, every: 3 });
    expect(now.comparison).toEqual({ through: 7, same: 2 });
    expect(asked(net)).toHaveLength(2);
    await expect(followings.start(net.id, { compare: { url: COMPUTE, every: 0 } })).rejects.toMatchObject({
      code: 'bad-number',
    });
    await expect(followings.start(net.id, { compare: { url: 'ftp://x' } })).rejects.toMatchObject({
      code: 'bad-url',
    });
  });

  it('refuses a result that differs, with both values, and keeps evidence that anybody can check', async () => {
    const net = await netWithUnit(5);
    const lie = net.slots[3]!.message!.idText;
    net.results.set(lie, result('999'));
    const { now, evidence, followings, node } = await follow(net);
    expect(now).toMatchObject({
      state: 'failed',
      comparison: {
        through: 2,
        same: 2,
        difference: { slot: 3, path: 'Output/data', said: '"999"', right: '"3"' },
      },
      error: { code: 'result-differs', slot: 3 },
    });
    expect(now.error!.message).toContain('says "999" at Output/data; computed here, it is "3"');
    expect(evidence).toHaveLength(1);
    expect(now.error!.evidence).toBe(evidence[0]!.digest);
    const found = await verdict(evidence[0]!);
    expect(found.findings.join(' ')).toContain('the unit said "999"; right is "3"');
    expect(found).toMatchObject({ proves: true, against: 'nobody' });

    // What the unit said was right, or about another message: then it proves nothing.
    const statements = (body: unknown, url = evidence[0]!.statements[0]!.url) =>
      sealed({
        ...evidence[0]!,
        statements: [
          { ...evidence[0]!.statements[0]!, url, body: btoa(JSON.stringify(body)).replace(/=+$/, '') },
        ],
      });
    expect((await verdict(statements(result('3')))).proves).toBe(false);
    const other = evidence[0]!.statements[0]!.url.replace(lie, net.slots[2]!.message!.idText);
    expect((await verdict(statements(result('999'), other))).proves).toBe(false);
    // A schedule that was changed is not that of the scheduler.
    const cut = { ...evidence[0]!, schedule: evidence[0]!.schedule!.toSpliced(4, 2), slot: 2 };
    expect((await verdict(sealed(cut))).proves).toBe(false);

    // The user may go on once the unit answers what is right.
    net.results.set(lie, result('3'));
    await followings.resume(net.id);
    expect(await until(followings, caughtUp)).toMatchObject({ comparison: { through: 5, same: 5 } });
    expect(node.log.evaluated).toHaveLength(6);
  });

  it('proves it as well of a process without a slot of its own, with messages that are passed over', async () => {
    const net = await netWithUnit(2, { assignsProcess: false, height: 1_300_000 });
    const pushed = [
      ['By', '7'],
      ['From-Process', net.id],
    ] as const;
    const first = await net.send(pushed);
    await net.send(pushed);
    net.results.set(first.idText, result('9'));
    const last = await net.send([['By', '1']]);
    net.results.set(last.idText, result('17'));
    const { now, evidence } = await follow(net);
    expect(now.error).toMatchObject({ code: 'result-differs', slot: 4 });
    const found = await verdict(evidence[0]!);
    expect(found.findings.join(' ')).toContain('the unit said "17"; right is "10"');
    expect(found.proves).toBe(true);
  });

  it('goes on without a unit that cannot answer, and asks again later', async () => {
    const net = await netWithUnit(3);
    net.answer = (url) => (url.origin === COMPUTE ? html() : undefined);
    const { now, node, followings } = await follow(net);
    expect(now).toMatchObject({ state: 'waiting', computed: 3, comparison: { through: 0, same: 0 } });
    expect(now.comparison!.error).toContain('a page of HTML');
    net.answer = () => undefined;
    const before = asked(net).length;
    await add(net, 1);
    net.results.set(net.slots[4]!.message!.idText, result('4'));
    await until(followings, ({ computed }) => computed === 4);
    expect(asked(net)).toHaveLength(before);
    node.clock.time += 60_000;
    const later = await until(followings, ({ comparison }) => comparison?.through === 4);
    expect(later.comparison).toEqual({ through: 4, same: 4 });
  });

  it('is begun anew for another unit', async () => {
    const net = await netWithUnit(2);
    const { followings } = await follow(net);
    await followings.start(net.id, { compare: { url: COMPUTE } });
    expect((await until(followings, caughtUp)).comparison).toEqual({ through: 2, same: 2 });
    expect(asked(net)).toHaveLength(2);
    await followings.start(net.id, { compare: { url: COMPUTE, every: 2 } });
    expect((await until(followings, caughtUp)).comparison).toEqual({ through: 2, same: 1 });
  });
});

describe('two assignments for one slot', () => {
  it('leave evidence that names who signed both', async () => {
    const net = await netWithUnit(3);
    const { followings, node } = await follow(net, undefined);
    const { assignment, message } = net.slots[3]!;
    net.slots[3] = {
      message,
      assignment: await net.assignment(3, String(assignment.tag('Hash-Chain')), message!.idText),
    };
    const now = await until(followings, ({ state }) => state === 'failed');
    expect(now.error).toMatchObject({ code: 'equivocation', slot: 3 });
    const [kept] = await node.store.range<Evidence>('evidence');
    expect(now.error!.evidence).toBe(kept!.key);
    const found = await verdict(kept!.value);
    expect(found).toMatchObject({ proves: true, kind: 'double-assignment', against: 'signer' });
    expect(found.findings.join()).toContain(net.scheduler.address);
    const { statements } = kept!.value;
    const twice = sealed({ ...kept!.value, statements: [statements[0]!, statements[0]!] });
    expect((await verdict(twice)).proves).toBe(false);
    expect((await verdict(sealed({ ...kept!.value, slot: 2 }))).proves).toBe(false);
    const flipped = statements[1]!.body.replace(
      /^(.{40})(.)/,
      (_all, start: string, one: string) => `${start}${one === 'A' ? 'B' : 'A'}`,
    );
    const forged = sealed({
      ...kept!.value,
      statements: [statements[0]!, { ...statements[1]!, body: flipped }],
    });
    expect((await verdict(forged)).proves).toBe(false);
  });

  it('leave none where the scheduler shows what somebody else signed', async () => {
    const net = await netWithUnit(2);
    const { followings, node } = await follow(net, undefined);
    const { assignment, message } = net.slots[2]!;
    const stranger = { signer: net.user };
    net.slots[2] = {
      message,
      assignment: await net.assignment(
        2,
        String(assignment.tag('Hash-Chain')),
        message!.idText,
        [],
        stranger,
      ),
    };
    const now = await until(followings, ({ state }) => state === 'failed');
    expect(now.error).toMatchObject({ code: 'audit-past', slot: 2 });
    expect(await node.store.range('evidence')).toEqual([]);
  });
});

describe('what differs between two results', () => {
  const right = { Output: { data: 'x' }, Messages: [{ Target: 'T', Tags: [{ name: 'A', value: '1' }] }] };

  it('is found at its path', () => {
    expect(resultDifference(right, right)).toBeUndefined();
    const said = { ...right, Messages: [{ Target: 'T', Tags: [{ name: 'A', value: '2' }] }] };
    expect(resultDifference(said, right)).toEqual({
      path: 'Messages/0/Tags/0/value',
      said: '"2"',
      right: '"1"',
    });
    expect(resultDifference({ ...right, Messages: [] }, right)?.path).toBe('Messages');
    expect(resultDifference('<html>', right)?.path).toBe('');
    expect(resultDifference({ ...right, Output: undefined }, right)).toMatchObject({
      path: 'Output',
      said: '""',
    });
  });

  it('is not what a unit may leave out, the order of members, or how an error is worded', () => {
    expect(
      resultDifference({ Messages: right.Messages, Output: right.Output, Spawns: {}, GasUsed: 1 }, right),
    ).toBeUndefined();
    expect(resultDifference({ Error: 'a' }, { Error: 'b', Output: 'c' })).toBeUndefined();
    expect(resultDifference({ Error: 'a' }, right)).toMatchObject({ path: 'Error', right: 'nothing' });
  });
});
