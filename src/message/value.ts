/**
 * The values of AO-Core (messages.md §1.1), immutable.
 *
 * | AO-Core  | here                                                                       |
 * |----------|----------------------------------------------------------------------------|
 * | binary   | `string` (valid UTF-8) or `Uint8Array`; the two are equal when bytes are    |
 * | integer  | `bigint`, any size                                                         |
 * | float    | `number` (always a float, `1` is 1.0)                                       |
 * | atom     | `Atom`; `true`, `false`, `null` are atoms                                   |
 * | list     | `readonly Value[]`                                                          |
 * | message  | `Message`                                                                   |
 * | link     | `Link`, loaded on first use                                                 |
 *
 * `Subpath` and `As` occur only in resolver sequences and in values that are resolved when read
 * (resolver.md §4); no codec carries them.
 */
import { compareBytes, equalBytes, toBytes } from '../base/bytes.ts';
import type { Message } from './message.ts';

export type Binary = string | Uint8Array;
export type Value = Binary | bigint | number | Atom | readonly Value[] | Message | Link | Subpath | As;

/** An Erlang atom. Interned: two atoms of one name are the same object. */
export class Atom {
  static readonly #known = new Map<string, Atom>();
  static readonly true = Atom.of('true');
  static readonly false = Atom.of('false');
  static readonly null = Atom.of('null');
  static readonly undefined = Atom.of('undefined');
  static readonly unset = Atom.of('unset');
  static readonly notFound = Atom.of('not_found');
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static of(name: string): Atom {
    let atom = Atom.#known.get(name);
    if (!atom) {
      atom = new Atom(name);
      // Names come from outside: the table must not be a way to fill memory.
      if (Atom.#known.size < 4096) Atom.#known.set(name, atom);
    }
    return atom;
  }

  static boolean(value: boolean): Atom {
    return value ? Atom.true : Atom.false;
  }

  /** True for the same atom, also when it came through a full table. */
  is(other: unknown): boolean {
    return other instanceof Atom && other.name === this.name;
  }
}

/**
 * A reference to a stored message or value (messages.md §1.6).
 * `lazy: false`: `id` is the ID of the linked message. `lazy: true`: `id` is a store path that has to be
 * read to learn the real ID; `type` says how a stored binary is to be decoded (`integer`, `link` …).
 */
export class Link {
  readonly id: string;
  readonly lazy: boolean;
  readonly type: string;

  constructor(id: string, options: { lazy?: boolean; type?: string } = {}) {
    this.id = id;
    this.lazy = options.lazy ?? false;
    this.type = options.type ?? 'link';
  }
}

/** `(a/b)` in a path, or `k=(a/b)`: a sequence that is resolved when it is read. */
export class Subpath {
  readonly sequence: readonly Value[];
  constructor(sequence: readonly Value[]) {
    this.sequence = sequence;
  }
}

/** `x~device@1.0` in a path: `message` (an ID, a link, text or a message) with its device swapped. */
export class As {
  readonly device: string;
  readonly message: Value;
  constructor(device: string, message: Value) {
    this.device = device;
    this.message = message;
  }
}

export function isBinary(value: unknown): value is Binary {
  return typeof value === 'string' || value instanceof Uint8Array;
}

/** The octets of a binary, without a copy where it already is bytes. */
export function binaryBytes(value: Binary): Uint8Array {
  return typeof value === 'string' ? toBytes(value) : value;
}

export function equalBinary(a: Binary, b: Binary): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a === b;
  return equalBytes(binaryBytes(a), binaryBytes(b));
}

export function compareBinary(a: Binary, b: Binary): number {
  return compareBytes(binaryBytes(a), binaryBytes(b));
}
