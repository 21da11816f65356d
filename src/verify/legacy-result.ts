/** Results of compute units (process.md §5.2) held against those that were computed here. */
import { readKey, readPath } from '../device/values.ts';
import type { Message } from '../message/message.ts';
import { binaryBytes, isBinary } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Difference } from './compare.ts';

/** Characters of a value that a difference shows. */
const SHOWN = 2_000;
const LISTS = ['Messages', 'Spawns', 'Assignments'];

/** The reply that a compute unit gives for a state of a legacynet process: JSON as text. */
export async function replyText(state: Message, context: Context): Promise<string | undefined> {
  const reply = await readPath(await readKey(state, 'results', context), 'json/body', context);
  return isBinary(reply) ? new TextDecoder().decode(binaryBytes(reply)) : undefined;
}

/**
 * Where two results differ first; undefined for the same. What a unit may leave out stands for nothing. Two evaluations
 * that failed are the same, however their errors are worded: both leave the process as it was.
 */
export function resultDifference(said: unknown, right: unknown): Difference | undefined {
  if (!isRecord(said)) return differs('', said, right);
  if (!isRecord(right)) return differs('', said, right);
  if (said['Error'] || right['Error'])
    return said['Error'] && right['Error'] ? undefined : differs('Error', said['Error'], right['Error']);
  const output = firstDifference('Output', said['Output'] ?? '', right['Output'] ?? '');
  if (output) return output;
  for (const list of LISTS) {
    const found = firstDifference(list, entries(said[list]), entries(right[list]));
    if (found) return found;
  }
  return undefined;
}

/** An empty table of Lua is written as an object by some programs. */
function entries(value: unknown): unknown {
  if (value === undefined || value === null) return [];
  return isRecord(value) && Object.keys(value).length === 0 ? [] : value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function firstDifference(path: string, said: unknown, right: unknown): Difference | undefined {
  if (Array.isArray(said) && Array.isArray(right)) {
    if (said.length !== right.length) return differs(path, said, right);
    for (const [index, item] of said.entries()) {
      const found = firstDifference(`${path}/${index}`, item, right[index]);
      if (found) return found;
    }
    return undefined;
  }
  if (isRecord(said) && isRecord(right)) {
    for (const key of new Set([...Object.keys(said), ...Object.keys(right)])) {
      const found = firstDifference(`${path}/${key}`, said[key], right[key]);
      if (found) return found;
    }
    return undefined;
  }
  return Object.is(said, right) ? undefined : differs(path, said, right);
}

function differs(path: string, said: unknown, right: unknown): Difference {
  return { path, said: shown(said), right: shown(right) };
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
