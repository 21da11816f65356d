/** Input history of one process: newest last, kept in local storage, walked with the arrow keys. */

const LIMIT = 200;
const LIMIT_CHARACTERS = 200_000;

export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export class InputHistory {
  readonly #key: string;
  readonly #storage: TextStorage;
  #entries: string[];
  #at: number;
  #draft = '';

  constructor(process: string, storage: TextStorage) {
    this.#key = `beamlet:history:${process}`;
    this.#storage = storage;
    this.#entries = read(storage, this.#key);
    this.#at = this.#entries.length;
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Remembers an input; the same one twice in a row is kept once. */
  add(input: string): void {
    if (input.trim() && this.#entries.at(-1) !== input) {
      this.#entries = [...this.#entries, input].slice(-LIMIT);
      let total = this.#entries.reduce((sum, entry) => sum + entry.length, 0);
      while (total > LIMIT_CHARACTERS && this.#entries.length > 1) total -= this.#entries.shift()!.length;
      try {
        this.#storage.setItem(this.#key, JSON.stringify(this.#entries));
      } catch {
        // Storage full or denied: the history of this visit still works.
      }
    }
    this.#at = this.#entries.length;
    this.#draft = '';
  }

  /** The entry before, or undefined at the oldest. `current` is kept as the draft when leaving it. */
  previous(current: string): string | undefined {
    if (this.#at === 0) return undefined;
    if (this.#at === this.#entries.length) this.#draft = current;
    this.#at--;
    return this.#entries[this.#at];
  }

  /** The entry after; past the newest comes the draft. */
  next(): string | undefined {
    if (this.#at >= this.#entries.length) return undefined;
    this.#at++;
    return this.#at === this.#entries.length ? this.#draft : this.#entries[this.#at];
  }
}

function read(storage: TextStorage, key: string): string[] {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? '[]');
    return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
  } catch {
    return [];
  }
}
