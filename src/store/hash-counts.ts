/**
 * Counts by SHA-256: what a `Map<string, number>` with b64u keys would hold, in some 70 bytes an entry and without
 * objects. A database may hold as many pages as there are slots.
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';

const HASH_BYTES = 32;
const SMALLEST = 64;

export class HashCounts {
  #hashes = new Uint8Array(SMALLEST * HASH_BYTES);
  /** By place: the count, 0 where the place is free. */
  #counts = new Uint32Array(SMALLEST);
  #size = 0;

  /** Entries whose count is not 0. */
  get size(): number {
    return this.#size;
  }

  has(hash: string): boolean {
    return this.get(hash) > 0;
  }

  /** 0 for what was never set. */
  get(hash: string): number {
    return this.#counts[this.#placeOf(fromBase64(hash))]!;
  }

  /** `count` 0 removes the entry. */
  set(hash: string, count: number): void {
    const bytes = fromBase64(hash);
    let place = this.#placeOf(bytes);
    if (!this.#counts[place]) {
      if (count <= 0) return;
      // Three quarters full: longer runs of taken places would make every look-up slow.
      if (4 * (this.#size + 1) > 3 * this.#counts.length) {
        this.#grow();
        place = this.#placeOf(bytes);
      }
      this.#hashes.set(bytes, place * HASH_BYTES);
      this.#size++;
    } else if (count <= 0) return this.#remove(place);
    this.#counts[place] = count;
  }

  add(hash: string): void {
    this.set(hash, Math.max(1, this.get(hash)));
  }

  delete(hash: string): void {
    this.set(hash, 0);
  }

  *keys(): Generator<string> {
    for (let place = 0; place < this.#counts.length; place++)
      if (this.#counts[place]) yield toBase64Url(this.#at(place));
  }

  #at(place: number): Uint8Array<ArrayBuffer> {
    return this.#hashes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);
  }

  /** Where an entry stands, or the free place that it would take. A hash is evenly spread: its first bytes choose. */
  #placeOf(bytes: Uint8Array): number {
    const mask = this.#counts.length - 1;
    let place = homeOf(bytes) & mask;
    while (this.#counts[place] && !same(this.#at(place), bytes)) place = (place + 1) & mask;
    return place;
  }

  /** Frees a place, and moves up those behind it that were pushed on by what stood there. */
  #remove(place: number): void {
    const mask = this.#counts.length - 1;
    let free = place;
    this.#counts[free] = 0;
    this.#size--;
    for (let next = (free + 1) & mask; this.#counts[next]; next = (next + 1) & mask) {
      const home = homeOf(this.#at(next)) & mask;
      if (((next - home) & mask) < ((next - free) & mask)) continue;
      this.#hashes.copyWithin(free * HASH_BYTES, next * HASH_BYTES, (next + 1) * HASH_BYTES);
      this.#counts[free] = this.#counts[next]!;
      this.#counts[next] = 0;
      free = next;
    }
  }

  #grow(): void {
    const hashes = this.#hashes;
    const counts = this.#counts;
    this.#counts = new Uint32Array(counts.length * 2);
    this.#hashes = new Uint8Array(hashes.length * 2);
    counts.forEach((count, i) => {
      if (!count) return;
      const bytes = hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      const place = this.#placeOf(bytes);
      this.#counts[place] = count;
      this.#hashes.set(bytes, place * HASH_BYTES);
    });
  }
}

function homeOf(bytes: Uint8Array): number {
  return bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | ((bytes[3]! & 0x7f) << 24);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < HASH_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
