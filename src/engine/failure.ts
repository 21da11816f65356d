/** What a program's failure means. */
import { isJump } from './longjmp.ts';
import { Abort, NoMemory, OutOfGas } from './program.ts';

export interface Failure {
  readonly reason: 'trap' | 'abort' | 'gas' | 'memory';
  readonly error: string;
}

/** Whatever running code has thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof OutOfGas) return { reason: 'gas', error: thrown.message };
  if (thrown instanceof NoMemory) return { reason: 'memory', error: thrown.message };
  if (thrown instanceof Abort) return { reason: 'abort', error: thrown.message };
  if (isJump(thrown)) return { reason: 'trap', error: 'The program jumped out of the call that it was in.' };
  // Everything else, too, can be brought about by a program, for example by imports of odd types.
  return { reason: 'trap', error: (thrown as Error | undefined)?.message || 'The program trapped.' };
}

/** Legacynet's rule for a reply (process.md §6.2): not JSON, not `ok`, or an `Error` that JavaScript takes for true. */
export function replyFails(reply: string): boolean {
  try {
    const { ok, response } = JSON.parse(reply) as { ok?: unknown; response?: { Error?: unknown } };
    return !ok || Boolean(response?.Error);
  } catch {
    return true;
  }
}
