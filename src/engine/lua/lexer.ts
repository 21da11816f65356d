/**
 * Bytes to tokens (lua.md §1). The source is Latin-1 text, one character for each byte. As the reference scans a whole
 * chunk before it parses, an illegal token anywhere is reported before any syntax error.
 */
import { LuaSyntaxError } from './errors.ts';
import { skipComment } from './number-text.ts';
import { scanNumeral } from './numeral.ts';
import type { LuaFloat } from './value.ts';

export type Token =
  | { readonly kind: 'name'; readonly line: number; readonly text: string }
  | { readonly kind: 'string'; readonly line: number; readonly text: string }
  | { readonly kind: 'number'; readonly line: number; readonly value: number | bigint | LuaFloat }
  /** Keywords and operators. */
  | { readonly kind: 'sign'; readonly line: number; readonly text: string }
  | { readonly kind: 'end'; readonly line: number };

const KEYWORDS = new Set(
  `and break do else elseif end false for function goto if in local nil not or repeat return then true until while`.split(
    ' ',
  ),
);
const SIGNS = ['...', '//', '>>', '<<', '==', '~=', '<=', '>=', '::', '..', ...'+-*/%^&|~#<>=(){}[];:,.'];
const BLANKS = /[\t-\r \xa0]+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** @throws LuaSyntaxError with the reference's text: `illegal characters "…"`, `illegal string` … */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const skip = (end: number): void => {
    line += countLines(source.slice(at, end));
    at = end;
  };
  while (at < source.length) {
    const blanks = match(BLANKS, source, at);
    if (blanks !== undefined) {
      skip(at + blanks.length);
      continue;
    }
    const comment = skipComment(source, at);
    if (comment > at) {
      skip(comment);
      continue;
    }
    if (source.startsWith('--[[', at)) throw new LuaSyntaxError('unfinished long comment', line);
    const name = match(NAME, source, at);
    if (name !== undefined) {
      tokens.push({ kind: KEYWORDS.has(name) ? 'sign' : 'name', line, text: name });
      at += name.length;
      continue;
    }
    const numeral = scanNumeral(source, at);
    if (numeral) {
      if (numeral.value === undefined) throw new LuaSyntaxError(numeral.error!, line);
      tokens.push({ kind: 'number', line, value: numeral.value });
      at = numeral.end;
      continue;
    }
    const first = source[at]!;
    if (first === '"' || first === "'") {
      const end = quotedEnd(source, at);
      if (end === undefined) illegal(source.slice(at), line);
      tokens.push({ kind: 'string', line, text: unescape(source.slice(at + 1, end - 1), line) });
      skip(end);
      continue;
    }
    const long = first === '[' ? longString(source, at) : undefined;
    if (long) {
      tokens.push({ kind: 'string', line, text: long.text });
      skip(long.end);
      continue;
    }
    const sign = SIGNS.find((text) => source.startsWith(text, at));
    if (sign === undefined) illegal(first, line);
    tokens.push({ kind: 'sign', line, text: sign });
    at += sign.length;
  }
  tokens.push({ kind: 'end', line });
  return tokens;
}

function illegal(text: string, line: number): never {
  throw new LuaSyntaxError(`illegal characters ${erlangString(text)}`, line);
}

/** Text as Erlang writes a string; the result is the UTF-8 bytes of it. */
export function erlangString(text: string): string {
  const names: Record<string, string> = {
    '"': '\\"',
    '\\': '\\\\',
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
    '\v': '\\v',
    '\b': '\\b',
    '\f': '\\f',
    '\x1b': '\\e',
    '\x7f': '\\d',
  };
  let out = '"';
  for (const character of text) {
    const code = character.charCodeAt(0);
    if (names[character] !== undefined) out += names[character];
    else if (code < 32) out += `\\${code.toString(8).padStart(3, '0')}`;
    else if (code >= 0x80 && code < 0xa0) out += `\\${code.toString(8)}`;
    else out += code < 0x80 ? character : latin1ToUtf8(character);
  }
  return `${out}"`;
}

/** Each byte above 0x7F becomes the two bytes of its UTF-8 form. */
export function latin1ToUtf8(text: string): string {
  return text.replace(/[\x80-\xff]/g, (character) => {
    const code = character.charCodeAt(0);
    return String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
  });
}

/** The place after the closing quote, undefined if there is none. */
function quotedEnd(source: string, start: number): number | undefined {
  const quote = source[start];
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === quote) return at + 1;
    if (source[at] === '\\') at++;
  }
  return undefined;
}

const ESCAPES: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

function unescape(body: string, line: number): string {
  const bad = (): never => {
    throw new LuaSyntaxError('illegal string', line);
  };
  let out = '';
  let at = 0;
  while (at < body.length) {
    const next = body.indexOf('\\', at);
    const plain = body.slice(at, next < 0 ? undefined : next);
    if (plain.includes('\n')) bad();
    out += latin1ToUtf8(plain);
    if (next < 0) break;
    const digits = /[0-9]{1,3}/y;
    const hex = /x[0-9A-Fa-f]{2}/y;
    const decimal = match(digits, body, next + 1);
    const pair = match(hex, body, next + 1);
    if (decimal !== undefined) {
      if (Number(decimal) > 255) bad();
      out += String.fromCharCode(Number(decimal));
      at = next + 1 + decimal.length;
    } else if (pair !== undefined) {
      out += String.fromCharCode(Number.parseInt(pair.slice(1), 16));
      at = next + 4;
    } else if (body[next + 1] === 'z') {
      at = next + 2;
      while (at < body.length && body.charCodeAt(at) <= 32) at++;
    } else {
      out += ESCAPES[body[next + 1] ?? ''] ?? bad();
      at = next + 2;
    }
  }
  return out;
}

/** A long string of level 0 to 3 at `at`, or undefined: then the bracket is a bracket. */
function longString(source: string, at: number): { text: string; end: number } | undefined {
  let level = 0;
  while (level < 4 && source[at + 1 + level] === '=') level++;
  if (level > 3 || source[at + 1 + level] !== '[') return undefined;
  const open = at + 2 + level;
  const end = longEnd(source, open, level);
  if (end === undefined) return undefined;
  let body = source.slice(open, end - 2 - level);
  if (body[0] === '\n') body = body.slice(1);
  return { text: latin1ToUtf8(body), end };
}

/**
 * The place after the closing bracket. As the reference's regular expression has it, a `]` that does not begin the
 * closing bracket is consumed together with what shows that it does not: in `[=[a]]=]` the first two `]` are one step.
 */
function longEnd(source: string, open: number, level: number): number | undefined {
  let at = open;
  while (at < source.length) {
    at = source.indexOf(']', at);
    if (at < 0) return undefined;
    let equals = 0;
    while (equals < level && source[at + 1 + equals] === '=') equals++;
    if (equals === level && source[at + 1 + level] === ']') return at + 2 + level;
    at += equals + 2;
  }
  return undefined;
}
