/** Level `agreed` (attestation.md §4.4): the same question, the same slot, several nodes. */
import { AoError } from '../base/errors.ts';
import { difference } from './compare.ts';
import type { Answer, Peer } from './peer.ts';
import { signedBy } from './signed.ts';
import { withoutEnvelope } from './transport-fields.ts';

export interface Agreement {
  readonly agree: readonly string[];
  readonly differ: readonly string[];
  /** Nodes that have not come as far as that slot. */
  readonly stale: readonly string[];
  /** The newest slot that any of them speaks of. */
  readonly head: number;
  /** Answers that differ. */
  readonly answers: readonly { readonly peer: string; readonly answer: Answer }[];
  readonly silent: readonly { readonly peer: string; readonly reason: string }[];
}

/**
 * Asks all at once, and tells none what the others said. The first node's own answer counts as one, and so does every
 * key: one operator under several host names is one voice, where the answers are signed.
 */
export async function agreement(
  process: string,
  slot: number,
  path: string,
  claim: Answer,
  first: Peer,
  others: readonly Peer[],
): Promise<Agreement> {
  const agree = [first.host];
  const differ: string[] = [];
  const stale: string[] = [];
  const answers: { peer: string; answer: Answer }[] = [];
  const silent: { peer: string; reason: string }[] = [];
  const said = claim.value;
  const keys = new Set((await signedBy(claim)).by);
  let newest = -1;
  // One host counts once, however often it is named.
  const distinct = [...new Map(others.map((peer) => [peer.host, peer])).values()].filter(
    ({ host }) => host !== first.host,
  );
  await Promise.all(
    distinct.map(async (peer) => {
      try {
        const head = await peer.current(process);
        newest = Math.max(newest, head);
        if (head < slot) {
          stale.push(peer.host);
          return;
        }
        const answer = await peer.compute(process, slot, path);
        if (difference(withoutEnvelope(answer.value), withoutEnvelope(said))) {
          differ.push(peer.host);
          answers.push({ peer: peer.host, answer });
          return;
        }
        const { by } = await signedBy(answer);
        const twice = by.find((address) => keys.has(address));
        for (const address of by) keys.add(address);
        if (twice === undefined) agree.push(peer.host);
        else
          silent.push({
            peer: peer.host,
            reason: `it signs with the key ${twice}, which has spoken already`,
          });
      } catch (thrown) {
        silent.push({ peer: peer.host, reason: AoError.wrap(thrown).message });
      }
    }),
  );
  return { agree, differ, stale, head: newest, answers, silent };
}
