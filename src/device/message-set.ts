/** `set` of `message@1.0` (messages.md §11.2): deep or plain replacement, and what happens to commitments. */
import { committed, SIGNED } from '../commitment/select.ts';
import { equalValues } from '../message/equal.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Message } from '../message/message.ts';
import { Atom } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { transportKeys } from '../resolver/transport-keys.ts';
import { setKeys, textOf } from './values.ts';

/** Keys of the request that steer `set` and are never set by it. */
const STEERING = new Set([
  'id',
  'commitments',
  'committers',
  'keys',
  'path',
  'set',
  'remove',
  'verify',
  'set-mode',
]);

export async function setMessage(base: Message, request: Message, context: Context): Promise<Message> {
  const asked = request.filter(
    (key, value) => !STEERING.has(key) && !isPrivateKey(key) && !Atom.undefined.is(value),
  );
  const explicit = textOf(request.get('set-mode')) === 'explicit';
  const apply = (changes: Message) => (explicit ? replace(base, changes) : merge(base, changes, context));
  // What the transport adds to every request is not what the caller wants to be set (resolver.md §13, Q5).
  const transport = transportKeys(request);
  const changes = transport.size === 0 ? asked : asked.filter((key) => !transport.has(key));
  const result = await apply(changes);
  const touched = [...asked.keys()].map((key) => key.split('/').find((part) => part !== '') ?? key);
  // Whether commitments still hold is judged with everything that came, as the reference does.
  return dropTouched(base, result, touched, changes === asked ? result : await apply(asked));
}

/** Plain replacement of keys. */
function replace(base: Message, changes: Message): Message {
  const fields = new Map(base.entries());
  for (const [key, value] of changes)
    if (Atom.unset.is(value)) fields.delete(key);
    else fields.set(key, value);
  return new Message(fields, base.private);
}

async function merge(base: Message, changes: Message, context: Context): Promise<Message> {
  let out = await setKeys(
    base,
    changes.filter((key) => key.includes('/') || !isSteering(key)),
    context,
  );
  // A key that is nothing but slashes, or empty, is a key like any other.
  for (const [key, value] of changes)
    if (key.split('/').every((part) => part === ''))
      out = Atom.unset.is(value) ? out.without(key) : out.with({ [key]: value });
  return out;
}

const isSteering = (key: string) => STEERING.has(key);

/**
 * `changed`, without any commitments if one of `touched` is a key that all of those of `base` cover and the message
 * is no longer the same. `compare` is what is compared with `base`, where that is not `changed` itself.
 */
export function dropTouched(
  base: Message,
  changed: Message,
  touched: readonly string[],
  compare: Message = changed,
): Message {
  if (!base.has('commitments')) return changed;
  const covered = new Set(committed(base, SIGNED));
  if (!touched.some((key) => covered.has(key)) || same(base, compare)) return changed;
  return changed.without('commitments');
}

function same(a: Message, b: Message): boolean {
  return equalValues(a, b);
}
