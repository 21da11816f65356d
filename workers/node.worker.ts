/** The node worker: resolver, devices and store of this browser profile. */
import { serveNode } from '../src/node/start.ts';

declare const self: DedicatedWorkerGlobalScope;

serveNode(
  self,
  () =>
    new Worker(new URL('./process.worker.ts', import.meta.url), { type: 'module', name: 'beamlet-process' }),
);
