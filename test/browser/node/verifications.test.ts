/** Verifications as a page runs them, in the node's worker, of the recorded process that needs no network. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromBytes } from '../../../src/base/bytes.ts';
import {
  isProven,
  openNode,
  proven,
  unproven,
  type OpenNode,
  type Verification,
} from '../../../src/client/index.ts';
import { decodeJson } from '../../../src/codec/json.ts';
import { decodeStructured } from '../../../src/codec/structured.ts';
import { committers } from '../../../src/commitment/select.ts';
import { contentId, messageId } from '../../../src/commitment/id.ts';
import { uncommitted } from '../../../src/commitment/commitment.ts';
import { verifyMessage } from '../../../src/commitment/verify.ts';
import { Message } from '../../../src/message/message.ts';

/** One database for all: making the key of a node takes seconds. */
const database = `test-${crypto.randomUUID()}`;
let node: OpenNode;

async function open(): Promise<OpenNode> {
  return openNode({
    serviceWorker: false,
    database,
    createWorker: () =>
      new Worker(new URL('../../../workers/node.worker.ts', import.meta.url), { type: 'module' }),
  });
}

beforeAll(async () => {
  node = await open();
}, 60_000);

afterEach(async () => {
  for (const { id } of await node.verifications()) await node.removeVerification(id);
});

afterAll(() => node.close());

async function urlOf(): Promise<string> {
  return (await node.verifiableSamples())[0]!.url;
}

async function until(id: string, state: Verification['state']): Promise<Verification> {
  for (;;) {
    const found = (await node.verifications()).find((one) => one.id === id);
    if (found?.state === state) return found;
    if (found?.state === 'failed') throw new Error(found.error?.message);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const readReport = (bytes: Uint8Array): Message => {
  const decoded = decodeJson(fromBytes(bytes));
  const report = decoded instanceof Message ? decodeStructured(decoded) : decoded;
  if (!(report instanceof Message)) throw new Error('The report is no message.');
  return report;
};

describe('a verification', () => {
  it('is followed to its end, and its report is a message that the node has signed', async () => {
    const phases = new Set<string>();
    const url = await urlOf();
    const report = await node.verify(url, { onProgress: ({ phase }) => phases.add(phase) });
    expect(report.level).toBe('replayed');
    expect([...phases].length).toBeGreaterThan(0);
    const [job] = await node.verifications();
    expect(job).toMatchObject({ state: 'done', report: { level: 'replayed' } });

    const { address } = await node.info();
    const signed = readReport(await node.exportReport(job!.id));
    expect(await verifyMessage(signed)).toBe(true);
    expect(committers(signed)).toEqual([address]);
    expect(messageId(signed, 'signed')).toBe(job!.reportId);
    expect(signed.text('level')).toBe('replayed');
    expect(signed.message('facts')?.message('replayed')?.get('to')).toBe(BigInt(report.freshness!.slot));

    // The same message whenever it is asked for, and at its own path.
    const again = readReport(await node.exportReport(job!.id));
    expect(messageId(again, 'signed')).toBe(job!.reportId);
    const served = await node.fetch(`/${job!.reportId}/level`, { headers: { 'accept-bundle': 'true' } });
    expect(await served.text()).toBe('replayed');

    // Nothing in it can be another, whoever says it.
    for (const changed of [
      signed.with({ level: 'audited' }),
      signed.with({ 'not-checked': ['nothing'] }),
      signed.with({ facts: signed.message('facts')!.with({ signed: Message.empty }) }),
      signed.without('problems'),
    ]) {
      expect(contentId(uncommitted(changed))).not.toBe(contentId(uncommitted(signed)));
      expect(await verifyMessage(changed)).toBe(false);
    }
  });

  it('hands an answer over as what it was shown to be, and no more', async () => {
    const [honest, lying] = await node.verifiableSamples();
    const signed = await node.readVerified(honest!.url, { level: 'claimed' });
    expect(() => proven(signed, 'replayed')).toThrow('not replayed');
    const replayed = await node.readVerified(honest!.url);
    expect(proven(replayed, 'replayed')).toBe(unproven(signed));
    const lied = await node.readVerified(lying!.url);
    expect(isProven(lied, 'audited')).toBe(false);
    expect(unproven(lied)).not.toBe(unproven(replayed));
    const nowhere = `http://127.0.0.1:9/${'x'.repeat(43)}~process@1.0/now`;
    await expect(node.readVerified(nowhere)).rejects.toMatchObject({ code: 'no-answer', status: 502 });
  });

  it('is paused when its caller gives up, goes on when asked, and is forgotten when removed', async () => {
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    const call = node.verify(await urlOf(), { onProgress, signal: stop.signal });
    await expect(call).rejects.toMatchObject({ code: 'cancelled', status: 499 });
    const [{ id, state, report } = {} as Verification] = await node.verifications();
    expect({ state, report }).toEqual({ state: 'paused', report: undefined });
    await expect(node.exportReport(id)).rejects.toMatchObject({ code: 'no-report', status: 404 });

    await node.resumeVerification(id);
    expect((await until(id, 'done')).report?.level).toBe('replayed');
    // A second time pays only for what is new, and pausing what is done changes nothing.
    await node.pauseVerification(id);
    await node.resumeVerification(id);
    const { facts } = (await until(id, 'done')).report!;
    expect(facts.replayed!.from).toBe(facts.replayed!.to + 1);

    await node.removeVerification(id);
    expect(await node.verifications()).toEqual([]);
    await expect(node.resumeVerification(id)).rejects.toMatchObject({ code: 'no-verification', status: 404 });
  });

  it('goes on by itself after the node was gone, and stays paused if it was', async () => {
    const url = await urlOf();
    const { id } = await node.startVerification({ url, level: 'replayed' });
    const { id: paused } = await node.startVerification({ url, level: 'audited' });
    await node.pauseVerification(paused);
    await node.close();

    node = await open();
    const done = await until(id, 'done');
    expect(done.report).toMatchObject({ url, level: 'replayed' });
    expect(await until(paused, 'paused')).toMatchObject({ request: { level: 'audited' } });
    await node.resumeVerification(paused);
    expect((await until(paused, 'done')).report?.reached).toContain('audited');
  });

  it('is refused where it makes no sense', async () => {
    const start = (url: string, peers: string[] = []) =>
      node.startVerification({ url, level: 'signed', peers });
    const id = 'x'.repeat(43);
    const unit = `https://cu.example/result/${id}?process-id=${id}`;
    await expect(start(unit)).rejects.toMatchObject({ code: 'legacynet-url', status: 400 });
    await expect(start('not a url')).rejects.toMatchObject({ code: 'bad-url', status: 400 });
    await expect(start(`https://a.example/${id}/schedule`)).rejects.toMatchObject({ code: 'bad-url' });
    await expect(start(`https://a.example/${id}`, ['nowhere'])).rejects.toMatchObject({ code: 'bad-url' });
    const many = Array.from({ length: 33 }, (_, index) => `https://${index}.example`);
    await expect(start(`https://a.example/${id}`, many)).rejects.toMatchObject({ code: 'too-many-peers' });
    expect(await node.verifications()).toEqual([]);
  });
});
