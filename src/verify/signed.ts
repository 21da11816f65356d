/** Level `signed` (attestation.md §4.2): who committed to an answer, and to how much of it. */
import { committedKeys, commitmentsOf, committerOf } from '../commitment/commitment.ts';
import { checkMessage } from '../commitment/verify.ts';
import type { Answer } from './peer.ts';
import { isEnvelope } from './transport-fields.ts';

export interface SignedAnswer {
  /** Addresses whose signatures verify and cover what the answer is about. */
  readonly by: readonly string[];
  readonly covered: readonly string[];
  /** Why there are none, in a sentence. */
  readonly reason: string | undefined;
}

/**
 * An unkeyed HMAC authenticates nobody, and a signature that covers only the hashpath says what was asked, not what
 * the answer is: neither counts.
 */
export async function signedBy(answer: Answer): Promise<SignedAnswer> {
  const nobody = (reason: string): SignedAnswer => ({ by: [], covered: [], reason });
  const all = [...commitmentsOf(answer.message)].filter(
    ([, commitment]) => committerOf(commitment) !== undefined,
  );
  if (all.length === 0)
    return nobody('The answer carries no signature by a key, so anybody on the way can have made it.');
  const checked = await checkMessage(answer.message, { commitments: all.map(([id]) => id) });
  const wrong = checked.find(({ verdict }) => !verdict.valid);
  if (wrong && !wrong.verdict.valid)
    return nobody(`A signature on the answer does not verify: ${wrong.verdict.reason}`);
  const needed = neededKeys(answer);
  // The same text is a number or a text as the types say.
  if (answer.response.headers.some(([name]) => name.toLowerCase() === 'ao-types')) needed.push('ao-types');
  const covering = checked.filter(({ commitment }) => {
    const keys = new Set(committedKeys(commitment));
    return needed.every((key) => keys.has(key));
  });
  if (covering.length === 0) return nobody('The signature on the answer does not cover what it says.');
  return {
    by: [...new Set(covering.map(({ commitment }) => committerOf(commitment)!))],
    covered: needed,
    reason: undefined,
  };
}

/** Keys without whose signature the answer could be another. */
function neededKeys({ message }: Answer): string[] {
  const result = message.text('ao-result');
  // Whoever may choose which key is meant may choose what the answer is.
  if (result !== undefined) return [result, 'ao-result'];
  return [...message.keys()].filter((key) => !isEnvelope(key));
}
