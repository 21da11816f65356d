/** A whole node for benchmarks of processes: IndexedDB, process workers, own key. */
import { deleteIndexedDb, openIndexedDb } from '../../src/store/indexeddb.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { Message, type ValueInput } from '../../src/message/message.ts';
import { messageId } from '../../src/commitment/id.ts';
import { commitmentDevice } from '../../src/commitment/devices.ts';
import { createNode, type Node } from '../../src/node/node.ts';
import { Schedules } from '../../src/device/schedules.ts';
import { fromBase64, toBytes } from '../../src/base/bytes.ts';

let counter = 0;

export interface BenchNode {
  readonly node: Node;
  readonly wallet: RsaWallet;
  /** Another node on what this one stored: nothing of it is in memory. */
  again(): Promise<Node>;
  end(): Promise<void>;
}

export function createWorker(): Worker {
  return new Worker(new URL('../../workers/process.worker.ts', import.meta.url), { type: 'module' });
}

let shared: Promise<RsaWallet> | undefined;

export async function benchNode(): Promise<BenchNode> {
  const wallet = await (shared ??= RsaWallet.generate());
  const name = `bench-${Date.now()}-${counter++}`;
  let node = await createNode({ store: await openIndexedDb(name), createWorker, wallet });
  return {
    node,
    wallet,
    async again() {
      await node.close();
      node = await createNode({ store: await openIndexedDb(name), createWorker, wallet });
      return node;
    },
    async end() {
      await node.close();
      await deleteIndexedDb(name);
    },
  };
}

export function sign(message: Record<string, ValueInput>, wallet: RsaWallet): Promise<Message> {
  return commitmentDevice('httpsig@1.0')!.commit(Message.of(message), { type: 'signed' }, { signer: wallet });
}

/** Schedules a process and its messages. Answers its ID. */
export async function schedule(
  node: Node,
  definition: Message,
  messages: readonly Message[],
): Promise<string> {
  const id = messageId(definition, 'signed');
  await node.context.cache.write(definition);
  const schedules = Schedules.of(node.context);
  for (const body of [definition, ...messages]) await schedules.assign(id, body, node.context);
  return id;
}

export async function get(node: Node, path: string): Promise<string> {
  const response = await node.handle({ method: 'GET', target: path, headers: [], body: toBytes('') });
  const text = new TextDecoder().decode(response.body);
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

/** The smallest module of the recorded WASM processes. */
export function smallestModule(vectors: unknown): Uint8Array<ArrayBuffer> {
  const modules = (vectors as { module: { wasm: { $bin: string } | string } }[]).map(({ module }) =>
    fromBase64(typeof module.wasm === 'string' ? module.wasm : module.wasm.$bin),
  );
  return modules.reduce((smallest, module) => (module.length < smallest.length ? module : smallest));
}

/** Keys of a native process over an image. */
export function nativeKeys(image: string, address: string, name: string): Record<string, ValueInput> {
  return {
    device: 'process@1.0',
    type: 'Process',
    name,
    scheduler: address,
    authority: address,
    'execution-device': 'stack@1.0',
    'device-stack': ['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0'],
    'stack-keys': ['init', 'compute', 'snapshot', 'normalize'],
    passes: 2n,
    'output-prefix': 'wasm',
    'patch-from': '/results/outbox',
    image,
  };
}
