/** Where the links of a case lead: to what the case itself holds, by the IDs of all that is in it. */
import { AoError } from '../../../../src/base/errors.ts';
import { messageId } from '../../../../src/commitment/id.ts';
import type { Load } from '../../../../src/commitment/link.ts';
import { Message } from '../../../../src/message/message.ts';
import type { Link, Value } from '../../../../src/message/value.ts';

/** Follows links to these values and everything under them. */
export function loader(...values: readonly Value[]): Load {
  const known = new Map<string, Value>();
  for (const value of values) collect(value, known);
  return (link: Link) => {
    const found = known.get(link.id);
    if (found !== undefined) return Promise.resolve(found);
    return Promise.reject(
      new AoError('necessary-message-not-found', `The case does not hold ${link.id}.`, { status: 404 }),
    );
  };
}

function collect(value: Value, known: Map<string, Value>): void {
  if (value instanceof Message) {
    for (const selector of ['unsigned', 'signed'] as const) known.set(messageId(value, selector), value);
    for (const [key, item] of value) if (key !== 'commitments') collect(item, known);
  } else if (Array.isArray(value)) {
    known.set(messageId(value as readonly Value[]), value as readonly Value[]);
    for (const item of value as readonly Value[]) collect(item, known);
  }
}
