/**
 * TABM, the type-annotated binary message (messages.md §1.4): the form between any two codecs.
 *
 * A `Tabm` is a `Message` whose values are binaries or `Tabm`s; numbers and atoms are their text, annotated
 * in `ao-types`; lists are numbered messages; a linked message is the text of its ID under `K+link`. The one
 * exception is what lies under `commitments`, which is carried as it was given.
 */
import { fromBytes, utf8 } from '../base/bytes.ts';
import type { Message } from './message.ts';
import type { Binary, Value } from './value.ts';

export type Tabm = Message;

const TEXT_LIMIT = 0x10000;

/** Octets that were read as a value: as text if they are a short one, else the bytes themselves. */
export function toBinary(bytes: Uint8Array): Binary {
  if (bytes.length > TEXT_LIMIT) return bytes;
  return utf8(bytes) ?? bytes;
}

/** The text of a binary in string form; undefined for any other value. */
export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? fromBytes(value) : undefined;
}
