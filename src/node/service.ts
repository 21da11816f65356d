/**
 * What the Service Worker does with an AO path: find the node, ask it, answer.
 *
 * It holds no state that matters: the browser stops it after some thirty seconds, and every port is gone with it.
 * A fresh worker asks the windows which of them leads, and so finds its way back by itself.
 */
import { AoError } from '../base/errors.ts';
import { LEADER_CHANNEL, LEADER_LOCK, releaseProxy, wrap, type Remote } from '../protocol/rpc.ts';
import type { HttpAnswer, HttpExchange } from '../protocol/api.ts';
import { portable } from '../protocol/body.ts';

export interface ServicePort {
  request(exchange: HttpExchange): Promise<HttpAnswer>;
  ping(): Promise<true>;
}

/** How long a window that is opening may take until its node answers, milliseconds. */
const PATIENCE = 20_000;
/** How long a port may take to say hello. */
const HELLO = 2_000;

let current: Promise<Remote<ServicePort>> | undefined;

interface Leader {
  readonly window: Client;
  readonly remote: Remote<ServicePort>;
}

/** True while some page leads, be its node ready or not. */
async function isLed(): Promise<boolean> {
  const { held = [] } = await navigator.locks.query();
  return held.some(({ name }) => name === LEADER_LOCK);
}

/**
 * The window whose worker is the node, with a port to it; undefined while none answers. A lock's `clientId` does not
 * tell (Chromium's is none that `clients.get` knows), so every window is handed a port, and the one that leads
 * passes it on to its worker.
 */
async function findLeader(clients: Clients, database?: string): Promise<Leader | undefined> {
  const windows = await clients.matchAll({ type: 'window', includeUncontrolled: true });
  const asked = windows.map((window) => {
    const { port1, port2 } = new MessageChannel();
    window.postMessage({ type: 'beamlet:connect', database }, [port2]);
    return { window, remote: wrap<ServicePort>(port1) };
  });
  const answers = asked.map(async (leader) => {
    await leader.remote.ping();
    return leader;
  });
  // A window that is still starting its worker says hello late; one that is going away never does.
  const found = await Promise.race([Promise.any(answers).catch(() => undefined), later(HELLO)]);
  for (const { remote } of asked) if (!found || remote !== found.remote) remote[releaseProxy]();
  return found || undefined;
}

/**
 * Brokers a port between whoever asks (`port`) and the leader's page.
 * @returns false while no page leads
 */
export async function connectTo(clients: Clients, port: MessagePort, database?: string): Promise<boolean> {
  const leader = await findLeader(clients, database);
  leader?.remote[releaseProxy]();
  leader?.window.postMessage({ type: 'beamlet:connect', database }, [port]);
  return leader !== undefined;
}

async function connect(clients: Clients): Promise<Remote<ServicePort>> {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const leader = await findLeader(clients);
    if (leader) return leader.remote;
    if ((await clients.matchAll({ type: 'window', includeUncontrolled: true })).length === 0) break;
    await later(50);
  }
  throw new AoError('no-node', 'No tab runs the node at the moment. Open the app and ask again.', {
    status: 503,
  });
}

const later = (milliseconds: number) =>
  new Promise<false>((resolve) => setTimeout(() => resolve(false), milliseconds));

/** Rejects when another page becomes the leader; made anew each time. */
let moved = Promise.withResolvers<never>();
moved.promise.catch(() => {});

/** Ports to a leader that is no more are given up at once, and what was asked on them is asked again. */
export function watchLeaders(): void {
  new BroadcastChannel(LEADER_CHANNEL).onmessage = () => {
    current = undefined;
    const old = moved;
    moved = Promise.withResolvers<never>();
    moved.promise.catch(() => {});
    old.reject(new AoError('node-moved', 'The node moved to another tab.', { status: 503 }));
  };
}

/**
 * Asks the node. When its tab closes meanwhile, the next tab takes over and the request is made again.
 * @throws AoError `no-node` (503)
 */
export async function ask(clients: Clients, exchange: HttpExchange): Promise<HttpAnswer> {
  // The node remembers what it has scheduled under this key, so a request that is made again is not scheduled twice.
  const keyed = { once: crypto.randomUUID(), ...exchange };
  for (let attempt = 0; ; attempt++) {
    const connection = (current ??= connect(clients));
    const elsewhere = moved.promise;
    const watch = new AbortController();
    try {
      const remote = await connection;
      return await Promise.race([
        remote.request(portable(keyed)),
        elsewhere,
        untilGone(clients, remote, watch.signal),
      ]);
    } catch (thrown) {
      if (current === connection) current = undefined;
      const error = AoError.wrap(thrown);
      if (attempt >= 3 || error.code !== 'node-moved') throw error;
    } finally {
      watch.abort();
    }
  }
}

/** Throws `node-moved` once the node behind `remote` no longer answers and nobody leads any more, or another does. */
async function untilGone(clients: Clients, remote: Remote<ServicePort>, signal: AbortSignal): Promise<never> {
  const moved = new AoError('node-moved', 'The node went away.', { status: 503 });
  for (;;) {
    await later(2_000);
    if (signal.aborted) throw moved;
    if (await Promise.race([remote.ping(), later(HELLO)])) continue;
    // A node that is busy is slow to answer, but so would its page's be; another answers at once.
    if (!signal.aborted && (!(await isLed()) || (await findLeader(clients)))) throw moved;
  }
}
