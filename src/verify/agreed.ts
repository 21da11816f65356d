/** Level `agreed` (attestation.md §4.4): the same question, the same slot, several nodes. */
import { AoError } from '../base/errors.ts';
import type { Value } from '../message/value.ts';
import { difference } from './compare.ts';
import type { Peer } from './peer.ts';

export interface Agreement {
  readonly agree: readonly string[];
  readonly differ: readonly string[];
  /** Nodes that have not come as far as that slot. */
  readonly stale: readonly string[];
  readonly answers: readonly { readonly peer: string; readonly said: Value }[];
  readonly silent: readonly { readonly peer: string; readonly reason: string }[];
}

/** Asks all at once, and tells none what the others said. The first node's own answer counts as one. */
export async function agreement(
  process: string,
  slot: number,
  path: string,
  said: Value,
  first: Peer,
  others: readonly Peer[],
): Promise<Agreement> {
  const agree = [first.host];
  const differ: string[] = [];
  const stale: string[] = [];
  const answers: { peer: string; said: Value }[] = [];
  const silent: { peer: string; reason: string }[] = [];
  // One host counts once, however often it is named.
  const distinct = [...new Map(others.map((peer) => [peer.host, peer])).values()].filter(
    ({ host }) => host !== first.host,
  );
  await Promise.all(
    distinct.map(async (peer) => {
      try {
        const head = await peer.current(process);
        if (head < slot) {
          stale.push(peer.host);
          return;
        }
        const answer = await peer.compute(process, slot, path);
        if (difference(answer.value, said)) {
          differ.push(peer.host);
          answers.push({ peer: peer.host, said: answer.value });
        } else agree.push(peer.host);
      } catch (thrown) {
        silent.push({ peer: peer.host, reason: AoError.wrap(thrown).message });
      }
    }),
  );
  return { agree, differ, stale, answers, silent };
}
