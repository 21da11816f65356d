/** A node for unit tests of devices: in memory, offline, with machines that a test looks into. */
import { AoError } from '../../src/base/errors.ts';
import { commitmentDevice } from '../../src/commitment/devices.ts';
import { messageId } from '../../src/commitment/id.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { builtInDevices } from '../../src/device/index.ts';
import { Schedules } from '../../src/device/schedules.ts';
import { Message, type ValueInput } from '../../src/message/message.ts';
import type { Capabilities, NodeEvent } from '../../src/resolver/context.ts';
import { createContext, type NodeContext } from '../../src/resolver/node-context.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { fakeEngines, type FakeLog } from './fake-machine.ts';

let wallet: Promise<RsaWallet> | undefined;

/** One key for all tests of a file: making one takes seconds. */
export function testWallet(): Promise<RsaWallet> {
  return (wallet ??= RsaWallet.generate());
}

export interface TestNode {
  readonly context: NodeContext;
  readonly store: Store;
  readonly log: FakeLog;
  readonly events: NodeEvent[];
  readonly clock: { time: number };
  /** Another node on the same store: nothing of the first is in its memory. */
  again(): Promise<TestNode>;
}

export async function testNode(
  options: { store?: Store; config?: Message; capabilities?: Partial<Capabilities> } = {},
): Promise<TestNode> {
  const store = options.store ?? new MemoryStore();
  const { engines, log } = fakeEngines();
  const events: NodeEvent[] = [];
  const clock = { time: 1_700_000_000_000 };
  const unreachable = () =>
    Promise.reject(new AoError('peer-unreachable', 'There is no network.', { status: 502 }));
  const context = await createContext(
    {
      store,
      engines,
      http: { request: unreachable },
      clock: { now: () => clock.time },
      identity: await testWallet(),
      report: (event) => void events.push(event),
      ...options.capabilities,
    },
    options.config ?? Message.empty,
    builtInDevices,
  );
  return { context, store, log, events, clock, again: () => testNode({ ...options, store }) };
}

export async function signed(message: Readonly<Record<string, ValueInput>>): Promise<Message> {
  return commitmentDevice('httpsig@1.0')!.commit(
    Message.of(message),
    { type: 'signed' },
    { signer: await testWallet() },
  );
}

export interface TestProcess {
  readonly id: string;
  readonly definition: Message;
}

/** A process of the given kind with its messages scheduled: each an `Action` and a `By`. */
export async function scheduled(
  { context }: TestNode,
  kind: 'native' | 'legacynet',
  messages: readonly Readonly<Record<string, string>>[],
  keys: Readonly<Record<string, ValueInput>> = {},
): Promise<TestProcess> {
  const { address } = await testWallet();
  const module = await context.cache.write(
    Message.of({ body: new Uint8Array([0, 97, 115, 109]), name: 'fake' }),
  );
  const execution: Record<string, ValueInput> =
    kind === 'legacynet'
      ? { 'execution-device': 'genesis-wasm@1.0', module }
      : {
          'execution-device': 'stack@1.0',
          'device-stack': ['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0'],
          'stack-keys': ['init', 'compute', 'snapshot', 'normalize'],
          passes: 2n,
          'output-prefix': 'wasm',
          'patch-from': '/results/outbox',
          image: module,
        };
  const definition = await signed({
    device: 'process@1.0',
    type: 'Process',
    scheduler: address,
    authority: address,
    ...execution,
    ...keys,
  });
  const id = messageId(definition, 'signed');
  await context.cache.write(definition);
  await Schedules.of(context).assign(id, definition, context);
  await send({ context }, id, messages);
  return { id, definition };
}

export async function send(
  { context }: Pick<TestNode, 'context'>,
  process: string,
  messages: readonly Readonly<Record<string, string>>[],
): Promise<void> {
  for (const message of messages)
    await Schedules.of(context).assign(
      process,
      await signed({ target: process, type: 'Message', ...message }),
      context,
    );
}
