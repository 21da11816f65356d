/**
 * What the Service Worker does with an AO path: find the node, ask it, answer.
 *
 * It holds no state that matters: the browser stops it after some thirty seconds, and every port is gone with it.
 * The leader's page is known from its Web Lock, so a fresh worker finds its way back by itself.
 */
import { AoError } from '../base/errors.ts';
import { LEADER_LOCK, wrap, type Remote } from '../protocol/rpc.ts';
import type { HttpAnswer, HttpExchange } from '../protocol/api.ts';

export interface ServicePort {
  request(exchange: HttpExchange): Promise<HttpAnswer>;
  ping(): Promise<true>;
}

/** How long a window that is opening may take until its node answers, milliseconds. */
const PATIENCE = 20_000;
/** How long a port may take to say hello. */
const HELLO = 2_000;

let current: Promise<Remote<ServicePort>> | undefined;

/** The window whose worker is the node, or undefined while nobody leads. */
async function leader(clients: Clients): Promise<Client | undefined> {
  const { held = [] } = await navigator.locks.query();
  const lock = held.find(({ name }) => name === LEADER_LOCK);
  return lock?.clientId ? ((await clients.get(lock.clientId)) ?? undefined) : undefined;
}

/**
 * Brokers a port between whoever asks (`port`) and the leader's page.
 * @returns false while no page leads
 */
export async function connectTo(clients: Clients, port: MessagePort): Promise<boolean> {
  const window = await leader(clients);
  window?.postMessage({ type: 'beamlet:connect' }, [port]);
  return window !== undefined;
}

async function connect(clients: Clients): Promise<Remote<ServicePort>> {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const { port1, port2 } = new MessageChannel();
    if (await connectTo(clients, port2)) {
      const remote = wrap<ServicePort>(port1);
      // A window that is still starting its worker says hello late; one that is going away never does.
      if (await Promise.race([remote.ping(), later(HELLO)])) return remote;
    } else if ((await clients.matchAll({ type: 'window', includeUncontrolled: true })).length === 0) break;
    await later(50);
  }
  throw new AoError('no-node', 'No tab runs the node at the moment. Open the app and ask again.', {
    status: 503,
  });
}

const later = (milliseconds: number) =>
  new Promise<false>((resolve) => setTimeout(() => resolve(false), milliseconds));

/**
 * Asks the node. When its tab closes meanwhile, the next tab takes over and the request is made again.
 * @throws AoError `no-node` (503)
 */
export async function ask(clients: Clients, exchange: HttpExchange): Promise<HttpAnswer> {
  for (let attempt = 0; ; attempt++) {
    const connection = (current ??= connect(clients));
    try {
      const remote = await connection;
      const answer = await Promise.race([remote.request(exchange), gone(clients, remote)]);
      if (answer) return answer;
    } catch (thrown) {
      if (current === connection) current = undefined;
      if (thrown instanceof AoError) throw thrown;
      if (attempt >= 3) throw AoError.wrap(thrown);
      continue;
    }
    if (current === connection) current = undefined;
    if (attempt >= 3)
      throw new AoError('no-node', 'The node went away while it was answering.', { status: 503 });
  }
}

/** Resolves (with nothing) once the node behind `remote` no longer answers, and never before. */
async function gone(clients: Clients, remote: Remote<ServicePort>): Promise<undefined> {
  for (;;) {
    await later(3_000);
    // A worker that computes is slow to answer, but its page still holds the lock.
    if (await Promise.race([remote.ping(), later(HELLO)])) continue;
    if (await leader(clients)) continue;
    return undefined;
  }
}
