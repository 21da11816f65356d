/** The rule that over HTTP every step answers with a message (resolver.md §2.4). */
import { Message } from '../message/message.ts';
import { Atom, isBinary, Link, Subpath, type Value } from '../message/value.ts';
import type { Result } from './device.ts';

/** A list as the numbered message that it equals. */
export function numbered(list: readonly Value[]): Message {
  return new Message(new Map(list.map((value, index) => [String(index + 1), value])));
}

export function forceMessage(result: Result): Result {
  const { status, value } = result;
  if (value instanceof Subpath || value instanceof Link) return result;
  if (Array.isArray(value)) return { status, value: numbered(value as readonly Value[]) };
  if (!(value instanceof Message))
    return {
      status,
      value: new Message(
        new Map<string, Value>([
          ['ao-result', 'body'],
          ['body', value],
        ]),
      ),
    };
  if (value.size === 2 && value.has('body') && sameStatus(value.get('status'), status))
    return { status, value: value.with({ 'ao-result': 'body' }) };
  return result;
}

function sameStatus(value: Value | undefined, status: string): boolean {
  if (value instanceof Atom) return value.name === status;
  return isBinary(value) && value === status;
}
