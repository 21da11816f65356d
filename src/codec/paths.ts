/** Messages built from and cut into paths: `a/b/c` (messages.md §5.4, §9.1). Duplicate and outer slashes do not count. */
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import type { Value } from '../message/value.ts';
import { MAX_DEPTH } from './limits.ts';

type Tree = Map<string, Value | Tree>;

export function pathParts(path: string): string[] {
  const parts = path.includes('/') ? path.split('/').filter((part) => part !== '') : [path];
  if (parts.length > MAX_DEPTH)
    throw new AoError('too-deep', `A path has more than ${MAX_DEPTH} parts.`, {
      detail: { limit: MAX_DEPTH },
    });
  return parts;
}

/** Collects values by their paths into one message. */
export class PathTree {
  readonly #root: Tree = new Map();

  /**
   * Puts a value at a path. A message is merged with what is there; of two scalars the later counts.
   * @throws AoError `path-conflict` where a scalar and a message meet
   */
  set(parts: readonly string[], value: Value): void {
    let level = this.#root;
    for (const part of parts.slice(0, -1)) {
      const below = level.get(part);
      if (below === undefined) {
        const made: Tree = new Map();
        level.set(part, made);
        level = made;
      } else if (below instanceof Map) level = below;
      else throw conflict(parts);
    }
    const key = parts.at(-1) ?? '';
    if (value instanceof Message) this.#merge(level, key, value, parts);
    else {
      if (level.get(key) instanceof Map) throw conflict(parts);
      level.set(key, value);
    }
  }

  #merge(level: Tree, key: string, message: Message, parts: readonly string[]): void {
    const there = level.get(key);
    if (there !== undefined && !(there instanceof Map)) throw conflict(parts);
    const into: Tree = there ?? new Map<string, Value | Tree>();
    level.set(key, into);
    for (const [inner, value] of message) {
      if (value instanceof Message) this.#merge(into, inner, value, [...parts, inner]);
      else {
        if (into.get(inner) instanceof Map) throw conflict([...parts, inner]);
        into.set(inner, value);
      }
    }
  }

  fields(): Map<string, Value> {
    return freeze(this.#root);
  }
}

function freeze(tree: Tree): Map<string, Value> {
  const out = new Map<string, Value>();
  for (const [key, value] of tree) out.set(key, value instanceof Map ? new Message(freeze(value)) : value);
  return out;
}

function conflict(parts: readonly string[]): AoError {
  const path = parts.join('/').slice(0, 200);
  return new AoError('path-conflict', `Both a value and a message stand at ${JSON.stringify(path)}.`);
}
