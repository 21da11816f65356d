/**
 * The node message: options, looked up local first, then what the operator set, then built-in defaults
 * (resolver.md §1, §8). `-` and `_` in a name are the same; the spelling that was used first is the one shown.
 */
import { Message } from '../message/message.ts';
import { Atom, type Value } from '../message/value.ts';
import { DEFAULT_OPTIONS } from './default-options.ts';

/** The form of a name by which options are told apart. */
export function optionName(name: string): string {
  return name.includes('_') ? name.replaceAll('_', '-') : name;
}

interface Entry {
  readonly name: string;
  /** `undefined` hides the option of a layer below. */
  readonly value: Value | undefined;
}

/** One layer of options over others. Only the node's own layer changes after it was made. */
export class Options {
  readonly #own = new Map<string, Entry>();
  readonly #below: Options | undefined;

  constructor(changes: Iterable<readonly [string, Value | undefined]>, below?: Options) {
    this.#below = below;
    this.assign(changes);
  }

  /** This layer and those below it, from here down. */
  *#layers(): Generator<Options> {
    yield this;
    if (this.#below) yield* this.#below.#layers();
  }

  get(name: string): Value | undefined {
    return this.#find(optionName(name))?.value;
  }

  #find(canonical: string): Entry | undefined {
    const own = this.#own.get(canonical);
    return own ?? (this.#below ? this.#below.#find(canonical) : undefined);
  }

  /** Sets options of this layer; a name that is known below keeps its spelling. */
  assign(changes: Iterable<readonly [string, Value | undefined]>): void {
    for (const [name, value] of changes) {
      const canonical = optionName(name);
      this.#own.set(canonical, { name: this.#find(canonical)?.name ?? name, value });
    }
  }

  /** This layer alone, as a message. */
  own(): Message {
    return toMessage(this.#own.values());
  }

  /** Everything that `get` can find, as a message. */
  message(): Message {
    const entries = new Map<string, Entry>();
    for (const layer of [...this.#layers()].reverse())
      for (const [key, entry] of layer.#own) entries.set(key, entry);
    return toMessage(entries.values());
  }
}

function toMessage(entries: Iterable<Entry>): Message {
  const fields = new Map<string, Value>();
  for (const { name, value } of entries) if (value !== undefined) fields.set(name, value);
  return new Message(fields);
}

/** The built-in defaults as the lowest layer. */
export function defaultLayer(): Options {
  return new Options(DEFAULT_OPTIONS);
}

/** True for the atom `true` and for text that says so. */
export function isTrue(value: Value | undefined): boolean {
  return Atom.true.is(value) || value === 'true';
}

export function isFalse(value: Value | undefined): boolean {
  return Atom.false.is(value) || value === 'false';
}
