/** Limits of one process's machine: from its own tags, below those of the node. */
import type { Limits } from '../engine/engine.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { integerOf, textOf } from './values.ts';

/** Bytes of linear memory that no tag can raise (process.md §4.6). */
export const MEMORY_CEILING = 1 << 30;
/** Milliseconds that one message may take where the node says nothing. */
export const DEFAULT_TIME = 20_000;

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1 << 10, mb: 1 << 20, gb: 1 << 30 };

/** Bytes of `500-mb`, `1-gb` or a plain number; undefined for anything else. */
export function bytesOf(text: string | undefined): number | undefined {
  const found = /^(\d{1,15})(?:-?(b|kb|mb|gb))?$/i.exec(text?.trim() ?? '');
  return found ? Number(found[1]) * UNITS[(found[2] ?? 'b').toLowerCase()]! : undefined;
}

/** Tags are found in either spelling: ANS-104 keeps them in lower case, old definitions do not. */
function tag(process: Message | undefined, name: string): string | undefined {
  return textOf(process?.get(name.toLowerCase())) ?? textOf(process?.get(name));
}

/**
 * Memory and gas by the tags of the process, then of its module; time by the node's option `process-time-limit`
 * (milliseconds).
 */
export function limitsOf(
  process: Message | undefined,
  module: Message | undefined,
  context: Context,
): Limits {
  const ceiling = integerOf(context.option('process-memory-limit')) ?? MEMORY_CEILING;
  const asked = bytesOf(tag(process, 'Memory-Limit')) ?? bytesOf(tag(module, 'Memory-Limit'));
  const compute = integerOf(tag(process, 'Compute-Limit')) ?? integerOf(tag(module, 'Compute-Limit'));
  return {
    memory: Math.min(asked ?? ceiling, ceiling),
    time: integerOf(context.option('process-time-limit')) ?? DEFAULT_TIME,
    ...(compute === undefined ? {} : { compute }),
  };
}
