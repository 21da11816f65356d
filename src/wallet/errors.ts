/** What wallets throw, as errors of ours: whether the user refused is told from whether the wallet failed. */
import { AoError } from '../base/errors.ts';

export function disconnected(name: string): AoError {
  return new AoError('wallet-disconnected', `${name} is not connected to this page any more.`, {
    status: 403,
  });
}

/** EIP-1193 has a number for a refusal; Arweave wallets have only words. */
export function walletError(name: string, thrown: unknown): AoError {
  if (thrown instanceof AoError) return thrown;
  const { code, message } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as {
    code?: unknown;
    message?: unknown;
  };
  const said = typeof message === 'string' ? message : String(thrown);
  if (code === 4001 || /cancel|reject|denied|refus|declin/i.test(said))
    return new AoError('wallet-refused', `${name} was asked to sign, and the answer was no.`, {
      status: 403,
      cause: thrown,
    });
  return new AoError('wallet-failed', `${name} failed: ${said.slice(0, 300)}`, {
    status: 502,
    cause: thrown,
  });
}
