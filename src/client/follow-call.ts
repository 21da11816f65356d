/** Following a legacynet process as one call: begun, watched, paused when the caller gives up. */
import { AoError } from '../base/errors.ts';
import type { FollowApi, Followed, FollowOptions, NodeEventData } from '../protocol/api.ts';
import { cancelled, untilSettled } from './watched-call.ts';

export interface FollowCall extends FollowOptions {
  /** Told of every change, until the promise is settled. */
  onProgress?: (followed: Followed) => void;
  signal?: AbortSignal;
}

interface Watched extends FollowApi {
  subscribe(listener: (event: NodeEventData) => void): () => void;
}

const PAUSED = 'Following was paused; what is done is kept.';

/**
 * Answers once the process has caught up with its scheduler; it goes on being followed afterwards.
 * @throws AoError `cancelled` (499) when `signal` aborts: it is paused then; or the code with which it failed
 */
export async function runFollowing(
  node: Watched,
  process: string,
  { onProgress, signal, ...options }: FollowCall,
): Promise<Followed> {
  await node.startFollowing(process, options);
  return untilSettled<Followed>({
    node,
    signal,
    paused: PAUSED,
    pause: () => node.pauseFollowing(process),
    concerns: (event) => event.type === 'followed' && event.id === process,
    async look() {
      const now = (await node.followed()).find(({ id }) => id === process);
      if (!now) return { refusal: cancelled('It is no longer followed.') };
      onProgress?.(now);
      if (now.state === 'waiting') return { value: now };
      return now.state === 'running' ? undefined : { refusal: refusalOf(now) };
    },
  });
}

function refusalOf({ state, error }: Followed): AoError {
  if (state === 'paused' || !error) return cancelled(PAUSED);
  return new AoError(error.code, error.message, {
    status: 502,
    ...(error.slot === undefined ? {} : { detail: { slot: error.slot } }),
  });
}
