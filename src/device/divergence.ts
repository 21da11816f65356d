/**
 * Marks a state that an honest node of another make would not have: where the reference plainly fails and this
 * node does the right thing (process.md §9.6). The flags are private data of the message; `process@1.0` moves
 * them to the slot's record, so that a comparison with the network can say why two nodes differ.
 */
import type { Message } from '../message/message.ts';

export function divergenceOf(message: Message): readonly string[] {
  return (message.private.divergence as readonly string[] | undefined) ?? [];
}

export function withDivergence(message: Message, ...flags: readonly string[]): Message {
  const known = divergenceOf(message);
  const fresh = flags.filter((flag) => !known.includes(flag));
  return fresh.length ? message.withPrivate({ divergence: [...known, ...fresh] }) : message;
}
