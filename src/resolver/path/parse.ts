/**
 * The path grammar (resolver.md §4.1): a singleton message with a `path` becomes the ordered sequence of messages
 * that the resolver walks. Query parameters and the message's own keys are global: they go to every element.
 */
import { binaryBytes, As, Atom, isBinary, Subpath, type Value } from '../../message/value.ts';
import { bytesToLatin1 } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { Message } from '../../message/message.ts';
import { PATH_LIMITS } from './limits.ts';
import { formDecode, fromOctets, percentDecode, toOctets } from './octets.ts';
import { decodeTyped, isIdLength, parseSegment } from './segment.ts';
import { findSeparator, splitOutside } from './split.ts';

/** A path's query as keys of the request: names undecoded of their types, `true` where there is no value. */
export type Query = ReadonlyMap<string, Value>;

/** Splits a path from its query and decodes the query's names and values (steps 1 to 3). */
export function splitQuery(path: string): { path: string; query: Query } {
  const octets = percentDecode(toOctets(path));
  if (octets.length > PATH_LIMITS.path)
    throw new AoError('path-too-long', `A path is longer than ${PATH_LIMITS.path} bytes.`, { status: 414 });
  const end = findSeparator(octets, '?');
  return { path: octets.slice(0, end), query: parseQuery(octets.slice(end + 1)) };
}

function parseQuery(text: string): Query {
  const query = new Map<string, Value>();
  if (text === '') return query;
  for (const piece of text.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    if (equals < 0) query.set(fromOctets(formDecode(piece)), Atom.true);
    else {
      const name = fromOctets(formDecode(piece.slice(0, equals)));
      query.set(name, fromOctets(formDecode(piece.slice(equals + 1))));
    }
    if (query.size > PATH_LIMITS.parameters)
      throw new AoError('too-many-parameters', `A query has more than ${PATH_LIMITS.parameters} parameters.`);
  }
  return query;
}

/**
 * `from` of the reference's singleton parser: messages, IDs, `As` and `Subpath` in the order they are resolved.
 * Values typed in text are decoded; nested messages stay inline rather than becoming links.
 * @throws AoError `segment-too-long`, `bad-segment`, `bad-parameter`, `bad-escape`, `invalid-scope`,
 *   `path-too-long` (414), `path-too-deep`, `too-many-steps`
 */
export function parseSingleton(singleton: Message): Value[] {
  const raw = pathOctets(singleton.get('path'));
  const { path, query } = splitQuery(raw);
  const globals = new Map<string, Value>();
  for (const [key, value] of singleton) if (key !== 'path') globals.set(key, value);
  for (const [key, value] of query) globals.set(key, value);
  const sequence = parsePath(path, 0);
  if (sequence.length === 0) return [];
  const { shared, scoped } = scopeGlobals(typeGlobals(globals), sequence.length);
  return sequence.map((element, index) => withGlobals(element, shared, scoped[index]));
}

function pathOctets(path: Value | undefined): string {
  if (path === undefined) return '';
  if (typeof path === 'string') return path;
  if (isBinary(path)) return fromOctets(bytesToLatin1(binaryBytes(path)));
  if (path instanceof Atom) return path.name;
  if (typeof path === 'bigint') return path.toString();
  if (Array.isArray(path)) return (path as readonly Value[]).map(pathOctets).join('/');
  throw new AoError('bad-path', 'The path of a message must be text.');
}

/** A path without its query, with the base that the first element may not be itself. */
function parsePath(octets: string, depth: number): Value[] {
  if (depth > PATH_LIMITS.depth)
    throw new AoError('path-too-deep', `A path has more than ${PATH_LIMITS.depth} levels of sub-paths.`);
  const segments = splitOutside(octets, '/').filter((segment) => segment !== '');
  if (segments.length > PATH_LIMITS.steps)
    throw new AoError('too-many-steps', `A path has more than ${PATH_LIMITS.steps} segments.`);
  const elements = segments.map((segment) => parseSegment(segment, (inner) => parsePath(inner, depth + 1)));
  const [first] = elements;
  const sequence =
    first === undefined || !(first instanceof Message) ? elements : [Message.empty, ...elements];
  // Nothing is global inside a sub-path.
  return depth === 0 ? sequence : sequence.map((element) => withGlobals(element, NOTHING, undefined));
}

const NOTHING = new Map<string, Value>();

/** Decodes values of keys `name+type` (step 8); the later of two that end up with one name wins. */
function typeGlobals(globals: ReadonlyMap<string, Value>): Map<string, Value> {
  const out = new Map<string, Value>();
  for (const [key, value] of globals) {
    const mark = key.search(/[+ ]/);
    if (mark < 0) {
      out.set(key, value);
      continue;
    }
    if (!isBinary(value))
      throw new AoError('bad-parameter', `The typed parameter ${JSON.stringify(key)} has no value.`);
    const text = toOctets(pathOctets(value));
    const decoded = decodeTyped(key.slice(mark + 1), text, (inner) => parsePath(inner, 1));
    if (decoded !== undefined) out.set(key.slice(0, mark), decoded);
  }
  return out;
}

/** Keys `N.name` apply to element N alone (step 9). */
function scopeGlobals(globals: ReadonlyMap<string, Value>, length: number) {
  const shared = new Map<string, Value>();
  const scoped: (Map<string, Value> | undefined)[] = [];
  for (const [key, value] of globals) {
    const parts = key.split('.');
    if (parts.length !== 2) {
      shared.set(key, value);
      continue;
    }
    const [front, name] = parts as [string, string];
    if (!/^[+]?\d+$/.test(front))
      throw new AoError('invalid-scope', `The key ${JSON.stringify(key)} has no number before its dot.`);
    const index = Number(front);
    if (index < length) (scoped[index] ??= new Map()).set(name, value);
  }
  return { shared, scoped };
}

function withGlobals(
  element: Value,
  shared: Map<string, Value>,
  scoped: Map<string, Value> | undefined,
): Value {
  if (typeof element === 'string' || element instanceof Subpath) return element;
  if (element instanceof Message) return overlay(shared, scoped, element);
  if (!(element instanceof As)) return element;
  const message = element.message as Message;
  const path = message.text('path');
  if (path && isIdLength(toOctets(path).length)) return new As(element.device, dropPrivate(message));
  const merged = overlay(shared, scoped, message);
  return new As(element.device, path ? merged : merged.without('path'));
}

function overlay(shared: Map<string, Value>, scoped: Map<string, Value> | undefined, own: Message): Message {
  const fields = new Map(shared);
  if (scoped) for (const [key, value] of scoped) fields.set(key, value);
  for (const [key, value] of own) fields.set(key, value);
  return dropPrivate(new Message(fields));
}

/** Private keys never come in from outside (step 10). */
function dropPrivate(message: Message): Message {
  return message.filter((key) => !key.startsWith('priv'));
}
