/** One segment of a path (resolver.md §4.2): an ID, a sub-path, or a key with a device and inline parameters. */
import { AoError } from '../../base/errors.ts';
import { Message } from '../../message/message.ts';
import { As, Atom, Subpath, type Value } from '../../message/value.ts';
import { PATH_LIMITS } from './limits.ts';
import { fromOctets } from './octets.ts';
import { findSeparator, isParenthesised, splitOutside } from './split.ts';
import { decodeParameter, unquote } from './typed.ts';

/** Parses the inside of a parenthesis; handed in since a sub-path is a whole path again. */
export type ParseSubpath = (octets: string) => readonly Value[];

/** The ID test of resolver.md §1: nothing but the number of bytes counts. */
export function isIdLength(length: number): boolean {
  return length === 43 || length === 42 || length === 32;
}

/** @throws AoError `segment-too-long`, `bad-segment`, `bad-parameter` */
export function parseSegment(segment: string, subpath: ParseSubpath): Value {
  if (segment.length > PATH_LIMITS.segment)
    throw new AoError('segment-too-long', `A path segment is longer than ${PATH_LIMITS.segment} bytes.`, {
      detail: { length: segment.length },
    });
  if (isIdLength(segment.length)) return fromOctets(segment);
  if (isParenthesised(segment)) return new Subpath(subpath(segment.slice(1, -1)));
  const end = findSeparator(segment, '&~+ =');
  const key = fromOctets(segment.slice(0, end));
  switch (segment[end]) {
    case undefined:
      return Message.of({ path: key });
    case '&':
      return withInline({ path: key }, segment.slice(end + 1), subpath);
    case '~': {
      const rest = segment.slice(end + 1);
      const inline = findSeparator(rest, '&');
      const device = fromOctets(rest.slice(0, inline));
      return new As(device, withInline({ path: key }, rest.slice(inline + 1), subpath));
    }
    case '=':
    case '+':
      return withInline({ path: key }, segment, subpath);
    default:
      throw new AoError('bad-segment', 'A path segment holds a space outside quotes.');
  }
}

function withInline(fields: { path: string }, text: string, subpath: ParseSubpath): Message {
  const out = new Map<string, Value>([['path', fields.path]]);
  for (const piece of splitOutside(text, '&')) {
    if (piece === '') continue;
    if (piece.length > PATH_LIMITS.segment)
      throw new AoError('segment-too-long', `A parameter is longer than ${PATH_LIMITS.segment} bytes.`);
    const [key, value] = parseInline(piece, subpath);
    // A typed value that could not be read vanishes, and takes an earlier one of its name along.
    if (value === undefined) out.delete(key);
    else out.set(key, value);
  }
  return new Message(out);
}

function parseInline(piece: string, subpath: ParseSubpath): [string, Value | undefined] {
  const equals = piece.indexOf('=');
  if (equals < 0) return [fromOctets(piece), Atom.true];
  const name = piece.slice(0, equals);
  const text = stripQuotes(piece.slice(equals + 1));
  const plus = name.indexOf('+');
  if (isParenthesised(text)) {
    if (plus >= 0)
      throw new AoError('bad-parameter', 'An inline parameter cannot have both a type and a sub-path.');
    return [fromOctets(name), new Subpath(subpath(text.slice(1, -1)))];
  }
  if (plus < 0) return [fromOctets(name), fromOctets(text)];
  return [fromOctets(name.slice(0, plus)), decodeTyped(name.slice(plus + 1), text, subpath)];
}

/** `resolve` makes a sub-path of the text; every other type is a value. */
export function decodeTyped(type: string, text: string, subpath: ParseSubpath): Value | undefined {
  if (type !== 'resolve') return decodeParameter(type, text);
  return new Subpath(subpath(unquote(text)));
}

/** One pair of surrounding quotes goes; a missing closing quote only costs the opening one. */
function stripQuotes(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.length > 1 && text.endsWith('"') ? text.slice(1, -1) : text.slice(1);
}
