/** Which wallet was chosen, kept across visits. */
import type { WalletKind } from '../../client/index.ts';

const KEY = 'beamlet:wallet';
const KINDS: readonly string[] = ['wander', 'ethereum', 'file', 'local'] satisfies WalletKind[];

export function walletChosen(): WalletKind | undefined {
  try {
    const kind = localStorage.getItem(KEY);
    return kind !== null && KINDS.includes(kind) ? (kind as WalletKind) : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined`: the node's own key. */
export function keepWalletChoice(kind: WalletKind | undefined): void {
  try {
    if (kind) localStorage.setItem(KEY, kind);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage denied: it holds for this visit.
  }
}
