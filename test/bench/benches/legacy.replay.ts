/**
 * `legacy.replay`: messages a second. A legacynet process (aos 2.0.6, 500 messages of a small handler) whose schedule a
 * scheduler unit serves: its pages fetched and read, both signatures of every slot and the hash chain checked, everything
 * stored, computed to the head. The unit is in this worker, so the network itself costs nothing. Beside: a bare loop
 * over the same messages (write the two JSON texts, `handle`, read and parse the answer), instance hot.
 */
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import { Message } from '../../../src/message/message.ts';
import { RsaWallet } from '../../../src/crypto/wallet.ts';
import { createNode } from '../../../src/node/node.ts';
import { nodeApi } from '../../../src/node/api.ts';
import type { Followed } from '../../../src/protocol/api.ts';
import { testNode } from '../../conformance/node.ts';
import { FakeLegacynet, GATEWAY } from '../../setup/fake-legacynet.ts';
import { aosModule, HANDLER } from '../aos.ts';
import { defineBench, median } from '../bench.ts';
import { bareLoop, recording, withDatabase, type ModuleStart, type Texts } from '../replay.ts';
import { Followings } from '../../../src/node/legacynet/followings.ts';

const OPTIONS = Message.of({ gateway: GATEWAY });
const createWorker = () =>
  new Worker(new URL('../../../workers/process.worker.ts', import.meta.url), { type: 'module' });

export default defineBench(async (context) => {
  const count = context.quick ? 50 : 500;
  const module = await aosModule(context);
  const net = await FakeLegacynet.create({ module });
  await net.send([['Action', 'Eval']], HANDLER);
  for (let index = 0; index < count; index++)
    await net.send([
      ['Action', 'Inc'],
      ['Count', String(index)],
    ]);
  const wallet = await RsaWallet.generate();
  const texts = await record(net, wallet);
  const start: ModuleStart = { bytes: module.slice(), format: String(net.module.tag('Module-Format')) };
  const slots = net.slots.length;
  const node: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < (context.quick ? 1 : 3); round++) {
    node.push((1000 * slots) / (await follow(net, wallet)));
    bare.push((1000 * slots) / (await bareLoop(texts, start, slots)));
  }
  return { value: median(node), unit: 'messages/s', baseline: 'bare loop', baselineValue: median(bare) };
});

/** Milliseconds from nothing to the head. */
function follow(net: FakeLegacynet, wallet: RsaWallet): Promise<number> {
  return withDatabase(async (store) => {
    const node = await createNode({ store, wallet, createWorker, http: net.transport(), options: OPTIONS });
    const api = nodeApi(node, { storage: 'indexeddb', modules: '/none' });
    try {
      const started = performance.now();
      await api.startFollowing(net.id);
      await until(() => api.followed());
      const took = performance.now() - started;
      await api.stopFollowing(net.id);
      return took;
    } finally {
      await node.close();
    }
  });
}

async function until(followed: () => Promise<Followed[]>): Promise<void> {
  for (;;) {
    const [now] = await followed();
    if (now?.state === 'waiting') return;
    if (now?.state === 'failed') throw new Error(now.error?.message);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The texts that the module is handed on the way. */
async function record(net: FakeLegacynet, identity: RsaWallet): Promise<Texts[]> {
  const texts: Texts[] = [];
  const node = await testNode({
    identity,
    capabilities: {
      http: net.transport(),
      engines: {
        startWasm: async (given) => recording(await startWasm(given), texts),
        startLua: () => Promise.reject(new Error('No Lua here.')),
      },
    },
    config: { gateway: GATEWAY },
  });
  const followings = new Followings(node);
  await followings.start(net.id);
  await until(() => followings.list());
  await followings.stop(net.id);
  return texts;
}
