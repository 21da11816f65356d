/** A process worker: one machine behind a port, and nothing else within its reach. */
import { createHost } from '../src/engine/host.ts';
import { sealWorker } from '../src/engine/seal.ts';
import { expose, transfer } from '../src/protocol/rpc.ts';

expose(createHost(transfer));
sealWorker();
