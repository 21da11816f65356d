/** What a process is: its definition as it was signed, and its ID (process.md §1.2). */
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { withOnlyCommitted } from '../commitment/select.ts';
import { Message } from '../message/message.ts';
import { Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { signaturesOf } from './message-id.ts';
import { readKey } from './values.ts';

export interface Definition {
  readonly id: string;
  /** With its commitments; only what they cover. */
  readonly process: Message;
}

/**
 * The definition that a message is or holds. Where the signatures were lost on the way, the signed copy in the
 * store is taken.
 * @throws AoError `not-a-process` (400)
 */
export async function definitionOf(base: Message, context: Context): Promise<Definition> {
  const inner = await readKey(base, 'process', context);
  let process = inner instanceof Message ? inner : base;
  if (signaturesOf(process).length === 0) {
    const stored = await context.cache.read(messageId(process, 'unsigned'));
    if (stored instanceof Message) process = stored;
  }
  process = withOnlyCommitted(process).withoutPrivate();
  if (process.size === 0)
    throw new AoError('not-a-process', 'The message is no process and holds none.', { status: 400 });
  return { id: messageId(process, 'signed'), process };
}

/** The definition with what it links to in place of links; a link to what is not here stays one. */
export async function withLinksLoaded(process: Message, context: Context): Promise<Message> {
  const changes: [string, Value][] = [];
  for (const [key, value] of process) {
    if (!(value instanceof Link)) continue;
    try {
      changes.push([key, await context.cache.loadAll(value)]);
    } catch (thrown) {
      if (AoError.wrap(thrown).status !== 404) throw thrown;
    }
  }
  return changes.length ? process.with(changes) : process;
}

/** The state before slot 0, without what `init` adds. */
export function firstState(process: Message): Message {
  return process.without('commitments').withoutPrivate().with({ process });
}
