/** Matching compiled patterns: plain backtracking. Positions count from 0 here. */
import { LuaLimit } from './errors.ts';
import type { Item, Single } from './pattern-compile.ts';

export interface Capture {
  readonly group: number;
  readonly from: number;
  /** −1: a position capture. */
  readonly length: number;
}

export interface Match {
  /** The whole match first, then the groups in order. */
  readonly captures: Capture[];
  readonly end: number;
}

/** How much work one search may do, and what has been done: patterns can be exponential. */
export interface Effort {
  left: number;
}

/** An attempt to match at one place. */
class Matcher {
  readonly #items: Item[];
  readonly #text: string;
  readonly #effort: Effort;
  /** Where `^` matches. */
  readonly #first: number;

  constructor(items: Item[], text: string, first: number, effort: Effort) {
    this.#items = items;
    this.#text = text;
    this.#first = first;
    this.#effort = effort;
  }

  at(from: number): Match | undefined {
    const done: Capture[] = [];
    const end = this.#match(0, from, [], done);
    if (end < 0) return undefined;
    done.sort((a, b) => a.group - b.group);
    return { captures: [{ group: 0, from, length: end - from }, ...done], end };
  }

  /** The end of the match of all items from `i` on, or −1. `open` and `done` are undone on failure. */
  #match(i: number, at: number, open: { group: number; from: number }[], done: Capture[]): number {
    for (; ; i++) {
      if (--this.#effort.left < 0) throw new LuaLimit('steps', 'A pattern took more steps than allowed.');
      const item = this.#items[i];
      if (!item) return at;
      switch (item.kind) {
        case 'one':
        case 'balance':
          at = this.#one(item, at);
          if (at < 0) return -1;
          continue;
        case 'start':
          if (at !== this.#first) return -1;
          continue;
        case 'end':
          if (at !== this.#text.length) return -1;
          continue;
        case 'open': {
          if (this.#items[i + 1]?.kind === 'close') {
            done.push({ group: item.group, from: at, length: -1 });
            const end = this.#match(i + 2, at, open, done);
            if (end < 0) done.pop();
            return end;
          }
          open.push({ group: item.group, from: at });
          const end = this.#match(i + 1, at, open, done);
          if (end < 0) open.pop();
          return end;
        }
        case 'close': {
          const group = open.pop()!;
          done.push({ group: group.group, from: group.from, length: at - group.from });
          const end = this.#match(i + 1, at, open, done);
          if (end < 0) {
            done.pop();
            open.push(group);
          }
          return end;
        }
        case 'minus':
          return this.#shortest(item.item, i + 1, at, open, done);
        default:
          return this.#longest(item, i + 1, at, open, done);
      }
    }
  }

  #one(item: Single, at: number): number {
    if (at >= this.#text.length) return -1;
    if (item.kind === 'one') return item.test(this.#text.charCodeAt(at)) ? at + 1 : -1;
    if (this.#text.charCodeAt(at) !== item.left) return -1;
    let depth = 1;
    for (let i = at + 1; i < this.#text.length; i++) {
      const code = this.#text.charCodeAt(i);
      if (code === item.right) {
        if (--depth === 0) return i + 1;
      } else if (code === item.left) depth++;
    }
    return -1;
  }

  #longest(
    item: Extract<Item, { kind: 'star' | 'plus' | 'minus' | 'maybe' }>,
    i: number,
    from: number,
    open: { group: number; from: number }[],
    done: Capture[],
  ): number {
    const most = item.kind === 'maybe' ? 1 : Infinity;
    const least = item.kind === 'plus' ? 1 : 0;
    // Single characters need no list of the places between.
    const ends: number[] | undefined = item.item.kind === 'balance' ? [from] : undefined;
    let at = from;
    let count = 0;
    while (count < most) {
      const next = this.#one(item.item, at);
      if (next < 0) break;
      at = next;
      count++;
      ends?.push(at);
    }
    this.#effort.left -= count;
    for (; count >= least; count--) {
      const end = this.#match(i, ends ? ends[count]! : from + count, open, done);
      if (end >= 0) return end;
    }
    return -1;
  }

  #shortest(
    item: Single,
    i: number,
    from: number,
    open: { group: number; from: number }[],
    done: Capture[],
  ): number {
    for (let at = from; at >= 0; at = this.#one(item, at)) {
      const end = this.#match(i, at, open, done);
      if (end >= 0) return end;
    }
    return -1;
  }
}

/** The first match at or after `from`; `^` matches at `from` only. */
export function search(items: Item[], text: string, from: number, effort: Effort): Match | undefined {
  const matcher = new Matcher(items, text, from, effort);
  const last = items[0]?.kind === 'start' ? from : text.length;
  for (let at = from; at <= last; at++) {
    const match = matcher.at(at);
    if (match) return match;
  }
  return undefined;
}

/** All matches of a whole text, at most `most`; as `gsub` takes them. */
export function searchAll(items: Item[], text: string, most: number, effort: Effort): Match[] {
  const matcher = new Matcher(items, text, 0, effort);
  const out: Match[] = [];
  let at = 0;
  while (out.length < most && at <= text.length) {
    const match = matcher.at(at);
    if (match) out.push(match);
    at = match && match.end > at ? match.end : at + 1;
  }
  return out;
}
