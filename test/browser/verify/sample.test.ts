import { expect, it } from 'vitest';
import { verifiableSamples, withSamplePeers, type RecordedProcess } from '../../../src/node/sample-peer.ts';
import { verify } from '../../../src/verify/verify.ts';
import { enginesHere } from '../../conformance/families/support/process-case.ts';
import { testNode } from '../../conformance/node.ts';

const load = async () => (await (await fetch('/samples/recorded.json')).json()) as RecordedProcess;
const offline = { request: () => Promise.reject(new Error('There is no network here.')) };

it('the recorded process is proven without a network, and its twin is caught at the slot where it lies', async () => {
  const recorded = await load();
  const [honest, lying] = await verifiableSamples(load);
  const capabilities = { engines: enginesHere, http: withSamplePeers(offline, load) };
  const proven = await verify(honest!.url, {}, await testNode({ capabilities }));
  expect(proven.level).toBe('replayed');
  const caught = await verify(lying!.url, {}, await testNode({ capabilities }));
  expect(caught.level).toBe('contradicted');
  expect(caught.problems.find(({ contradiction }) => contradiction)).toMatchObject({
    code: 'answer-differs',
    slot: recorded.lie.slot,
    said: recorded.lie.value,
  });
});
