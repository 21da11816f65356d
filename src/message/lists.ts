/** Lists as numbered messages and back (messages.md §1.5). */
import { AoError } from '../base/errors.ts';
import { isPrivateKey } from './keys.ts';
import { Message } from './message.ts';
import type { Value } from './value.ts';

/** `[a, b]` as `{1: a, 2: b}`. */
export function listToMessage(list: readonly Value[]): Message {
  const fields = new Map<string, Value>();
  list.forEach((value, index) => fields.set(String(index + 1), value));
  return new Message(fields);
}

const INTEGER = /^[+-]?\d+$/;

/**
 * The values of a numbered message in the order of their numbers, which must follow one another but need not
 * begin at 1. `commitments`, `ao-types` and private keys are not counted.
 * @throws AoError `bad-list`
 */
export function messageToList(message: Message): Value[] {
  const numbers: { at: number; value: Value }[] = [];
  for (const [key, value] of message) {
    if (key === 'commitments' || key === 'ao-types' || isPrivateKey(key)) continue;
    const at = INTEGER.test(key) ? Number(key) : Number.NaN;
    if (!Number.isSafeInteger(at))
      throw new AoError('bad-list', `A list has numbers for keys, not ${JSON.stringify(key.slice(0, 80))}.`);
    numbers.push({ at, value });
  }
  numbers.sort((a, b) => a.at - b.at);
  const first = numbers[0]?.at ?? 1;
  numbers.forEach(({ at }, index) => {
    if (at !== first + index)
      throw new AoError('bad-list', `A list lacks its item ${first + index}.`, { detail: { at } });
  });
  return numbers.map(({ value }) => value);
}
