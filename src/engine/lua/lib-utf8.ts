/** The utf8 library (lua.md §10.8). */
import { clamp, convert, integers } from './arguments.ts';
import { badArgument, LuaCrash, luaError, TermAtom } from './errors.ts';
import { now } from './journal.ts';
import { Library, type Builtins } from './library.ts';
import type { State } from './state.ts';
import { Builtin, type Answer, type Value } from './value.ts';

export function utf8(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'utf8', builtins);
  lib.add(
    'char',
    (args) => {
      const codes = integers(args);
      if (!codes) throw badArgument('char', args);
      return codes.map(encode).join('');
    },
    'utf8_char',
  );
  lib.value('charpattern', '[\x00-\x7f\xc2-\xf4][\x80-\xbf]*');
  const step = lib.register(new Builtin('utf8', 'codes_next', codesNext));
  lib.add('codes', (args) => {
    const converted = convert(args, 's');
    if (!converted) throw badArgument('codes', args);
    if (converted.length === 0) throw new LuaCrash('badmatch: codes without arguments');
    return [step, converted[0], 0];
  });
  lib.add('codepoint', (args) => {
    const { text, i, j } = range(args, 'codepoint');
    const out: Value[] = [];
    for (let at = i - 1; at < j;) {
      const character = decode(text, at);
      if (!character) throw badArgument('codepoint', args);
      out.push(character.code);
      at = character.end;
    }
    now.journal.allocate(16 * out.length);
    return out;
  });
  lib.add(
    'len',
    (args) => {
      const { text, i, j } = range(args, 'len');
      let count = 0;
      for (let at = i - 1; at < j; count++) {
        const character = decode(text, at);
        if (!character) return [undefined, at + 1];
        at = character.end;
      }
      return count;
    },
    'utf8_len',
  );
  lib.add('offset', (args) => {
    range(args, 'offset');
    throw luaError('NYI', new TermAtom('offset'));
  });
  return lib;
}

function encode(code: number | bigint): string {
  if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
    throw new LuaCrash('badarg: a code that is no character');
  return String.fromCharCode(...new TextEncoder().encode(String.fromCodePoint(code as number)));
}

const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/** The character at a byte offset, undefined if the bytes are not valid UTF-8. */
export function decode(text: string, at: number): { code: number; end: number } | undefined {
  const first = text.charCodeAt(at);
  if (first < 0x80) return { code: first, end: at + 1 };
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.length) return undefined;
  let code = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = text.charCodeAt(at + i);
    if ((next & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (next & 0x3f);
  }
  if (code < LEAST[length]! || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { code, end: at + length };
}

function codesNext(args: Value[]): Answer {
  const [text, position = 0] = args;
  const at = typeof position === 'number' ? position : NaN;
  if (typeof text !== 'string' || !(at >= 0)) throw new LuaCrash('function_clause: codes without a text');
  if (text.length <= at) return undefined;
  const character = decode(text, at);
  if (!character) throw new LuaCrash('badmatch: codes of something that is not UTF-8');
  return [character.end, character.code];
}

/** The text and the byte range i … j of it, both counted from 1. */
function range(args: Value[], name: string): { text: string; i: number; j: number } {
  const converted = convert(args, 'sii');
  if (!converted) throw badArgument(name, args);
  if (converted.length === 0) throw new LuaCrash(`case_clause: ${name} without arguments`);
  const [text, first = 1, last] = converted as [string, (number | bigint)?, (number | bigint)?];
  const place = (position: number): number => {
    if (position > 0 && position <= text.length) return position;
    if (position < 0 && position >= -text.length) return text.length + position + 1;
    throw badArgument(name, args);
  };
  return { text, i: place(clamp(first)), j: place(last === undefined ? text.length : clamp(last)) };
}
