/** Following a legacynet process as one call: begun, watched, paused when the caller gives up. */
import { AoError } from '../base/errors.ts';
import type { FollowApi, Followed, FollowOptions, NodeEventData } from '../protocol/api.ts';

export interface FollowCall extends FollowOptions {
  /** Told of every change, until the promise is settled. */
  onProgress?: (followed: Followed) => void;
  signal?: AbortSignal;
}

interface Watched extends FollowApi {
  subscribe(listener: (event: NodeEventData) => void): () => void;
}

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
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      stop();
      signal?.removeEventListener('abort', give);
      act();
    };
    const give = () => {
      void node.pauseFollowing(process).catch(() => {});
      end(() =>
        reject(new AoError('cancelled', 'Following was paused; what is done is kept.', { status: 499 })),
      );
    };
    const look = async () => {
      const now = (await node.followed()).find(({ id }) => id === process);
      if (!now)
        return end(() => reject(new AoError('cancelled', 'It is no longer followed.', { status: 499 })));
      onProgress?.(now);
      if (now.state === 'waiting') end(() => resolve(now));
      else if (now.state === 'failed' || now.state === 'paused') end(() => reject(failureOf(now)));
    };
    const stop = node.subscribe((event) => {
      // After the node moved to another tab its events name nothing: look all the same.
      if (event.type === 'node' || (event.type === 'followed' && event.id === process))
        void look().catch(() => {});
    });
    signal?.addEventListener('abort', give);
    if (signal?.aborted) give();
    void look().catch((thrown: unknown) => end(() => reject(thrown)));
  });
}

function failureOf({ state, error }: Followed): AoError {
  if (state === 'paused' || !error)
    return new AoError('cancelled', 'Following was paused; what is done is kept.', { status: 499 });
  return new AoError(error.code, error.message, {
    status: 502,
    ...(error.slot === undefined ? {} : { detail: { slot: error.slot } }),
  });
}
