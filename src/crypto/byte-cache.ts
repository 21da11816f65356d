/** A bounded memory of what was computed from some octets: keys, hashes and names of those who sign often. */
import { equalBytes } from '../base/bytes.ts';

interface Entry<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/**
 * Finds by a few of the octets and then compares all of them. Two entries with the same few displace one another,
 * which costs time and nothing else. The least recently used goes first.
 */
export class ByteCache<T> {
  readonly #entries = new Map<number, Entry<T>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value of `bytes`, made now if it is not known. */
  get(bytes: Uint8Array, make: (bytes: Uint8Array) => T): T {
    const name = shortName(bytes);
    const found = this.#entries.get(name);
    if (found && equalBytes(found.bytes, bytes)) {
      // Below half nothing is about to be dropped, so the order does not matter yet.
      if (2 * this.#entries.size > this.#limit) this.#put(name, found);
      return found.value;
    }
    const copy = bytes.slice();
    const entry = { bytes: copy, value: make(copy) };
    this.#put(name, entry);
    if (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!);
    return entry.value;
  }

  delete(bytes: Uint8Array): void {
    const name = shortName(bytes);
    const found = this.#entries.get(name);
    if (found && equalBytes(found.bytes, bytes)) this.#entries.delete(name);
  }

  #put(name: number, entry: Entry<T>): void {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
  }
}

function shortName(bytes: Uint8Array): number {
  const at = bytes.length > 24 ? 16 : 0;
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) ^
    bytes.length
  );
}
