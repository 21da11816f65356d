/**
 * Linear memory as 64 KiB pages: which changed since the last look, and putting an image back.
 *
 * A copy of every page that is not zero is kept as it was at the last look; a page that was zero is compared
 * with zero. Nothing is guessed from addresses or hashes, so what is found changed is exactly what changed.
 */
import { PAGE_BYTES, type MemoryImage } from './engine.ts';
import type { LinearMemory } from './linear-memory.ts';
import { zeroScan } from './zero-scan.ts';

const PAGE_WORDS = PAGE_BYTES / 4;

/** Pages that share one buffer. */
const SLAB = 32;

/** Copies of pages, by index, in few buffers: one for each page would burden the heap with objects as memory grows. */
class PageCopies {
  #slabs: Int32Array<ArrayBuffer>[] = [];
  /** For each page index its place in the slabs plus 1; 0 where there is no copy. */
  #places = new Int32Array(64);
  /** Places that were given up. */
  #free: number[] = [];
  #used = 0;

  /** Indexes of the pages, ascending. */
  indexes(): number[] {
    const out: number[] = [];
    this.#places.forEach((place, index) => {
      if (place) out.push(index);
    });
    return out;
  }

  /** The copy itself; undefined if there is none. */
  get(index: number): Int32Array<ArrayBuffer> | undefined {
    const place = this.#places[index];
    if (!place) return undefined;
    const start = ((place - 1) % SLAB) * PAGE_WORDS;
    return this.#slabs[Math.floor((place - 1) / SLAB)]!.subarray(start, start + PAGE_WORDS);
  }

  set(index: number, words: Int32Array): void {
    (this.get(index) ?? this.#add(index)).set(words);
  }

  #add(index: number): Int32Array<ArrayBuffer> {
    const place = this.#free.pop() ?? this.#used++;
    if (place >= this.#slabs.length * SLAB) this.#slabs.push(new Int32Array(SLAB * PAGE_WORDS));
    if (index >= this.#places.length) {
      const places = new Int32Array(Math.max(2 * this.#places.length, index + 1));
      places.set(this.#places);
      this.#places = places;
    }
    this.#places[index] = place + 1;
    return this.get(index)!;
  }

  delete(index: number): void {
    const place = this.#places[index];
    if (!place) return;
    this.#places[index] = 0;
    this.#free.push(place - 1);
  }

  clear(): void {
    this.#slabs = [];
    this.#places = new Int32Array(64);
    this.#free = [];
    this.#used = 0;
  }
}

export class PageTracker {
  /** Pages that are not zero, as they were at the last look. */
  readonly #known = new PageCopies();
  /** Pages that changed since `takeChanged`. */
  #changed = new Set<number>();
  #byteLength = 0;

  /** Bytes of memory at the last look. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Looks at all of memory and remembers it. */
  look(memory: LinearMemory): void {
    const words = new Int32Array(memory.bytes.buffer);
    const seen = this.#known.indexes();
    for (const index of unknownPages(memory, seen)) {
      const start = index * PAGE_WORDS;
      this.#changed.add(index);
      this.#known.set(index, words.subarray(start, start + PAGE_WORDS));
    }
    for (const index of seen) {
      const known = this.#known.get(index)!;
      const start = index * PAGE_WORDS;
      if (samePage(words, start, known)) continue;
      this.#changed.add(index);
      if (isZeroPage(words, start)) this.#known.delete(index);
      else known.set(words.subarray(start, start + PAGE_WORDS));
    }
    this.#byteLength = memory.byteLength;
  }

  /** Takes an image that memory was just loaded with as known and unchanged. */
  adopt(image: MemoryImage): void {
    this.#known.clear();
    this.#changed.clear();
    for (const { index, bytes } of image.pages) {
      const words = new Int32Array(PAGE_WORDS);
      new Uint8Array(words.buffer).set(bytes);
      if (!isZeroPage(words, 0)) this.#known.set(index, words);
    }
    this.#byteLength = image.byteLength;
  }

  /** Pages that changed since the last call, in order, as copies; `undefined` for one that is zero now. */
  takeChanged(): { index: number; bytes: Uint8Array<ArrayBuffer> | undefined }[] {
    const indexes = [...this.#changed].sort((a, b) => a - b);
    this.#changed.clear();
    return indexes.map((index) => ({ index, bytes: this.page(index) }));
  }

  /** Puts pages that were taken back on the list, since what they were taken for failed. */
  giveBack(indexes: Iterable<number>): void {
    for (const index of indexes) this.#changed.add(index);
  }

  /** A copy of a page as it was at the last look; undefined if it was zero. */
  page(index: number): Uint8Array<ArrayBuffer> | undefined {
    const words = this.#known.get(index);
    return words && new Uint8Array(words.slice().buffer);
  }

  /** All pages that are not zero, as copies. */
  pages(): { index: number; bytes: Uint8Array<ArrayBuffer> }[] {
    return this.#known.indexes().map((index) => ({ index, bytes: this.page(index)! }));
  }

  /** Makes memory what it was at the last look. False if it cannot grow that far. */
  restore(memory: LinearMemory): boolean {
    if (!memory.growTo(this.#byteLength)) return false;
    const words = new Int32Array(memory.bytes.buffer);
    // Only pages that hold something: writing zeros over zeros would make the system give the page real memory.
    const known = this.#known.indexes();
    for (const index of unknownPages(memory, known))
      words.fill(0, index * PAGE_WORDS, (index + 1) * PAGE_WORDS);
    for (const index of known) words.set(this.#known.get(index)!, index * PAGE_WORDS);
    return true;
  }

  /** The same for the memory that was looked at, writing only pages that changed since. False if it grew since. */
  revert(memory: LinearMemory): boolean {
    if (memory.byteLength !== this.#byteLength) return false;
    const words = new Int32Array(memory.bytes.buffer);
    const known = this.#known.indexes();
    for (const index of unknownPages(memory, known))
      words.fill(0, index * PAGE_WORDS, (index + 1) * PAGE_WORDS);
    for (const index of known) {
      const page = this.#known.get(index)!;
      if (!samePage(words, index * PAGE_WORDS, page)) words.set(page, index * PAGE_WORDS);
    }
    return true;
  }
}

/** Fills a fresh memory with an image, every other page zero. False if memory cannot grow that far. */
export function loadImage(memory: LinearMemory, image: MemoryImage): boolean {
  const tracker = new PageTracker();
  tracker.adopt(image);
  return tracker.restore(memory);
}

/** Pages that are not zero, other than those that are known (ascending). */
function unknownPages(memory: LinearMemory, known: readonly number[]): number[] {
  const scan = zeroScan(memory);
  const end = memory.byteLength;
  const stops = known.map((index) => index * PAGE_BYTES);
  stops.push(end);
  const found: number[] = [];
  let at = 0;
  for (const stop of stops) {
    while (at < stop) {
      at = scan(at, Math.min(stop, end));
      if (at >= stop || at >= end) break;
      const index = Math.floor(at / PAGE_BYTES);
      found.push(index);
      at = (index + 1) * PAGE_BYTES;
    }
    at = stop + PAGE_BYTES;
  }
  return found;
}

function isZeroPage(words: Int32Array, start: number): boolean {
  const end = start + PAGE_WORDS;
  for (let i = start; i < end; i += 8)
    if (
      words[i]! |
      words[i + 1]! |
      words[i + 2]! |
      words[i + 3]! |
      words[i + 4]! |
      words[i + 5]! |
      words[i + 6]! |
      words[i + 7]!
    )
      return false;
  return true;
}

function samePage(words: Int32Array, start: number, known: Int32Array): boolean {
  for (let i = 0; i < PAGE_WORDS; i += 4)
    if (
      (words[start + i]! ^ known[i]!) |
      (words[start + i + 1]! ^ known[i + 1]!) |
      (words[start + i + 2]! ^ known[i + 2]!) |
      (words[start + i + 3]! ^ known[i + 3]!)
    )
      return false;
  return true;
}
