/**
 * Structured fields (RFC 8941) in the dialect of the reference (messages.md §3), on strings in the octet form
 * of `base/bytes.ts`. Where it leaves the RFC, bytes depend on it: keys may begin with digits, capitals or
 * `%`; strings are written without any check; integers are written at any length and read up to 15 digits;
 * no dates, no display strings.
 */
import { fromBase64, toBase64 } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { MAX_FIELD } from './limits.ts';

export type BareItem =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'token'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'integer'; readonly value: bigint }
  /** A decimal, as it is written. */
  | { readonly kind: 'decimal'; readonly text: string }
  | { readonly kind: 'boolean'; readonly value: boolean };

export type Parameters = ReadonlyMap<string, BareItem>;

export interface Item {
  readonly bare: BareItem;
  readonly parameters: Parameters;
}

export interface InnerList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

export type Member = Item | InnerList;

export function isInnerList(member: Member): member is InnerList {
  return 'items' in member;
}

export const sfString = (text: string): BareItem => ({ kind: 'string', text });
export const sfInteger = (value: bigint): BareItem => ({ kind: 'integer', value });
export const sfBytes = (bytes: Uint8Array): BareItem => ({ kind: 'bytes', bytes });

const NO_PARAMETERS: Parameters = new Map();

export function item(bare: BareItem, parameters: Parameters = NO_PARAMETERS): Item {
  return { bare, parameters };
}

// ---- Writing

/** `"text"`; only `\` and `"` are escaped, all other octets pass. */
export function writeString(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`;
}

export function writeBare(bare: BareItem): string {
  switch (bare.kind) {
    case 'string':
      return writeString(bare.text);
    case 'bytes':
      return `:${toBase64(bare.bytes)}:`;
    case 'integer':
      return bare.value.toString();
    case 'boolean':
      return bare.value ? '?1' : '?0';
    default:
      return bare.text;
  }
}

function writeParameters(parameters: Parameters): string {
  let out = '';
  for (const [key, bare] of parameters)
    out += bare.kind === 'boolean' && bare.value ? `;${key}` : `;${key}=${writeBare(bare)}`;
  return out;
}

export function writeMember(member: Member): string {
  const text = isInnerList(member) ? `(${member.items.map(writeMember).join(' ')})` : writeBare(member.bare);
  return text + writeParameters(member.parameters);
}

export function writeDictionary(members: Iterable<readonly [string, Member]>): string {
  const out: string[] = [];
  for (const [key, member] of members) {
    if (!isInnerList(member) && member.bare.kind === 'boolean' && member.bare.value)
      out.push(key + writeParameters(member.parameters));
    else out.push(`${key}=${writeMember(member)}`);
  }
  return out.join(', ');
}

export function writeList(members: readonly Member[]): string {
  return members.map(writeMember).join(', ');
}

// ---- Reading

/** @throws AoError `bad-structured-field` */
export function parseItem(text: string): Item {
  const reader = new Reader(text);
  const found = reader.item();
  reader.end();
  return found;
}

/** Members in their order; of two with one key the last value counts, in the first one's place. @throws AoError `bad-structured-field` */
export function parseDictionary(text: string): Map<string, Member> {
  const reader = new Reader(text);
  const members = new Map<string, Member>();
  if (text === '') return members;
  for (let first = true; first || reader.comma(); first = false) {
    const key = reader.dictionaryKey(first);
    members.set(key, reader.take('=') ? reader.member() : item(TRUE, reader.parameters()));
  }
  reader.end();
  return members;
}

/** @throws AoError `bad-structured-field` */
export function parseList(text: string): Member[] {
  const reader = new Reader(text);
  const members: Member[] = [];
  if (text === '') return members;
  do members.push(reader.member());
  while (reader.comma());
  reader.end();
  return members;
}

const TRUE: BareItem = { kind: 'boolean', value: true };
const FALSE: BareItem = { kind: 'boolean', value: false };

// Sticky expressions: each reads at the reader's position alone.
const KEY = /[A-Za-z0-9*%_-][A-Za-z0-9*%_.-]*/y;
const FIRST_KEY = /[A-Za-z0-9*%_.-]+/y;
const PARAMETER_KEY = /[a-z*][a-z0-9_.*-]*/y;
const NUMBER = /(-?)(\d+)(?:\.(\d+))?/y;
const STRING = /"([ !#-[\]-~]*(?:\\["\\][ !#-[\]-~]*)*)"/y;
const TOKEN = /[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*/y;
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y;
const SPACES = / */y;
const BLANKS = /[ \t]*/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    if (text.length > MAX_FIELD) throw new AoError('field-too-long', 'A structured field is too long.');
    this.#text = text;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#text);
    if (found) this.#at = expression.lastIndex;
    return found;
  }

  #fail(wanted: string): never {
    const detail = { at: this.#at, near: this.#text.slice(this.#at, this.#at + 40) };
    throw new AoError('bad-structured-field', `A structured field lacks ${wanted}.`, { detail });
  }

  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  end(): void {
    if (this.#at !== this.#text.length) this.#fail('its end');
  }

  /** A comma with the blanks around it; a comma that nothing follows is refused. */
  comma(): boolean {
    const before = this.#at;
    this.#match(BLANKS);
    if (!this.take(',')) {
      this.#at = before;
      return false;
    }
    this.#match(BLANKS);
    if (this.#at === this.#text.length) this.#fail('a member after the comma');
    return true;
  }

  dictionaryKey(first: boolean): string {
    return (this.#match(first ? FIRST_KEY : KEY) ?? this.#fail('a key'))[0];
  }

  member(): Member {
    return this.#text[this.#at] === '(' ? this.#innerList() : this.item();
  }

  item(): Item {
    const bare = this.#bare();
    return { bare, parameters: this.parameters() };
  }

  #innerList(): InnerList {
    this.#at++;
    const items: Item[] = [];
    this.#match(SPACES);
    while (!this.take(')')) {
      items.push(this.item());
      const spaces = this.#match(SPACES)![0];
      if (spaces === '' && this.#text[this.#at] !== ')') this.#fail('a space or )');
    }
    return { items, parameters: this.parameters() };
  }

  parameters(): Parameters {
    if (this.#text[this.#at] !== ';') return NO_PARAMETERS;
    const found = new Map<string, BareItem>();
    while (this.take(';')) {
      this.#match(SPACES);
      const key = (this.#match(PARAMETER_KEY) ?? this.#fail('the name of a parameter'))[0];
      found.set(key, this.take('=') ? this.#bare() : TRUE);
    }
    return found;
  }

  #bare(): BareItem {
    const character = this.#text[this.#at];
    switch (character) {
      case '"': {
        const [, inner] = this.#match(STRING) ?? this.#fail('a closed string of printable ASCII');
        return { kind: 'string', text: inner!.includes('\\') ? inner!.replace(/\\(.)/g, '$1') : inner! };
      }
      case ':': {
        const [, inner] = this.#match(BYTES) ?? this.#fail('a closed byte sequence');
        if (inner!.replace(/=+$/, '').length % 4 === 1) this.#fail('a byte sequence of a possible length');
        return { kind: 'bytes', bytes: fromBase64(inner!) };
      }
      case '?':
        this.#at++;
        if (this.take('1')) return TRUE;
        if (this.take('0')) return FALSE;
        return this.#fail('a boolean');
    }
    const number = this.#match(NUMBER);
    if (number) return this.#number(number);
    const token = this.#match(TOKEN) ?? this.#fail('a value');
    return { kind: 'token', text: token[0] };
  }

  #number([text, , whole, fraction]: RegExpExecArray): BareItem {
    if (fraction === undefined) {
      if (whole!.length > 15) this.#fail('an integer of at most 15 digits');
      return { kind: 'integer', value: BigInt(text) };
    }
    if (whole!.length > 12 || fraction.length > 3) this.#fail('a decimal of at most 12 and 3 digits');
    return { kind: 'decimal', text };
  }
}
