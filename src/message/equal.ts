/** Equality of values: binaries by their octets, floats and integers apart, messages without order. */
import { Message } from './message.ts';
import { As, Atom, equalBinary, isBinary, Link, Subpath, type Value } from './value.ts';

/** True if the two are the same value. Private data of messages is not looked at. */
export function equalValues(a: Value, b: Value): boolean {
  // 0.0 and -0.0 are two values, as they are two texts.
  if (Object.is(a, b)) return true;
  if (isBinary(a)) return isBinary(b) && equalBinary(a, b);
  if (typeof a === 'number') return false;
  if (typeof a === 'bigint' || isBinary(b) || typeof b === 'bigint' || typeof b === 'number') return false;
  if (a instanceof Atom) return a.is(b);
  if (a instanceof Message) return b instanceof Message && equalMessages(a, b);
  if (a instanceof Link) return b instanceof Link && a.id === b.id && a.lazy === b.lazy && a.type === b.type;
  if (a instanceof Subpath) return b instanceof Subpath && equalLists(a.sequence, b.sequence);
  if (a instanceof As) return b instanceof As && a.device === b.device && equalValues(a.message, b.message);
  return Array.isArray(b) && equalLists(a as readonly Value[], b as readonly Value[]);
}

function equalLists(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, index) => equalValues(value, b[index]!));
}

function equalMessages(a: Message, b: Message): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !equalValues(value, other)) return false;
  }
  return true;
}
