/** A verification as one call: started, followed to its end, paused when the caller gives up. */
import { AoError } from '../base/errors.ts';
import type {
  NodeApi,
  NodeEventData,
  VerificationProgress,
  VerificationReport,
  VerifyRequest,
} from '../protocol/api.ts';
import { verified, type Verified } from '../protocol/verified.ts';
import { untilSettled } from './watched-call.ts';

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
  return untilSettled<VerificationReport>({
    node,
    signal,
    paused: 'The verification was stopped; what is done is kept.',
    pause: () => node.pauseVerification(id),
    concerns: (event) => event.type === 'verification' && event.id === id,
    async look() {
      const now = (await node.verifications()).find((one) => one.id === id);
      if (now?.progress) onProgress?.(now.progress);
      if (now?.state === 'done' && now.report) return { value: now.report };
      if (now?.state !== 'failed') return undefined;
      const { code = 'failed', message = 'The verification failed.' } = now.error ?? {};
      return { refusal: new AoError(code, message, { status: 502 }) };
    },
  });
}

/**
 * What the node answers at the URL, with how far it was verified.
 * @throws AoError as `runVerification`, and `no-answer` (502) where there is none to be verified
 */
export async function runVerifiedRead(
  node: Following,
  url: string,
  call: VerifyCall,
): Promise<Verified<string>> {
  const report = await runVerification(node, url, call);
  if (report.answer) return verified(report, report.answer.text);
  const [why] = report.problems;
  throw new AoError('no-answer', why?.text ?? 'The node gave no answer that a report can hold.', {
    status: 502,
    detail: { level: report.level, ...(why ? { reason: why.code } : {}) },
  });
}
