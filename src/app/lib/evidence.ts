/** Evidence as the app words it: what it is of, whom it holds to it, and its file. */
import type { EvidenceInfo } from '../../client/index.ts';
import { save } from './download.ts';
import { failure } from './errors.ts';
import { session } from './session.svelte.ts';
import { toasts } from './toasts.svelte.ts';

/** What a piece of evidence proves to somebody else, and what it does not. */
export function provesWhat({ against }: Pick<EvidenceInfo, 'against'>): string {
  return against === 'nobody'
    ? 'Nobody signed the answer: the file shows that such an answer is wrong, but holds nobody to having given it.'
    : 'The answer is signed: the file proves, to anybody and offline, that the signer said what is wrong.';
}

export async function saveEvidence(id: string): Promise<void> {
  try {
    save(await session.node.evidence(id), `evidence-${id.slice(0, 8)}.json`, 'application/json');
  } catch (thrown) {
    toasts.show(failure(thrown).sentence, 'error');
  }
}
