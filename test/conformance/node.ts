/** A node for families that need one: in memory, offline, with the options of the recordings. */
import { AoError } from '../../src/base/errors.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { builtInDevices } from '../../src/device/index.ts';
import { Message } from '../../src/message/message.ts';
import { Atom } from '../../src/message/value.ts';
import type { Capabilities, Identity } from '../../src/resolver/context.ts';
import { createContext, type NodeContext } from '../../src/resolver/node-context.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import { toMessage, toValue } from './value.ts';
import type { Json } from './family.ts';

let own: Promise<RsaWallet> | undefined;

/** One key for all nodes of a run: making one takes seconds. */
function ownWallet(): Promise<RsaWallet> {
  return (own ??= RsaWallet.generate());
}

const wallets = new Map<string, Promise<RsaWallet>>();

/** The wallet of a recorded JWK. */
export function walletOf(jwk: Json): Promise<RsaWallet> {
  const name = JSON.stringify(jwk);
  let wallet = wallets.get(name);
  if (!wallet) wallets.set(name, (wallet = RsaWallet.fromJwk(jwk)));
  return wallet;
}

export interface NodeOptions {
  /** Node options beyond the defaults, as the vectors write them. */
  readonly config?: Json;
  readonly identity?: Identity;
  readonly capabilities?: Partial<Capabilities>;
}

const unreachable = (): Promise<never> =>
  Promise.reject(new AoError('peer-unreachable', 'There is no network here.', { status: 502 }));

export async function testNode({ config = {}, identity, capabilities }: NodeOptions = {}): Promise<NodeContext> {
  const options = Message.from([['generate_index', Atom.false]]).with(toMessage(config));
  return createContext(
    {
      store: new MemoryStore(),
      engines: { startWasm: unreachable, startLua: unreachable },
      http: { request: unreachable },
      clock: { now: () => Date.now() },
      identity: identity ?? (await ownWallet()),
      report: () => undefined,
      ...capabilities,
    },
    options,
    builtInDevices,
  );
}

/** Puts the messages of a case into a node's store. */
export async function preload(context: NodeContext, entries: readonly { id: string; message: Json }[]): Promise<void> {
  for (const { message } of entries) await context.cache.write(toValue(message));
}
