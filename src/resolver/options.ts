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

  get(name: string): Value | undefined {
    const canonical = optionName(name);
    for (let layer: Options | undefined = this; layer; layer = layer.#below) {
      const entry = layer.#own.get(canonical);
      if (entry) return entry.value;
    }
    return undefined;
  }

  /** Sets options of this layer; a name that is known below keeps its spelling. */
  assign(changes: Iterable<readonly [string, Value | undefined]>): void {
    for (const [name, value] of changes) {
      const canonical = optionName(name);
      this.#own.set(canonical, { name: this.#spelling(canonical) ?? name, value });
    }
  }

  #spelling(canonical: string): string | undefined {
    for (let layer: Options | undefined = this; layer; layer = layer.#below) {
      const entry = layer.#own.get(canonical);
      if (entry) return entry.name;
    }
    return undefined;
  }

  /** This layer alone, as a message. */
  own(): Message {
    const fields = new Map<string, Value>();
    for (const { name, value } of this.#own.values()) if (value !== undefined) fields.set(name, value);
    return new Message(fields);
  }

  /** Everything that `get` can find, as a message. */
  message(): Message {
    const entries = new Map<string, Entry>();
    const layers: Options[] = [];
    for (let layer: Options | undefined = this; layer; layer = layer.#below) layers.unshift(layer);
    for (const layer of layers) for (const [key, entry] of layer.#own) entries.set(key, entry);
    const fields = new Map<string, Value>();
    for (const { name, value } of entries.values()) if (value !== undefined) fields.set(name, value);
    return new Message(fields);
  }
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
