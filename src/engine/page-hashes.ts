/**
 * Hashes of the pages of one memory, by page index: what a `Map<number, string>` of b64u SHA-256 would hold, in
 * 32 bytes a page. A memory has thousands of pages, and a map of texts burdens the heap with as many objects.
 */
import { fromBase64, toBase64Url } from '../base/bytes.ts';

const HASH_BYTES = 32;

/** The part of a `Map` that maps of page hashes are used by. */
export interface PageMap extends Iterable<[number, string]> {
  readonly size: number;
  get(index: number): string | undefined;
  set(index: number, hash: string): unknown;
  delete(index: number): boolean;
  keys(): Iterable<number>;
  values(): Iterable<string>;
}

export class PageHashes implements PageMap {
  #hashes = new Uint8Array(0);
  /** 1 for an index that has a hash. */
  #present = new Uint8Array(0);
  #size = 0;

  constructor(from?: Iterable<[number, string]>) {
    if (from instanceof PageHashes) {
      this.#hashes = from.#hashes.slice();
      this.#present = from.#present.slice();
      this.#size = from.#size;
    } else if (from) for (const [index, hash] of from) this.set(index, hash);
  }

  get size(): number {
    return this.#size;
  }

  get(index: number): string | undefined {
    const hash = this.bytesOf(index);
    return hash && toBase64Url(hash);
  }

  /** The hash as its 32 bytes: a view, not to be kept. */
  bytesOf(index: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#present[index]) return undefined;
    return this.#hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  /** @throws RangeError for what is no b64u of 32 bytes */
  set(index: number, hash: string): this {
    return this.setBytes(index, fromBase64(hash));
  }

  /** @throws RangeError for other than 32 bytes */
  setBytes(index: number, hash: Uint8Array): this {
    if (hash.length !== HASH_BYTES) throw new RangeError('A page is named by 32 bytes.');
    this.#reach(index);
    if (!this.#present[index]) this.#size++;
    this.#present[index] = 1;
    this.#hashes.set(hash, index * HASH_BYTES);
    return this;
  }

  delete(index: number): boolean {
    if (!this.#present[index]) return false;
    this.#present[index] = 0;
    this.#size--;
    return true;
  }

  /** Ascending. */
  *keys(): Generator<number> {
    for (let index = 0; index < this.#present.length; index++) if (this.#present[index]) yield index;
  }

  *values(): Generator<string> {
    for (const index of this.keys()) yield this.get(index)!;
  }

  *[Symbol.iterator](): Generator<[number, string]> {
    for (const index of this.keys()) yield [index, this.get(index)!];
  }

  #reach(index: number): void {
    const { length } = this.#present;
    if (index < length) return;
    const present = new Uint8Array(Math.max(64, 2 * length, index + 1));
    present.set(this.#present);
    const hashes = new Uint8Array(present.length * HASH_BYTES);
    hashes.set(this.#hashes);
    this.#present = present;
    this.#hashes = hashes;
  }
}
