/** Calls of single exports, with parameters and results converted by their signatures (process.md §3.10). */
import { AoError } from '../base/errors.ts';
import type { Signature } from './binary.ts';
import type { CallResult } from './engine.ts';
import { failureOf } from './failure.ts';
import type { Program } from './program.ts';

export function callExport(
  program: Program,
  known: ReadonlyMap<string, Signature>,
  name: string,
  parameters: readonly (bigint | number)[],
): CallResult {
  const signature = known.get(name);
  const callable = program.exports[name] as ((...words: (bigint | number)[]) => unknown) | undefined;
  if (!signature || !callable)
    return { ok: false, reason: 'no-function', error: `Function not found: ${name}` };
  if (parameters.length !== signature.parameters.length)
    return {
      ok: false,
      reason: 'bad-parameters',
      error: `${name} takes ${signature.parameters.length} parameters, not ${parameters.length}.`,
    };
  try {
    const words = parameters.map((value, i) => toWord(value, signature.parameters[i]!));
    const result = callable(...words);
    const list = signature.results.length === 1 ? [result] : Array.isArray(result) ? result : [];
    return { ok: true, results: list.map((value, i) => fromWord(value, signature.results[i]!)) };
  } catch (thrown) {
    if (thrown instanceof AoError) return { ok: false, reason: 'bad-parameters', error: thrown.message };
    return { ok: false, reason: 'trap', error: failureOf(thrown).error };
  }
}

/** Integers wrap to their width, as the engine of the reference takes them. */
function toWord(value: bigint | number, type: string): bigint | number {
  if (type === 'f32' || type === 'f64') return Number(value);
  if (typeof value === 'number' && !Number.isInteger(value))
    throw new AoError('bad-parameters', `${value} is not an integer.`);
  if (type === 'i64') return BigInt.asIntN(64, BigInt(value));
  if (type === 'i32') return Number(BigInt.asIntN(32, BigInt(value)));
  throw new AoError('bad-parameters', `A parameter of type ${type} cannot be given.`);
}

function fromWord(value: unknown, type: string): bigint | number {
  if (type === 'f32' || type === 'f64') return Number(value);
  return BigInt(value as bigint | number);
}
