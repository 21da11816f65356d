/**
 * The message: an immutable set of keys and values (messages.md §1), with private data beside it.
 *
 * Keys are strings in the form of `base/bytes.ts`; they keep their case. `commitments` is an ordinary key
 * whose value is a message of commitments. Private data (live instances, hashpath, cache hints) is held in
 * `private`, never in a key, and so cannot travel; keys that begin with `priv` are dropped on entry to TABM.
 */
import { fromBytes } from '../base/bytes.ts';
import { Atom, isBinary, type Value } from './value.ts';

/** Runtime data of one message; never encoded, never in an ID. */
export interface Private {
  /** Hashpath of the resolution that made this message (resolver.md §5). */
  readonly hashpath?: string;
  readonly [key: string]: unknown;
}

/** What `Message.of` takes: plain JavaScript where its meaning is beyond doubt. A JavaScript `number` is a float. */
export type ValueInput =
  Value | boolean | null | undefined | readonly ValueInput[] | { readonly [key: string]: ValueInput };

const NOTHING: Private = Object.freeze({});

export class Message {
  static readonly empty = new Message(new Map());
  readonly #fields: ReadonlyMap<string, Value>;
  readonly private: Private;

  /** Takes ownership of `fields`: the caller must not change the map afterwards. */
  constructor(fields: ReadonlyMap<string, Value>, priv: Private = NOTHING) {
    this.#fields = fields;
    this.private = priv;
  }

  /** Builds a message from plain data: booleans and `null` become atoms, records messages, `undefined` is left out. */
  static of(record: { readonly [key: string]: ValueInput }): Message {
    const fields = new Map<string, Value>();
    for (const [key, value] of Object.entries(record))
      if (value !== undefined) fields.set(key, toValue(value));
    return new Message(fields);
  }

  static from(entries: Iterable<readonly [string, Value]>): Message {
    return new Message(new Map(entries));
  }

  /**
   * An object that stands for these very fields: the same one for copies that differ in private data alone.
   * What is computed of the fields (IDs, verdicts) is remembered under it.
   */
  get identity(): object {
    return this.#fields;
  }

  get size(): number {
    return this.#fields.size;
  }

  /** The value under exactly this key; no case rules, no links followed (those are `message@1.0`'s). */
  get(key: string): Value | undefined {
    return this.#fields.get(key);
  }

  has(key: string): boolean {
    return this.#fields.has(key);
  }

  /** Keys in no order that anything may depend on; see `message/order.ts` for those that bytes depend on. */
  keys(): IterableIterator<string> {
    return this.#fields.keys();
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#fields.entries();
  }

  [Symbol.iterator](): IterableIterator<[string, Value]> {
    return this.#fields.entries();
  }

  /** The text of a binary value that is valid UTF-8 (or any octets in their string form), else undefined. */
  text(key: string): string | undefined {
    const value = this.#fields.get(key);
    if (!isBinary(value)) return undefined;
    return typeof value === 'string' ? value : fromBytes(value);
  }

  /** The value if it is a message, else undefined. */
  message(key: string): Message | undefined {
    const value = this.#fields.get(key);
    return value instanceof Message ? value : undefined;
  }

  /** A copy with these keys set (plain replacement), private data kept. */
  with(changes: { readonly [key: string]: Value } | Iterable<readonly [string, Value]>): Message {
    const fields = new Map(this.#fields);
    const list =
      Symbol.iterator in changes ? (changes as Iterable<readonly [string, Value]>) : Object.entries(changes);
    for (const [key, value] of list) fields.set(key, value as Value);
    return new Message(fields, this.private);
  }

  /** A copy without these keys, private data kept; the same object if none was there. */
  without(...keys: readonly string[]): Message {
    if (!keys.some((key) => this.#fields.has(key))) return this;
    const fields = new Map(this.#fields);
    for (const key of keys) fields.delete(key);
    return new Message(fields, this.private);
  }

  /** A copy with only the keys for which `keep` holds, private data kept. */
  filter(keep: (key: string, value: Value) => boolean): Message {
    const fields = new Map<string, Value>();
    for (const [key, value] of this.#fields) if (keep(key, value)) fields.set(key, value);
    return fields.size === this.#fields.size ? this : new Message(fields, this.private);
  }

  /** A copy with private data merged over the old; `undefined` removes a key of it. */
  withPrivate(changes: { readonly [key: string]: unknown }): Message {
    const next: Record<string, unknown> = { ...this.private };
    for (const [key, value] of Object.entries(changes))
      if (value === undefined) delete next[key];
      else next[key] = value;
    return new Message(this.#fields, next);
  }

  /** The same fields with no private data. */
  withoutPrivate(): Message {
    return this.private === NOTHING ? this : new Message(this.#fields);
  }
}

function toValue(input: Exclude<ValueInput, undefined>): Value {
  if (input === null) return Atom.null;
  if (typeof input === 'boolean') return Atom.boolean(input);
  if (Array.isArray(input)) return input.map((item) => toValue((item as ValueInput) ?? null));
  if (isPlain(input)) return Message.of(input);
  return input as Value;
}

function isPlain(input: unknown): input is { readonly [key: string]: ValueInput } {
  return typeof input === 'object' && input !== null && Object.getPrototypeOf(input) === Object.prototype;
}
