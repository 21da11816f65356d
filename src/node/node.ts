/** Puts a node together: store, key, devices, process workers, HTTP face. */
import { AoError } from '../base/errors.ts';
import type { RsaWallet } from '../crypto/wallet.ts';
import { builtInDevices } from '../device/index.ts';
import { DryMachines } from '../device/dry-machines.ts';
import { releaseIdle } from '../device/processes.ts';
import { Message } from '../message/message.ts';
import type { HttpRequest, HttpResponse, NodeEvent, Transport } from '../resolver/context.ts';
import type { Device } from '../resolver/device.ts';
import { createContext, type NodeContext } from '../resolver/node-context.ts';
import type { TraceStep } from '../resolver/settings.ts';
import { withRoom } from '../store/room.ts';
import type { Store } from '../store/store.ts';
import { EnginePool } from './engines.ts';
import { handle } from './http.ts';
import { nodeWallet } from './identity.ts';
import { answerUnit, isUnitRequest } from './legacynet/routes.ts';
import { fetchTransport } from './transport.ts';

export interface NodeParts {
  readonly store: Store;
  /** Starts a process worker. */
  readonly createWorker: () => Worker;
  readonly http?: Transport;
  /** Defaults to the key that the store holds, made on first start. */
  readonly wallet?: RsaWallet;
  /** Node options over the built-in ones (resolver.md §8). */
  readonly options?: Message;
  /** Devices beside the built-in ones. */
  readonly devices?: readonly Device[];
  readonly clock?: { now(): number };
  readonly maxLive?: number;
}

export interface Node {
  readonly context: NodeContext;
  readonly store: Store;
  readonly wallet: RsaWallet;
  readonly engines: EnginePool;
  /** Any HTTP request, as octets. Never throws. */
  handle(request: HttpRequest, trace?: (step: TraceStep) => void): Promise<HttpResponse>;
  /** Calls `listener` with what happens; returns the function that ends it. */
  listen(listener: (event: NodeEvent) => void): () => void;
  close(): Promise<void>;
}

/** @throws AoError `bad-key`, `device-exists`, `storage-…` */
export async function createNode(parts: NodeParts): Promise<Node> {
  const { createWorker } = parts;
  const listeners = new Set<(event: NodeEvent) => void>();
  const report = (event: NodeEvent) => {
    for (const listener of listeners) listener(event);
  };
  const store = withRoom(parts.store, () => report({ type: 'storage-full' }));
  const wallet = parts.wallet ?? (await nodeWallet(store));
  const engines = new EnginePool({
    createWorker,
    ...(parts.maxLive === undefined ? {} : { maxLive: parts.maxLive }),
  });
  const context = await createContext(
    {
      store,
      engines,
      http: parts.http ?? fetchTransport(),
      clock: parts.clock ?? { now: () => Date.now() },
      identity: wallet,
      report,
    },
    parts.options ?? Message.empty,
    [...builtInDevices, ...(parts.devices ?? [])],
  );
  engines.evict = async () => (await DryMachines.of(context).release()) || releaseIdle(context);
  let closed = false;
  return {
    context,
    store,
    wallet,
    engines,
    async handle(request, trace) {
      if (closed) throw new AoError('node-closed', 'The node was closed.', { status: 503 });
      if (isUnitRequest(request)) return answerUnit(request, context);
      return handle(request, context, trace ? { trace } : {});
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      engines.close();
      await store.close();
    },
  };
}
