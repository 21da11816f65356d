/** The context that devices are handed, and what all resolutions of one node share. */
import { Message } from '../message/message.ts';
import { Link, Subpath, type Value } from '../message/value.ts';
import { isPrivateKey } from '../message/keys.ts';
import type { Store } from '../store/store.ts';
import type {
  Call,
  Capabilities,
  Clock,
  Context,
  Engines,
  Identity,
  NodeEvent,
  Transport,
} from './context.ts';
import { MessageCache } from './cache.ts';
import { deepSet } from './deep-set.ts';
import type { Device, Result } from './device.ts';
import { requestReference } from '../commitment/hashpath.ts';
import { Options, defaultLayer } from './options.ts';
import { DeviceRegistry, functionName } from './registry.ts';
import { resolveMany, resolvePair, resolveSingleton } from './resolver.ts';
import { insideDevice, TOP, type Settings } from './settings.ts';
import { SingleFlight } from './single-flight.ts';

/** One for each node. */
export interface Shared {
  readonly capabilities: Capabilities;
  readonly cache: MessageCache;
  readonly registry: DeviceRegistry;
  readonly flights: SingleFlight;
  /** What the operator set; the only layer of options that changes. */
  readonly nodeOptions: Options;
  /** Scratch space of devices for the life of the node (timers, counters), by device name. */
  readonly memory: Map<string, unknown>;
}

/** Where the node message is kept in the store. */
const NODE_MESSAGE = 'message';

export class NodeContext implements Context {
  readonly #shared: Shared;
  readonly #options: Options;
  readonly settings: Settings;
  #few: DeviceRegistry | undefined;

  constructor(shared: Shared, options: Options = shared.nodeOptions, settings: Settings = TOP) {
    this.#shared = shared;
    this.#options = options;
    this.settings = settings;
  }

  get store(): Store {
    return this.#shared.capabilities.store;
  }
  get engines(): Engines {
    return this.#shared.capabilities.engines;
  }
  get http(): Transport {
    return this.#shared.capabilities.http;
  }
  get clock(): Clock {
    return this.#shared.capabilities.clock;
  }
  get identity(): Identity {
    return this.#shared.capabilities.identity;
  }
  get report(): (event: NodeEvent) => void {
    return this.#shared.capabilities.report;
  }
  get cache(): MessageCache {
    return this.#shared.cache;
  }
  get devices(): DeviceRegistry {
    return this.registry;
  }
  get registry(): DeviceRegistry {
    const { devices } = this.settings;
    if (!devices) return this.#shared.registry;
    return (this.#few ??= this.#shared.registry.only(devices));
  }
  get flights(): SingleFlight {
    return this.#shared.flights;
  }
  get call(): Call | undefined {
    return this.settings.call;
  }
  get options(): Message {
    return this.#options.message();
  }

  memory<T>(device: string, create: () => T): T {
    const { memory } = this.#shared;
    if (!memory.has(device)) memory.set(device, create());
    return memory.get(device) as T;
  }

  option(name: string): Value | undefined {
    return this.#options.get(name);
  }

  withOptions(changes: Readonly<Record<string, Value | undefined>>): NodeContext {
    return new NodeContext(this.#shared, new Options(Object.entries(changes), this.#options), this.settings);
  }

  /** The same node and options with other settings for the resolutions it starts. */
  withSettings(changes: Partial<Settings>): NodeContext {
    return new NodeContext(this.#shared, this.#options, { ...this.settings, ...changes });
  }

  restrictedTo(devices: readonly string[]): NodeContext {
    const already = this.settings.devices;
    const allowed = already ? devices.filter((name) => already.has(name)) : devices;
    return this.withSettings({ devices: new Set([...allowed, 'message@1.0']) });
  }

  /** What a device is handed at a step of this context. */
  inside(): NodeContext {
    return new NodeContext(this.#shared, this.#options, insideDevice(this.settings));
  }

  /** The node's own context, as a request from outside starts with. */
  atTop(): NodeContext {
    return new NodeContext(this.#shared);
  }

  /** Specifiers that outrank the messages' own: those of this resolution, else of the node. */
  cacheControl(): Value | undefined {
    return this.settings.cacheControl ?? this.option('cache-control');
  }

  async configure(changes: Readonly<Record<string, Value | undefined>>): Promise<void> {
    this.#shared.nodeOptions.assign(Object.entries(changes));
    await this.cache.writeNodeMessage(NODE_MESSAGE, this.#shared.nodeOptions.own());
  }

  resolve(base: Value, request: Value): Promise<Result> {
    return resolvePair(base, request, this);
  }

  resolveSequence(sequence: readonly Value[]): Promise<Result> {
    return resolveMany(sequence, this);
  }

  resolveSingleton(singleton: Message): Promise<Result> {
    return resolveSingleton(singleton, this);
  }

  async get(path: string, message: Value): Promise<Value | undefined> {
    if (message instanceof Message && !path.includes('/') && !message.has('device')) {
      const value = plainKey(message, path);
      if (!(value instanceof Subpath) && value !== RESERVED)
        return value instanceof Link ? this.cache.load(value) : value;
    }
    const result = await resolvePair(message, path, this.internal());
    return result.status === 'ok' ? result.value : undefined;
  }

  async set(message: Message, changes: Readonly<Record<string, Value>>): Promise<Message> {
    return deepSet(message, changes, this.internal());
  }

  /** Internal look-ups: no hashpath, no caching, literals as they are (resolver.md §2.7). */
  internal(): NodeContext {
    return new NodeContext(this.#shared, this.#options, {
      ...insideDevice(this.settings),
      cacheControl: INTERNAL_CACHE_CONTROL,
    });
  }

  async readResult(baseId: string, request: Message): Promise<Value | undefined> {
    return this.cache.readResult(baseId, requestReference(request));
  }

  async writeResult(baseId: string, request: Message, value: Value): Promise<void> {
    await this.cache.writeResult(baseId, requestReference(request), value);
  }
}

const INTERNAL_CACHE_CONTROL: Value = ['no-cache', 'no-store'];

/** Keys that `message@1.0` computes: a value of theirs is never read (resolver.md §3.5). */
const COMPUTED = new Set([
  'id',
  'commit',
  'verify',
  'committed',
  'committers',
  'keys',
  'set',
  'set-path',
  'remove',
  'index',
]);
const RESERVED = Symbol('reserved');

/** What a message without a device of its own answers for a key, without the stages of a step. */
function plainKey(message: Message, key: string): Value | undefined | typeof RESERVED {
  if (key === '' || COMPUTED.has(functionName(key))) return RESERVED;
  if (isPrivateKey(key)) return undefined;
  return message.get(key) ?? message.get(key.toLowerCase());
}

/**
 * A node's context: built-in defaults under what the store holds, under `options`.
 * @throws AoError `device-exists`, `bad-device`
 */
export async function createContext(
  capabilities: Capabilities,
  options: Message,
  devices: Iterable<Device>,
): Promise<NodeContext> {
  const cache = new MessageCache(capabilities.store);
  const stored = await cache.readNodeMessage(NODE_MESSAGE);
  const nodeOptions = new Options([...(stored ?? Message.empty), ...options], defaultLayer());
  return new NodeContext({
    capabilities,
    cache,
    registry: new DeviceRegistry(devices),
    flights: new SingleFlight(),
    nodeOptions,
    memory: new Map(),
  });
}
