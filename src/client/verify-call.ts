/** A verification as one call: started, followed to its end, paused when the caller gives up. */
import { AoError } from '../base/errors.ts';
import type {
  NodeApi,
  NodeEventData,
  Verification,
  VerificationProgress,
  VerificationReport,
  VerifyRequest,
} from '../protocol/api.ts';

export interface VerifyCall extends Partial<Omit<VerifyRequest, 'url'>> {
  onProgress?: (progress: VerificationProgress) => void;
  signal?: AbortSignal;
}

interface Following extends NodeApi {
  subscribe(listener: (event: NodeEventData) => void): () => void;
}

/** @throws AoError `cancelled` (499) when `signal` aborts, or the code with which the verification failed */
export async function runVerification(
  node: Following,
  url: string,
  { onProgress, signal, level = 'replayed', ...rest }: VerifyCall,
): Promise<VerificationReport> {
  const { id } = await node.startVerification({ url, level, ...rest });
  return new Promise((resolve, reject) => {
    const end = (act: () => void) => {
      stop();
      signal?.removeEventListener('abort', give);
      act();
    };
    const give = () => {
      void node.pauseVerification(id);
      end(() =>
        reject(
          new AoError('cancelled', 'The verification was stopped; what is done is kept.', { status: 499 }),
        ),
      );
    };
    const look = async () => {
      const now = (await node.verifications()).find((one) => one.id === id);
      if (now) settle(now);
    };
    const settle = ({ state, progress, report, error }: Verification) => {
      if (progress) onProgress?.(progress);
      if (state === 'done' && report) end(() => resolve(report));
      if (state === 'failed')
        end(() =>
          reject(
            new AoError(error?.code ?? 'failed', error?.message ?? 'The verification failed.', {
              status: 502,
            }),
          ),
        );
    };
    const stop = node.subscribe((event) => {
      // After the node moved to another tab its events name nothing: look all the same.
      if (event.type === 'node' || (event.type === 'verification' && event.id === id))
        void look().catch(() => {});
    });
    signal?.addEventListener('abort', give);
    if (signal?.aborted) give();
    void look().catch((thrown: unknown) => end(() => reject(thrown)));
  });
}
