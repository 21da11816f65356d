/** Nested messages and lists as links by their IDs (messages.md §1.6), and links as what they lead to. */
import { MAX_DEPTH } from '../codec/limits.ts';
import { AoError } from '../base/errors.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { Link, type Value } from '../message/value.ts';
import { selectCommitments, SIGNED } from './select.ts';
import { type Combine, combineIds, linkIdOf } from './id.ts';

/** Follows one link. @throws AoError `necessary-message-not-found` (404) */
export type Load = (link: Link) => Promise<Value>;

/**
 * The message with every nested message and list replaced by a link to its ID: the signed one if it has
 * committers, else the unsigned one. `commitments` stay as they are. `combine` makes one ID of several.
 */
export function linkify(message: Message, combine: Combine = combineIds): Message {
  let fields: Map<string, Value> | undefined;
  for (const [key, value] of message) {
    if (!(value instanceof Message) && !Array.isArray(value)) continue;
    if (key === 'commitments' || isPrivateKey(key)) continue;
    fields ??= new Map(message);
    fields.set(key, new Link(linkIdOf(value, combine)));
  }
  return fields ? new Message(fields, message.private) : message;
}

/** True if a message with several committers is nested in this one, so that its link ID depends on how they are combined. */
export function hasCombinedIds(value: Value): boolean {
  if (Array.isArray(value)) return (value as readonly Value[]).some(isCombined);
  if (!(value instanceof Message)) return false;
  for (const [key, item] of value) if (key !== 'commitments' && isCombined(item)) return true;
  return false;
}

function isCombined(value: Value): boolean {
  if (typeof value !== 'object') return false;
  const signed =
    value instanceof Message && value.has('commitments') ? selectCommitments(value, SIGNED).length : 0;
  return signed > 1 || (signed === 0 && hasCombinedIds(value));
}

/** True if a link stands anywhere under this value, `commitments` aside. */
export function hasLinks(value: Value): boolean {
  if (value instanceof Link) return true;
  if (Array.isArray(value)) return (value as readonly Value[]).some(hasLinks);
  if (!(value instanceof Message)) return false;
  for (const [key, item] of value)
    if (typeof item === 'object' && key !== 'commitments' && hasLinks(item)) return true;
  return false;
}

const noLoad: Load = (link) =>
  Promise.reject(
    new AoError('necessary-message-not-found', `The message ${link.id} is needed and is not here.`, {
      status: 404,
      detail: { id: link.id },
    }),
  );

/**
 * The value with everything that it links to in place of the links; the same object if there is no link.
 * @throws AoError `necessary-message-not-found` (404), `too-deep` for links in a circle
 */
export async function loadLinks<T extends Value>(value: T, load: Load = noLoad): Promise<T> {
  return hasLinks(value) ? ((await loadValue(value, load, 0)) as T) : value;
}

async function loadValue(value: Value, load: Load, depth: number): Promise<Value> {
  if (depth > MAX_DEPTH) throw new AoError('too-deep', `Links lead more than ${MAX_DEPTH} levels deep.`);
  if (value instanceof Link) return loadValue(await load(value), load, depth + 1);
  if (Array.isArray(value)) {
    const items: Value[] = [];
    for (const item of value as readonly Value[]) items.push(await loadValue(item, load, depth + 1));
    return items;
  }
  if (!(value instanceof Message) || !hasLinks(value)) return value;
  const fields = new Map<string, Value>();
  for (const [key, item] of value)
    fields.set(key, key === 'commitments' ? item : await loadValue(item, load, depth + 1));
  return new Message(fields, value.private);
}
