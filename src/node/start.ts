/**
 * What the node worker does: opens the store, puts the node together, and answers on every port it is handed.
 * Ports may come before the node is ready; their calls wait. If it cannot start, every call says why.
 */
import { AoError } from '../base/errors.ts';
import { resumeCron } from '../device/cron.ts';
import { resumePushes } from './resume.ts';
import { expose } from '../protocol/rpc.ts';
import { nodeApi, type NodeService } from './api.ts';
import { registerModule } from './device-module.ts';
import { createNode } from './node.ts';
import { openStore } from './open-store.ts';
import { withSamplePeers } from './sample-peer.ts';
import { watchStorage } from './storage.ts';
import { fetchTransport } from './transport.ts';

export interface StartMessage {
  readonly type: 'beamlet:start';
  readonly database: string;
  /** URL of the list of modules that were downloaded beside the app. */
  readonly modules: string;
  /** URLs of modules with devices, registered before the node answers. */
  readonly devices?: readonly string[];
}

/** Handles the messages of the worker's own channel. */
export function serveNode(scope: DedicatedWorkerGlobalScope, createWorker: () => Worker): void {
  const started = Promise.withResolvers<NodeService>();
  started.promise.catch(() => {});
  scope.addEventListener('message', (event: MessageEvent<StartMessage | { type: 'beamlet:connect' }>) => {
    const port = event.ports[0];
    if (event.data.type === 'beamlet:start')
      start(event.data, createWorker).then(started.resolve, started.reject);
    else if (event.data.type === 'beamlet:connect' && port) connect(port, started.promise);
  });
}

async function start(
  { database, modules, devices = [] }: StartMessage,
  createWorker: () => Worker,
): Promise<NodeService> {
  await alone(database);
  const { store, kind, lost } = await openStore(database);
  const node = await createNode({ store, createWorker, http: withSamplePeers(fetchTransport()) });
  watchStorage(node.context);
  for (const url of devices)
    await registerModule(url, node.context, location.origin).catch((thrown: unknown) =>
      console.warn(`The device of ${url} could not be registered.`, thrown),
    );
  // Pushes that a closed tab left half-way go on by themselves.
  resumePushes(node.context).catch((thrown: unknown) => console.warn('A push could not be resumed.', thrown));
  resumeCron(node.context).catch((thrown: unknown) => console.warn('Tasks could not be resumed.', thrown));
  return nodeApi(node, { storage: kind, modules, ...(lost === undefined ? {} : { lost }) });
}

/**
 * Waits until no other worker writes to this database, and keeps it so while this one lives. The page that led may
 * be gone while its worker still ends: two nodes on one schedule would give a slot twice.
 */
function alone(database: string): Promise<void> {
  if (!globalThis.navigator?.locks) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const held = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    navigator.locks.request(`beamlet:store:${database}`, held).catch(reject);
  });
}

/** Calls wait for the node; each fails with the reason if it could not start. */
function connect(port: MessagePort, service: Promise<NodeService>): void {
  const waiting = new Proxy({} as NodeService, {
    get: (_, name) =>
      name === 'then' || typeof name === 'symbol'
        ? undefined
        : async (...args: unknown[]) => {
            const ready = (await service) as unknown as Record<string, (...args: unknown[]) => unknown>;
            const method = Object.hasOwn(ready, name) ? ready[name] : undefined;
            if (!method)
              throw new AoError('no-such-call', `The node offers no call ${name}.`, { status: 404 });
            return method(...args);
          },
  });
  expose(waiting, port);
  port.start();
}
