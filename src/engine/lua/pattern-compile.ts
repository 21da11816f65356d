/** Lua patterns as the reference has them (lua.md §10.4), compiled to items. Bytes are Latin-1 characters. */
import { luaError } from './errors.ts';

type Test = (code: number) => boolean;

export type Item =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'balance'; readonly left: number; readonly right: number }
  | { readonly kind: 'star' | 'plus' | 'minus' | 'maybe'; readonly item: Single }
  | { readonly kind: 'open'; readonly group: number }
  | { readonly kind: 'close' }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };
export type Single = Extract<Item, { kind: 'one' | 'balance' }>;

const between = (low: number, high: number) => (c: number) => c >= low && c <= high;
const lower: Test = (c) => (c >= 97 && c <= 122) || (c >= 224 && c <= 246) || c >= 248;
const upper: Test = (c) => (c >= 65 && c <= 90) || (c >= 192 && c <= 214) || (c >= 216 && c <= 223);
const digit = between(48, 57);
const letter: Test = (c) => lower(c) || upper(c);
const word: Test = (c) => letter(c) || digit(c);

const CLASSES: Record<string, Test> = {
  a: letter,
  c: (c) => c <= 31 || (c >= 128 && c <= 159),
  d: digit,
  g: (c) => (c >= 33 && c <= 126) || c >= 161,
  l: lower,
  p: (c) =>
    (c >= 33 && c <= 47) ||
    (c >= 58 && c <= 63) ||
    (c >= 91 && c <= 96) ||
    c === 126 ||
    (c >= 161 && c <= 191) ||
    c === 215 ||
    c === 247,
  s: (c) => (c >= 9 && c <= 13) || c === 32 || c === 160,
  u: upper,
  w: word,
  x: (c) => digit(c) || (c >= 97 && c <= 102) || (c >= 65 && c <= 70),
  z: (c) => c === 0,
};

/** The test for the character after a `%`. @throws LuaError `malformed pattern (class …)` */
function charClass(name: string): Test {
  const code = name.charCodeAt(0);
  const test = CLASSES[name.toLowerCase()];
  if (test && /^[A-Za-z]$/.test(name)) {
    if (name === name.toLowerCase()) return test;
    return (c) => !test(c);
  }
  if (word(code)) throw luaError('invalid_char_class', name);
  return (c) => c === code;
}

const cache = new Map<string, Item[]>();

/** @throws LuaError `malformed pattern …` */
export function compilePattern(pattern: string): Item[] {
  let items = cache.get(pattern);
  if (!items) {
    items = new PatternCompiler(pattern).items();
    if (cache.size > 500) cache.clear();
    if (pattern.length < 200) cache.set(pattern, items);
  }
  return items;
}

class PatternCompiler {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #groups = 0;
  readonly #items: Item[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  items(): Item[] {
    const text = this.#text;
    if (text[0] === '^') {
      this.#items.push({ kind: 'start' });
      this.#at = 1;
    }
    while (this.#at < text.length) this.#next(text[this.#at]!);
    if (this.#depth !== 0) throw luaError('invalid_capture');
    return this.#items;
  }

  #next(c: string): void {
    const text = this.#text;
    switch (c) {
      case '(':
        this.#at++;
        this.#depth++;
        this.#items.push({ kind: 'open', group: ++this.#groups });
        return;
      case ')':
        if (this.#depth === 0) throw luaError('invalid_capture');
        this.#at++;
        this.#depth--;
        this.#items.push({ kind: 'close' });
        return;
      case '[':
        this.#at++;
        this.#single({ kind: 'one', test: this.#set() });
        return;
      case '.':
        this.#at++;
        this.#single({ kind: 'one', test: () => true });
        return;
      case '%':
        this.#at++;
        this.#single(this.#escape());
        return;
      case '$':
        if (this.#at === text.length - 1) {
          this.#at++;
          this.#items.push({ kind: 'end' });
          return;
        }
    }
    this.#at++;
    const code = c.charCodeAt(0);
    this.#single({ kind: 'one', test: (other) => other === code });
  }

  #single(item: Single): void {
    const kinds = { '*': 'star', '+': 'plus', '-': 'minus', '?': 'maybe' } as const;
    const kind = kinds[this.#text[this.#at] as '*'] as (typeof kinds)['*'] | undefined;
    if (kind) this.#at++;
    this.#items.push(kind ? { kind, item } : item);
  }

  #escape(): Single {
    const text = this.#text;
    const c = text[this.#at];
    if (c === undefined || c === 'f') throw luaError('invalid_pattern');
    if (c === 'b' && this.#at + 2 < text.length) {
      this.#at += 3;
      return {
        kind: 'balance',
        left: text.charCodeAt(this.#at - 2),
        right: text.charCodeAt(this.#at - 1),
      };
    }
    this.#at++;
    return { kind: 'one', test: charClass(c) };
  }

  #set(): Test {
    const text = this.#text;
    const tests: Test[] = [];
    const negated = text[this.#at] === '^';
    if (negated) this.#at++;
    if (text[this.#at] === ']') {
      this.#at++;
      tests.push((c) => c === 93);
    }
    for (;;) {
      const c = text[this.#at];
      if (c === undefined) throw luaError('invalid_char_set');
      const after = text[this.#at + 1];
      const last = text[this.#at + 2];
      const code = c.charCodeAt(0);
      if (c === ']') break;
      if (c === '%' && after !== undefined) {
        tests.push(charClass(after));
        this.#at += 2;
      } else if (after === '-' && last !== undefined && last !== ']') {
        tests.push(between(code, last.charCodeAt(0)));
        this.#at += 3;
      } else {
        tests.push((other) => other === code);
        this.#at++;
      }
    }
    this.#at++;
    const table = new Uint8Array(256);
    for (let c = 0; c < 256; c++) table[c] = tests.some((test) => test(c)) !== negated ? 1 : 0;
    return (c) => table[c] === 1;
  }
}
