/** Lists that may have become numbered messages on their way through HTTP. */
import { messageToList } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';

const NUMBER = /^\d+$/;

/** True for a message whose every key (but `commitments` and `ao-types`) is a number. */
export function isNumbered(message: Message): boolean {
  let count = 0;
  for (const key of message.keys()) {
    if (key === 'commitments' || key === 'ao-types' || key.startsWith('priv')) continue;
    if (!NUMBER.test(key)) return false;
    count++;
  }
  return count > 0;
}

/** The items of a list or a numbered message; any other value is the one item. */
export function messageToListOrSelf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value as readonly Value[];
  if (value instanceof Message && isNumbered(value)) return messageToList(value);
  return [value];
}

/** The items of a list or a numbered (or empty) message; `undefined` for any other value. */
export function listItems(value: Value | undefined): readonly Value[] | undefined {
  if (Array.isArray(value)) return value as readonly Value[];
  if (value instanceof Message && (value.size === 0 || isNumbered(value))) return messageToList(value);
  return undefined;
}
