/**
 * Values as structured-cloneable data and back, for ports and the store. Private data stays behind.
 *
 * Text, bytes, bigints and numbers are themselves, a list is an array, a message a `Map`; the rest are
 * small objects with one telling key.
 */
import { AoError } from '../base/errors.ts';
import { Message } from './message.ts';
import { As, Atom, Link, Subpath, type Value } from './value.ts';

export type Plain =
  | string
  | Uint8Array
  | bigint
  | number
  | Plain[]
  | Map<string, Plain>
  | { atom: string }
  | { link: string; lazy?: true; type?: string }
  | { subpath: Plain[] }
  | { as: string; message: Plain };

export function toPlain(value: Value): Plain {
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'number') return value;
  if (value instanceof Message) {
    const fields = new Map<string, Plain>();
    for (const [key, item] of value) fields.set(key, toPlain(item));
    return fields;
  }
  if (value instanceof Uint8Array)
    // A view is cloned with the whole buffer behind it, which may be a request of many megabytes.
    return value.byteLength === value.buffer.byteLength ? value : value.slice();
  if (value instanceof Atom) return { atom: value.name };
  if (value instanceof Link) {
    const link: Plain = { link: value.id };
    if (value.lazy) link.lazy = true;
    if (value.type !== 'link') link.type = value.type;
    return link;
  }
  if (value instanceof Subpath) return { subpath: value.sequence.map(toPlain) };
  if (value instanceof As) return { as: value.device, message: toPlain(value.message) };
  return (value as readonly Value[]).map(toPlain);
}

/** @throws AoError `bad-plain` for data that `toPlain` never writes */
export function fromPlain(plain: Plain): Value {
  if (typeof plain === 'string' || typeof plain === 'bigint' || typeof plain === 'number') return plain;
  if (plain instanceof Uint8Array) return plain;
  if (plain instanceof Map) {
    const fields = new Map<string, Value>();
    for (const [key, item] of plain) fields.set(key, fromPlain(item));
    return new Message(fields);
  }
  if (Array.isArray(plain)) return plain.map(fromPlain);
  if (typeof plain === 'object' && plain !== null) {
    if ('atom' in plain) return Atom.of(plain.atom);
    if ('link' in plain)
      return new Link(plain.link, { lazy: plain.lazy ?? false, type: plain.type ?? 'link' });
    if ('subpath' in plain) return new Subpath(plain.subpath.map(fromPlain));
    if ('as' in plain) return new As(plain.as, fromPlain(plain.message));
  }
  throw new AoError('bad-plain', 'Stored data is no message.', { status: 500 });
}
