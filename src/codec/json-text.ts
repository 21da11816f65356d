/**
 * JSON text ⇄ values as the reference reads and writes it (messages.md §9.2): integers and floats told apart, the
 * first of two members with one key counts, no text that is not UTF-8.
 */
import { utf8 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { Message } from '../message/message.ts';
import { iterationOrder } from '../message/order.ts';
import { Atom, type Binary, isBinary, type Value } from '../message/value.ts';
import { shortFloatText } from './float.ts';
import { checkDepth, KeyCount } from './limits.ts';

/**
 * Reads one JSON value: objects as messages, arrays as lists, `true`, `false` and `null` as atoms.
 * @throws AoError `bad-json`, `bad-integer` (more digits than `integers` allows), `too-deep`, `too-many-keys`
 */
export function parseJson(input: Binary, options: JsonOptions = {}): Value {
  const text = typeof input === 'string' ? input : utf8(input);
  if (text === undefined || !text.isWellFormed()) throw new AoError('bad-json', 'JSON text is not UTF-8.');
  const parser = new Parser(text, options.integers === 'unbounded' ? MOST_DIGITS : STRUCTURED_DIGITS);
  return parser.whole();
}

export interface JsonOptions {
  /** `structured` (default): at most 15 digits, as messages on the wire have; `unbounded`: as programs write them. */
  readonly integers?: 'structured' | 'unbounded';
}

const STRUCTURED_DIGITS = 15;
/** Reading a number takes time that grows faster than its length. */
const MOST_DIGITS = 10_000;

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
// The characters of a string up to what has to be looked at.
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Parser {
  readonly #text: string;
  readonly #digits: number;
  readonly #count = new KeyCount();
  #at = 0;

  constructor(text: string, digits: number) {
    this.#text = text;
    this.#digits = digits;
  }

  whole(): Value {
    const value = this.#value(0);
    this.#blanks();
    if (this.#at !== this.#text.length) this.#fail('the end of the text');
    return value;
  }

  #fail(wanted: string): never {
    throw new AoError('bad-json', `JSON text lacks ${wanted}.`, { detail: { at: this.#at } });
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text);
    if (found) this.#at = expression.lastIndex;
    return found;
  }

  #blanks(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code === 32 || (code >= 9 && code <= 13)) this.#match(BLANKS);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #value(depth: number): Value {
    checkDepth(depth);
    this.#count.add();
    this.#blanks();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', Atom.true);
      case 'f':
        return this.#word('false', Atom.false);
      case 'n':
        return this.#word('null', Atom.null);
      default:
        return this.#number();
    }
  }

  #word(word: string, atom: Atom): Atom {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('a value');
    this.#at += word.length;
    return atom;
  }

  #number(): bigint | number {
    const [text, fraction, exponent] = this.#match(NUMBER) ?? this.#fail('a value');
    if (fraction === undefined && exponent === undefined) {
      if (text.replace('-', '').length > this.#digits)
        throw new AoError('bad-integer', `An integer has more than ${this.#digits} digits.`);
      return BigInt(text);
    }
    const value = Number(text);
    if (!Number.isFinite(value)) this.#fail('a number that a float can hold');
    return value;
  }

  #string(): string {
    this.#at++;
    let out = '';
    for (;;) {
      out += this.#match(PLAIN)![0];
      if (this.#take('"')) break;
      if (!this.#take('\\')) this.#fail('the end of a string');
      const character = this.#text[this.#at++] ?? '';
      out += ESCAPES[character] ?? (character === 'u' ? this.#unicode() : this.#fail('a known escape'));
    }
    if (!out.isWellFormed()) this.#fail('the other half of a surrogate pair');
    return out;
  }

  #unicode(): string {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('four hexadecimal digits');
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #array(depth: number): Value[] {
    this.#at++;
    const items: Value[] = [];
    this.#blanks();
    if (this.#take(']')) return items;
    do {
      items.push(this.#value(depth + 1));
      this.#blanks();
    } while (this.#take(','));
    if (!this.#take(']')) this.#fail('a comma or ]');
    return items;
  }

  #object(depth: number): Message {
    this.#at++;
    const fields = new Map<string, Value>();
    this.#blanks();
    if (this.#take('}')) return Message.empty;
    do {
      this.#blanks();
      if (this.#text[this.#at] !== '"') this.#fail('a key');
      const key = this.#string();
      this.#blanks();
      if (!this.#take(':')) this.#fail('a colon');
      const value = this.#value(depth + 1);
      if (!fields.has(key)) fields.set(key, value);
      this.#blanks();
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('a comma or }');
    return new Message(fields);
  }
}

/**
 * Text of a value that holds messages, lists, binaries, numbers and the atoms of JSON; any other atom is its
 * name in quotes. No blanks; members in the reference's order.
 * @throws AoError `not-text` for a binary that is not UTF-8
 */
export function writeJson(value: Value): string {
  return write(value, 0);
}

function write(value: Value, depth: number): string {
  checkDepth(depth);
  if (isBinary(value)) return writeText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return shortFloatText(value);
  if (value instanceof Atom)
    return /^(?:true|false|null)$/.test(value.name) ? value.name : writeText(value.name);
  if (value instanceof Message) {
    const members = iterationOrder(value.keys()).map(
      (key) => `${writeText(key)}:${write(value.get(key)!, depth + 1)}`,
    );
    return `{${members.join(',')}}`;
  }
  if (Array.isArray(value))
    return `[${(value as readonly Value[]).map((item) => write(item, depth + 1)).join(',')}]`;
  throw new AoError('bad-value', 'A value of this type has no JSON form.');
}

function writeText(value: Binary): string {
  const text = typeof value === 'string' ? value : utf8(value);
  if (text === undefined || !text.isWellFormed())
    throw new AoError('not-text', 'A binary that is not UTF-8 has no JSON form.');
  // Control characters without a letter of their own are written in capital digits.
  return JSON.stringify(text).replace(/\\(?:u00..|.)/g, (escape) =>
    escape.length > 2 ? `\\u${escape.slice(2).toUpperCase()}` : escape,
  );
}
