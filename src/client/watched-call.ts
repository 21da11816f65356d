/** Work that goes on in the node, as one call: watched until it is settled, paused when the caller gives up. */
import { AoError } from '../base/errors.ts';
import type { NodeEventData } from '../protocol/api.ts';

export interface Watching<T> {
  node: { subscribe(listener: (event: NodeEventData) => void): () => void };
  /** After this event `look` may find something else. */
  concerns: (event: NodeEventData) => boolean;
  /** What has become of it; undefined while it goes on. */
  look: () => Promise<{ value: T } | { refusal: AoError } | undefined>;
  pause: () => Promise<void>;
  /** The sentence for a caller who gave up. */
  paused: string;
  signal: AbortSignal | undefined;
}

/** @throws AoError `cancelled` (499) when `signal` aborts: it is paused then; or the refusal that `look` finds */
export function untilSettled<T>({ node, concerns, look, pause, paused, signal }: Watching<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      stop();
      signal?.removeEventListener('abort', give);
      act();
    };
    const give = () => {
      void pause().catch(() => {});
      end(() => reject(cancelled(paused)));
    };
    const settle = async () => {
      const found = await look();
      if (!found) return;
      end(() => ('value' in found ? resolve(found.value) : reject(found.refusal)));
    };
    const stop = node.subscribe((event) => {
      // After the node moved to another tab its events name nothing: look all the same.
      if (event.type === 'node' || concerns(event)) void settle().catch(() => {});
    });
    signal?.addEventListener('abort', give);
    if (signal?.aborted) give();
    void settle().catch((thrown: unknown) => end(() => reject(thrown)));
  });
}

export function cancelled(sentence: string): AoError {
  return new AoError('cancelled', sentence, { status: 499 });
}
