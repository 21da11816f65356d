/** A context for families that need `message@1.0` or the resolver and nothing of the outside. */
import { AoError } from '../../../../src/base/errors.ts';
import { message } from '../../../../src/device/message.ts';
import { Message } from '../../../../src/message/message.ts';
import type { Engines } from '../../../../src/resolver/context.ts';
import type { Device } from '../../../../src/resolver/device.ts';
import { createContext, type NodeContext } from '../../../../src/resolver/node-context.ts';
import { MemoryStore } from '../../../../src/store/memory.ts';
import { testWallet } from './ans104.ts';

const refuse = (): Promise<never> =>
  Promise.reject(
    new AoError('not-here', 'A vector of this family asks for nothing outside.', { status: 502 }),
  );

const noEngines: Engines = { startWasm: refuse, startLua: refuse };

/** A fresh node with an empty store. */
export async function testContext(devices: readonly Device[] = [message]): Promise<NodeContext> {
  return createContext(
    {
      store: new MemoryStore(),
      engines: noEngines,
      http: { request: refuse },
      clock: { now: () => 0 },
      identity: await testWallet(),
      report: () => undefined,
    },
    Message.empty,
    devices,
  );
}
