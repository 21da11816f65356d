/**
 * One node per browser profile: the pages of an origin elect a leader with a Web Lock; the leader starts the
 * node worker, the others get a port to it through the Service Worker. When the leader's page closes, its lock
 * is free, another page starts the node from what is stored, and every call that was under way is made again.
 */
import { AoError } from '../base/errors.ts';
import { forDatabase, LEADER_CHANNEL, LEADER_LOCK } from '../protocol/rpc.ts';

export interface LeaderEvents {
  /** This page leads: start the node worker. */
  onLead: () => void;
  /** Another page leads since now: its node has to be reached anew. */
  onOtherLeads: () => void;
}

/**
 * Joins the election. Resolves with the function that leaves it (and gives up the lead).
 * Without Web Locks the page leads at once: there is no way to know of another.
 */
export function joinElection(events: LeaderEvents, database: string): () => void {
  const channel =
    typeof BroadcastChannel === 'undefined'
      ? undefined
      : new BroadcastChannel(forDatabase(LEADER_CHANNEL, database));
  const left = new AbortController();
  let release: () => void = () => {};
  const lead = () => {
    channel?.postMessage('leader');
    events.onLead();
  };
  if (channel) channel.onmessage = () => events.onOtherLeads();
  if (!navigator.locks) lead();
  else
    navigator.locks
      .request(forDatabase(LEADER_LOCK, database), { signal: left.signal }, () => {
        lead();
        return new Promise<void>((resolve) => (release = resolve));
      })
      .catch((thrown: unknown) => {
        if (!left.signal.aborted) throw thrown;
      });
  return () => {
    left.abort();
    release();
    channel?.close();
  };
}

/**
 * A port to the node that another page runs, handed over by the Service Worker.
 * @throws AoError `no-service-worker` (503) where the browser has none.
 */
export async function portToLeader(database: string): Promise<MessagePort> {
  if (!navigator.serviceWorker)
    throw new AoError(
      'no-service-worker',
      'Another tab runs the node, and this browser offers no Service Worker to reach it.',
      {
        status: 503,
      },
    );
  const { active } = await navigator.serviceWorker.ready;
  if (!active)
    throw new AoError('no-service-worker', 'The Service Worker is not active yet.', { status: 503 });
  const { port1, port2 } = new MessageChannel();
  active.postMessage({ type: 'beamlet:connect', database }, [port2]);
  return port1;
}
