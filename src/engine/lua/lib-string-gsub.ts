/** `string.gsub` (lua.md §10.5). All matches are found first, then replaced in order. */
import { clamp, convert } from './arguments.ts';
import { badArgument, luaError, LuaLimit, TermAtom } from './errors.ts';
import { now } from './journal.ts';
import { captured, withEffort } from './lib-string.ts';
import { running } from './library.ts';
import { toText } from './number-text.ts';
import { index } from './operators.ts';
import { searchAll, type Match } from './pattern.ts';
import { compilePattern } from './pattern-compile.ts';
import type { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Call, isFunction, type Answer, type Steps, type Value } from './value.ts';

export function gsub(state: State, args: Value[]): Answer {
  const converted = convert(args, 'ssai');
  if (!converted || converted.length < 3) throw badArgument('gsub', args);
  const [text, pattern, replacement, most] = converted as [string, string, Value, (number | bigint)?];
  if (most !== undefined && most <= 0) throw badArgument('gsub', args);
  const items = compilePattern(pattern);
  const limit = most === undefined ? Infinity : clamp(most);
  const matches = withEffort(state, (effort) => searchAll(items, text, limit, effort));
  if (replacement instanceof LuaTable || isFunction(replacement))
    return running(callEach(state, text, matches, replacement));
  const template = toText(replacement) ?? '';
  const result = assemble(state, text, matches, (match) => fill(template, match, text));
  return [result, matches.length];
}

function assemble(
  state: State,
  text: string,
  matches: readonly Match[],
  replace: (match: Match) => string,
): string {
  let out = '';
  let at = 0;
  for (const match of matches) {
    out += text.slice(at, match.captures[0]!.from) + replace(match);
    at = match.end;
    if (out.length > state.largest) throw new LuaLimit('memory', 'A string is too long.');
  }
  now.journal.allocate(out.length);
  return out + text.slice(at);
}

/** `%0` to `%9` and `%%`; any other `%` stays as it is. */
function fill(template: string, match: Match, text: string): string {
  if (!template.includes('%')) return template;
  return template.replace(/%([%0-9])/g, (_, c: string) => {
    if (c === '%') return '%';
    const group = Number(c);
    const capture = match.captures.find((one) => one.group === group);
    if (!capture) throw luaError('illegal_index', new TermAtom('capture'), group);
    return toText(captured(capture, text, 0))!;
  });
}

function* callEach(state: State, text: string, matches: readonly Match[], replacement: Value): Steps {
  const values: string[] = [];
  for (const match of matches) {
    const [whole, ...groups] = match.captures;
    const used = groups.length ? groups : [whole!];
    let value: Value | Call;
    if (replacement instanceof LuaTable) value = index(state, replacement, captured(used[0]!, text, 0));
    else
      value = new Call(
        replacement,
        used.map((capture) => captured(capture, text, 0)),
      );
    const result = value instanceof Call ? (yield value)[0] : value;
    values.push(toText(result) ?? (captured(whole!, text, 0) as string));
  }
  let i = 0;
  return [assemble(state, text, matches, () => values[i++]!), matches.length];
}
