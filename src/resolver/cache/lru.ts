/** Least recently used out: bounded by a count and by the bytes that its entries are said to weigh. */
export class Lru<T> {
  readonly #entries = new Map<string, { value: T; weight: number }>();
  readonly #count: number;
  readonly #capacity: number;
  #weight = 0;

  constructor(count: number, capacity: number) {
    this.#count = count;
    this.#capacity = capacity;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: T, weight = 1): void {
    this.delete(key);
    // What alone would push out everything else is not kept.
    if (weight > this.#capacity / 4) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#count && this.#weight <= this.#capacity) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }
}
