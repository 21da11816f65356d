/** The string library (lua.md §10.2). Positions are bytes, from 1. */
import { clamp, convert, integers } from './arguments.ts';
import { badArgument, LuaCrash, LuaLimit } from './errors.ts';
import { format } from './format.ts';
import { now } from './journal.ts';
import { gsub } from './lib-string-gsub.ts';
import { Library, running, type Builtins } from './library.ts';
import { isNumber, toText } from './number-text.ts';
import { search, type Capture, type Effort } from './pattern.ts';
import { compilePattern } from './pattern-compile.ts';
import type { State } from './state.ts';
import { LuaFloat, type Answer, type Value } from './value.ts';

export function string(state: State, builtins: Builtins): Library {
  const lib = new Library(state, 'string', builtins);
  lib.add('byte', byte);
  lib.add('char', char);
  lib.add('dump', refuse('dump'));
  lib.add('find', (args) => find(state, args));
  lib.add('format', (args) => running(format(state, args)), 'format', 'all');
  lib.add('gmatch', refuse('gmatch'));
  lib.add('gsub', (args) => gsub(state, args));
  lib.add('len', (args) => textOf('len', args).length);
  lib.add('lower', (args) => {
    const converted = convert(args, 's');
    if (!converted?.length) throw badArgument('lower', args);
    return changeCase(converted[0] as string, LOWER);
  });
  lib.add('match', (args) => match(state, args));
  lib.add('rep', (args) => rep(state, args));
  lib.add('reverse', (args) => [...textOf('reverse', args)].reverse().join(''));
  lib.add('sub', sub);
  lib.add('upper', (args) => changeCase(textOf('upper', args), UPPER));
  return lib;
}

/** These exist and always fail. */
function refuse(name: string): (args: Value[]) => Answer {
  return (args) => {
    throw badArgument(name, args);
  };
}

function textOf(name: string, args: Value[]): string {
  const [value] = args;
  if (typeof value !== 'string' && !isNumber(value)) throw badArgument(name, args);
  return toText(value)!;
}

const UPPER = caseTable((c) => (c >= 97 && c <= 122) || (c >= 0xe0 && c <= 0xfe && c !== 0xf7), -32);
const LOWER = caseTable((c) => (c >= 65 && c <= 90) || (c >= 0xc0 && c <= 0xde && c !== 0xd7), 32);

function caseTable(changes: (code: number) => boolean, by: number): string[] {
  return Array.from({ length: 256 }, (_, c) => String.fromCharCode(changes(c) ? c + by : c));
}

function changeCase(text: string, table: string[]): string {
  if (/^[\0-\x7f]*$/.test(text)) return table === UPPER ? text.toUpperCase() : text.toLowerCase();
  let out = '';
  for (let i = 0; i < text.length; i++) out += table[text.charCodeAt(i)];
  return out;
}

/** A position that may count from the end. */
function fromEnd(position: number, length: number): number {
  return position < 0 ? length + position + 1 : position;
}

function sub(args: Value[]): Answer {
  const converted = convert(args, 'sii');
  if (!converted || converted.length < 2) throw badArgument('sub', args);
  const [text, i, j] = converted as [string, number | bigint, (number | bigint)?];
  if (i === 0 && j === undefined) return text;
  const from = Math.max(1, fromEnd(clamp(i), text.length));
  const to = j === undefined ? text.length : Math.min(text.length, fromEnd(clamp(j), text.length));
  return from > to ? '' : text.slice(from - 1, to);
}

function byte(args: Value[]): Answer {
  const converted = convert(args, 'sii');
  if (!converted?.length) throw badArgument('byte', args);
  const [text, i = 1, j = i] = converted as [string, (number | bigint)?, (number | bigint)?];
  const from = Math.max(1, fromEnd(clamp(i), text.length));
  const to = Math.min(text.length, fromEnd(clamp(j), text.length));
  if (text === '' || from > to) return undefined;
  if (from === to) return text.charCodeAt(from - 1);
  now.journal.allocate(16 * (to - from));
  const out: number[] = [];
  for (let at = from; at <= to; at++) out.push(text.charCodeAt(at - 1));
  return out;
}

function char(args: Value[]): Answer {
  if (args.length === 1 && args[0] === undefined) return '';
  const codes = integers(args);
  if (!codes) throw badArgument('char', args);
  let out = '';
  for (const code of codes) {
    if (code < 0 || code > 255) throw new LuaCrash('badarg: a byte outside 0 to 255');
    out += String.fromCharCode(code as number);
  }
  return out;
}

function rep(state: State, args: Value[]): Answer {
  const given = args.length === 2 ? [...args, ''] : args;
  const converted = given.length < 3 ? undefined : convert(given, 'sis');
  if (!converted) throw badArgument('rep', given);
  const [text, count, separator] = converted as [string, number | bigint, string];
  if (count <= 0) return '';
  const size = Number(count) * (text.length + separator.length);
  if (size > state.largest) throw new LuaLimit('memory', 'A string is too long.');
  now.journal.allocate(size);
  state.steps -= size >> 6;
  if (size === 0) return '';
  return separator === '' ? text.repeat(Number(count)) : (text + separator).repeat(Number(count) - 1) + text;
}

/** What a search may cost, taken from the steps that are left. */
export function withEffort<T>(state: State, run: (effort: Effort) => T): T {
  const budget = Math.min(state.steps * 8, Number.MAX_SAFE_INTEGER);
  const effort = { left: budget };
  const result = run(effort);
  state.steps -= Math.floor((budget - effort.left) / 8);
  return result;
}

/** A captured text or position; positions count from `origin`. */
export function captured(capture: Capture, text: string, origin: number): Value {
  if (capture.length < 0) return capture.from - origin + 1;
  return text.slice(capture.from, capture.from + capture.length);
}

function find(state: State, args: Value[]): Answer {
  let given = args;
  if (given.length === 2) given = [...given, new LuaFloat(1)];
  if (given.length === 3) given = [...given, undefined];
  const converted = convert(given, 'ssib');
  if (converted?.length !== 4) throw badArgument('find', given);
  const [text, pattern, init, plain] = converted as [string, string, number | bigint, boolean];
  const length = text.length;
  const start = clamp(init);
  if (start > length + 1) return undefined;
  const from = start < -length ? 1 : start < 0 ? length + start + 1 : start === 0 ? 1 : start;
  if (plain) {
    if (length === 0) return undefined;
    if (pattern === '') throw new LuaCrash('badarg: an empty text to search for');
    const at = text.indexOf(pattern, from - 1);
    return at < 0 ? undefined : [at + 1, at + pattern.length];
  }
  const items = compilePattern(pattern);
  const found = withEffort(state, (effort) => search(items, text, from - 1, effort));
  if (!found) return undefined;
  const [whole, ...groups] = found.captures;
  return [whole!.from + 1, found.end, ...groups.map((group) => captured(group, text, 0))];
}

function match(state: State, args: Value[]): Answer {
  const given = args.length === 2 ? [...args, new LuaFloat(1)] : args;
  const converted = convert(given, 'ssi');
  if (converted?.length !== 3) throw badArgument('match', given);
  const [text, pattern, init] = converted as [string, string, number | bigint];
  const length = text.length;
  const start = clamp(init);
  if (length === 0 || start > length) return undefined;
  const from = start < -length ? 1 : start < 0 ? length + start + 1 : start === 0 ? 1 : start;
  const items = compilePattern(pattern);
  const found = withEffort(state, (effort) => search(items, text, from - 1, effort));
  if (!found) return undefined;
  const groups = found.captures.length > 1 ? found.captures.slice(1) : found.captures;
  return groups.map((group) => captured(group, text, from - 1));
}
