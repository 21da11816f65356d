/**
 * `openNode()`: the node as a page sees it, the same whether it runs in this tab or another.
 */
import { isAoRequest } from '../base/ao-path.ts';
import { AoError } from '../base/errors.ts';
import type {
  Followed,
  HttpAnswer,
  HttpExchange,
  NodeApi,
  NodeEventData,
  NodeInfo,
  ProcessSummary,
  SendOptions,
  SendResult,
  SpawnOptions,
  VerificationReport,
} from '../protocol/api.ts';
import { bodyInit, portable, requestBody } from '../protocol/body.ts';
import type { Verified } from '../protocol/verified.ts';
import type { Wallet } from '../wallet/wallet.ts';
import type { FollowCall } from './follow-call.ts';
import type { VerifyCall } from './verify-call.ts';
import { joinElection, portToLeader } from './leader.ts';
import { MAIN_DATABASE, proxy, wrap, type Remote } from '../protocol/rpc.ts';

export interface OpenOptions {
  /** URL of the Service Worker script; `false` runs without one (AO paths then answer only to `node.fetch`). */
  serviceWorker?: string | false;
  /** A node worker made by the caller, for bundlers that cannot find ours. */
  createWorker?: () => Worker;
  /** Name of the database (default `beamlet`): nodes of different names share nothing. */
  database?: string;
  /** URL that lists modules which were downloaded beside the app (default `/modules/index.json`). */
  modules?: string;
  /** URLs of modules with devices of yours (docs/writing-a-device.md), registered before the node answers. */
  devices?: readonly (string | URL)[];
  /** Signs what this page sends; without one the node's own key does. */
  wallet?: Wallet;
}

/** A node that is open in this page. */
export interface OpenNode extends NodeApi {
  /**
   * Like `fetch`, for AO paths of this node: works before the Service Worker controls the page, and makes the
   * request again by itself when the node moves to another tab.
   */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Calls `listener` with what happens in the node; returns the function that ends it. */
  subscribe(listener: (event: NodeEventData) => void): () => void;
  /**
   * Verifies what a remote node says and answers with the report. Aborting pauses: asked again, it goes on where it
   * stopped.
   */
  verify(url: string, options?: VerifyCall): Promise<VerificationReport>;
  /** The same for who wants the answer itself: its text, which comes out only as what it was shown to be (`proven`). */
  readVerified(url: string, options?: VerifyCall): Promise<Verified<string>>;
  /**
   * Runs a legacynet process that another scheduler orders, and answers once it has caught up with it; it goes on being
   * followed until it is paused. Aborting pauses: asked again, it goes on where it stopped.
   */
  follow(process: string, options?: FollowCall): Promise<Followed>;
  /** From now on `wallet` signs what this page spawns and sends; `undefined`: the node's own key again. */
  use(wallet: Wallet | undefined): void;
  /** What `use` was last told. */
  readonly wallet: Wallet | undefined;
  /** Devices beside the built-in ones (docs/writing-a-device.md). */
  readonly devices: {
    /**
     * Loads a module of this origin into the node and registers the device that it makes. It stays for as long as this
     * page is open, also when the node moves to another tab.
     * @returns the device's name
     * @throws AoError `bad-device` (400), `foreign-device` (403), `device-exists` (409)
     */
    register(module: string | URL): Promise<string>;
    /** Names of all devices that the node has. */
    names(): Promise<string[]>;
  };
  /** Resolves when the Service Worker answers AO paths of this page; `false` if it never will. */
  readonly controlled: Promise<boolean>;
  /** Ends this page's part; the node itself goes on in another tab if one is open. */
  close(): Promise<void>;
}

/** What the node exposes beyond `NodeApi`; not for callers. */
export interface NodePort extends NodeApi {
  subscribe(listener: (event: NodeEventData) => void): Promise<void>;
  ping(): Promise<true>;
}

/** How long a port may take to say hello before it is given up, milliseconds. */
const HELLO = 4_000;
/** How often a call is made again after its node went away. */
const RETRIES = 5;

const startWorker = () =>
  new Worker(new URL('../../workers/node.worker.ts', import.meta.url), {
    type: 'module',
    name: 'beamlet-node',
  });

/**
 * Opens the node of this origin, starting it if no other tab runs it.
 * @throws AoError when a call is refused; opening itself only fails where the browser lacks Workers.
 */
export async function openNode(options: OpenOptions = {}): Promise<OpenNode> {
  if (typeof Worker === 'undefined')
    throw new AoError('no-workers', 'This browser offers no Web Workers, which the node needs.', {
      status: 501,
    });
  const controlled = startService(options.serviceWorker ?? '/service-worker.js');
  const connection = new Connection(options, controlled);
  const listeners = new Set<(event: NodeEventData) => void>();
  connection.onConnect = async (remote) => {
    const tell = (event: NodeEventData) => listeners.forEach((listener) => listener(event));
    remote.subscribe(proxy(tell)).catch(() => {});
    // A node that another tab leads may not know the devices of this page.
    await Promise.all(connection.devices.map((url) => remote.registerDevice(url).catch(() => {})));
    tell({ type: 'node' });
  };
  await connection.remote();

  let wallet = options.wallet;
  const own = {
    controlled,
    devices: {
      async register(module: string | URL): Promise<string> {
        const url = new URL(module, location.href).href;
        const name: string = await connection.call('registerDevice', [url]);
        connection.addDevice(url);
        return name;
      },
      names: (): Promise<string[]> => connection.call('deviceNames', []),
    },
    get wallet(): Wallet | undefined {
      return wallet;
    },
    use(next: Wallet | undefined): void {
      wallet = next;
    },
    async spawn(spawn: SpawnOptions): Promise<ProcessSummary> {
      const by = wallet;
      if (!by) return connection.call('spawn', [spawn]);
      return (await import('./signed-calls.ts')).spawnWith(proxied, by, spawn);
    },
    async send(process: string, message: SendOptions): Promise<SendResult> {
      const by = wallet;
      if (!by) return connection.call('send', [process, message]);
      return (await import('./signed-calls.ts')).sendWith(proxied, by, process, message);
    },
    /** The node that answers is always the leader's; whether that is this page, only the page knows. */
    async info(): Promise<NodeInfo> {
      return { ...((await connection.call('info', [])) as NodeInfo), leader: connection.leads };
    },
    async fetch(path: string, init: RequestInit = {}): Promise<Response> {
      const url = new URL(path, location.href);
      const method = (init.method ?? 'GET').toUpperCase();
      if (url.origin !== location.origin || !isAoRequest(url.pathname, method, new Headers(init.headers)))
        return fetch(path, init);
      return answerToResponse(await connection.call('request', [await toExchange(path, init)]), init.method);
    },
    async verify(url: string, options: VerifyCall = {}): Promise<VerificationReport> {
      return (await import('./verify-call.ts')).runVerification(proxied, url, options);
    },
    async readVerified(url: string, options: VerifyCall = {}): Promise<Verified<string>> {
      return (await import('./verify-call.ts')).runVerifiedRead(proxied, url, options);
    },
    async follow(process: string, options: FollowCall = {}): Promise<Followed> {
      return (await import('./follow-call.ts')).runFollowing(proxied, process, options);
    },
    subscribe(listener: (event: NodeEventData) => void): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close(): Promise<void> {
      listeners.clear();
      connection.close();
    },
  };
  const proxied: OpenNode = new Proxy(own as unknown as OpenNode, {
    get: (target, name: keyof OpenNode | 'then') =>
      // A promise that resolves with this object must not take it for another promise.
      name === 'then' || typeof name === 'symbol'
        ? undefined
        : name in target
          ? target[name]
          : (...args: unknown[]) => connection.call(name as keyof NodePort, args),
  });
  return proxied;
}

/** Keeps a port to whichever worker is the node now, and makes calls on it. */
class Connection {
  onConnect: (remote: Remote<NodePort>) => Promise<void> = async () => {};
  /** URLs of devices that this page wants the node to have, wherever it runs. */
  devices: readonly string[];
  readonly #options: OpenOptions;
  readonly #database: string;
  readonly #leave: () => void;
  #worker: Worker | undefined;
  #remote: Promise<Remote<NodePort>> | undefined;
  /** Rejects when the node that calls were made to has gone. */
  #gone = Promise.withResolvers<never>();
  #closed = false;
  readonly #controlled: Promise<boolean>;

  constructor(options: OpenOptions, controlled: Promise<boolean>) {
    this.#options = options;
    this.devices = (options.devices ?? []).map((module) => new URL(module, location.href).href);
    this.#controlled = controlled;
    this.#gone.promise.catch(() => {});
    navigator.serviceWorker?.addEventListener('message', this.#onServiceMessage);
    navigator.serviceWorker?.startMessages();
    this.#database = options.database ?? MAIN_DATABASE;
    const events = { onLead: () => this.#lead(), onOtherLeads: () => this.#reset() };
    this.#leave = joinElection(events, this.#database);
  }

  /** The node runs in a worker of this page. */
  get leads(): boolean {
    return this.#worker !== undefined;
  }

  addDevice(url: string): void {
    if (!this.devices.includes(url)) this.devices = [...this.devices, url];
  }

  #lead(): void {
    const worker = (this.#options.createWorker ?? startWorker)();
    this.#worker = worker;
    worker.onerror = (event) => {
      // The script itself failed to load or run: calls must not wait for it.
      this.#gone.reject(
        new AoError('node-failed', event.message || 'The node worker could not start.', { status: 500 }),
      );
    };
    const { modules = '/modules/index.json' } = this.#options;
    worker.postMessage({ type: 'beamlet:start', database: this.#database, modules, devices: this.devices });
    this.#reset();
  }

  /** The Service Worker hands over a port for somebody who asked for this page's node. */
  readonly #onServiceMessage = (event: MessageEvent) => {
    const port = event.ports[0];
    const { type, database = MAIN_DATABASE } = (event.data ?? {}) as { type?: string; database?: string };
    if (type === 'beamlet:connect' && database === this.#database && port && this.#worker)
      this.#worker.postMessage({ type: 'beamlet:connect' }, [port]);
  };

  #reset(): void {
    this.#remote = undefined;
    const old = this.#gone;
    this.#gone = Promise.withResolvers<never>();
    this.#gone.promise.catch(() => {});
    old.reject(new AoError('node-moved', 'The node moved to another tab.', { status: 503 }));
  }

  remote(): Promise<Remote<NodePort>> {
    this.#remote ??= this.#connect();
    return this.#remote;
  }

  async #connect(): Promise<Remote<NodePort>> {
    for (let attempt = 0; !this.#closed; attempt++) {
      const gone = this.#gone.promise;
      const port = this.#worker ? this.#ownPort(this.#worker) : await this.#otherPort();
      if (port) {
        port.start();
        const remote = wrap<NodePort>(port);
        // The worker of this page answers as soon as its store is open, however long that takes.
        const limit = this.#worker ? new Promise<never>(() => {}) : timeout(HELLO);
        const hello = await Promise.race([remote.ping(), limit, gone]).catch((thrown: unknown) => {
          if (thrown instanceof AoError && !['node-moved', 'no-answer'].includes(thrown.code)) throw thrown;
          return false;
        });
        if (hello) {
          await Promise.race([this.onConnect(remote), gone.catch(() => undefined)]);
          return remote;
        }
      }
      await Promise.race([
        delay(Math.min(1_000, 50 * 2 ** attempt)),
        this.#gone.promise.catch(() => undefined),
      ]);
    }
    throw new AoError('node-closed', 'The node was closed in this page.', { status: 503 });
  }

  #ownPort(worker: Worker): MessagePort {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ type: 'beamlet:connect' }, [port2]);
    return port1;
  }

  /** Waits for the Service Worker only as long as this page does not become the leader itself. */
  async #otherPort(): Promise<MessagePort | undefined> {
    const gone = this.#gone.promise.catch(() => undefined);
    if (!(await Promise.race([this.#controlled, delay(250), gone])) || this.#worker) return undefined;
    return Promise.race([portToLeader(this.#database).catch(() => undefined), delay(HELLO), gone]);
  }

  async call(name: keyof NodePort, args: unknown[]): Promise<never> {
    // The node remembers what it has done under this key, so a call that is made again is not done twice.
    const once = crypto.randomUUID();
    for (let attempt = 0; ; attempt++) {
      const gone = this.#gone.promise;
      try {
        const remote = (await this.remote()) as unknown as Record<
          string,
          (...args: unknown[]) => Promise<never>
        >;
        return await Promise.race([remote[name]!(...prepared(name, args, once)), gone]);
      } catch (thrown) {
        const moved = thrown instanceof AoError && thrown.code === 'node-moved';
        if (!moved || attempt >= RETRIES || this.#closed) throw thrown;
      }
    }
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    navigator.serviceWorker?.removeEventListener('message', this.#onServiceMessage);
    this.#worker?.terminate();
    this.#gone.reject(new AoError('node-closed', 'The node was closed in this page.', { status: 503 }));
  }
}

/**
 * Calls that change something carry a key, so that making them again after the node moved does not do it twice. Large
 * bodies are copied for each try and the copy is given away.
 */
function prepared(name: keyof NodePort, args: unknown[], once: string): unknown[] {
  if (name === 'request' || name === 'trace') return [portable({ once, ...(args[0] as HttpExchange) })];
  if (name === 'send' || name === 'spawn') return [...args, once];
  return name === 'fork' ? [args[0], args[1] ?? {}, once] : args;
}

function delay(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), milliseconds));
}

function timeout(milliseconds: number): Promise<never> {
  return new Promise((_, reject) =>
    setTimeout(
      () => reject(new AoError('no-answer', 'The node did not answer in time.', { status: 504 })),
      milliseconds,
    ),
  );
}

/** Registers the Service Worker and waits until it controls this page. */
async function startService(script: string | false): Promise<boolean> {
  if (script === false || !navigator.serviceWorker) return false;
  try {
    const type = import.meta.env.DEV ? 'module' : 'classic';
    await navigator.serviceWorker.register(import.meta.env.DEV ? '/dev-sw.js?dev-sw' : script, { type });
    if (navigator.serviceWorker.controller) return true;
    await new Promise<void>((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true }),
    );
    return true;
  } catch (thrown) {
    console.warn('The Service Worker could not start; AO paths answer only to node.fetch().', thrown);
    return false;
  }
}

async function toExchange(path: string, init: RequestInit) {
  // The path is kept as typed: URL would re-encode what AO-Core's grammar tells apart.
  const target = path.startsWith('http') ? path.slice(new URL(path).origin.length) : path;
  const probe = new Request(location.origin, { ...init, method: init.body ? 'POST' : 'GET' });
  const body = await requestBody(probe);
  const headers = [...new Headers(probe.headers)].map(([name, value]): [string, string] => [name, value]);
  return { method: (init.method ?? 'GET').toUpperCase(), target, headers, body };
}

function answerToResponse(answer: HttpAnswer, method = 'GET'): Response {
  const headers = new Headers();
  for (const [name, value] of answer.headers)
    try {
      headers.append(name, value);
    } catch {
      // A value that a browser's Headers cannot hold stays in `node.request()`, which carries everything.
    }
  const empty = method.toUpperCase() === 'HEAD' || [204, 205, 304].includes(answer.status);
  const status = answer.status >= 200 && answer.status <= 599 ? answer.status : 500;
  return new Response(empty ? null : bodyInit(answer.body), { status, headers });
}
