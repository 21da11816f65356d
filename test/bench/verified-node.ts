/** Two nodes for benchmarks of verification: one that schedules and computes, and one that believes nothing it says. */
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { Schedules } from '../../src/device/schedules.ts';
import { Message } from '../../src/message/message.ts';
import { handle } from '../../src/node/http.ts';
import { createNode, type Node } from '../../src/node/node.ts';
import type { Transport } from '../../src/resolver/context.ts';
import { deleteIndexedDb, openIndexedDb } from '../../src/store/indexeddb.ts';
import { verify } from '../../src/verify/verify.ts';
import { benchNode, createWorker, nativeKeys, schedule, sign, type BenchNode } from './process-node.ts';

export interface Pair {
  readonly remote: BenchNode;
  readonly process: string;
  /** Schedules so many more messages. */
  more(count: number): Promise<void>;
  end(): Promise<void>;
}

/** A node with a process of the module, with so many slots beside its definition. */
export async function remoteProcess(module: Uint8Array, slots: number): Promise<Pair> {
  const remote = await benchNode();
  const { node, wallet } = remote;
  const author = await RsaWallet.generate();
  const image = await node.context.cache.write(Message.of({ body: module }));
  const definition = await sign(nativeKeys(image, wallet.address, `verified-${slots}`), author);
  const process = await schedule(node, definition, []);
  let made = 0;
  const more = async (count: number) => {
    for (let index = 0; index < count; index++) {
      const keys = { target: process, type: 'Message', action: 'Inc', by: String(made++ % 7) };
      const message = await sign(keys, author);
      await node.context.cache.write(message);
      await Schedules.of(node.context).assign(process, message, node.context);
    }
  };
  await more(slots);
  return { remote, process, more, end: () => remote.end() };
}

const ORIGIN = 'https://remote.example';
let counter = 0;

/** A node whose only network is the other one. */
export async function verifier({ remote, process }: Pair): Promise<{
  readonly node: Node;
  verify(): Promise<void>;
  end(): Promise<void>;
}> {
  const name = `bench-verifier-${Date.now()}-${counter++}`;
  const http: Transport = {
    request: (request) =>
      handle({ ...request, target: request.target.slice(ORIGIN.length) }, remote.node.context),
  };
  const node = await createNode({ store: await openIndexedDb(name), createWorker, http });
  return {
    node,
    async verify() {
      const { level, problems } = await verify(`${ORIGIN}/${process}~process@1.0/now`, {}, node.context);
      if (level !== 'replayed')
        throw new Error(`Reached ${level}: ${problems.map(({ text }) => text).join(' ')}`);
    },
    async end() {
      await node.close();
      await deleteIndexedDb(name);
    },
  };
}
