/**
 * The path grammar (resolver.md §4.1): a singleton message with a `path` becomes the ordered sequence of messages
 * that the resolver walks. Query parameters and the message's own keys are global: they go to every element.
 */
import { binaryBytes, As, Atom, isBinary, Subpath, type Value } from '../../message/value.ts';
import { bytesToLatin1 } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import { Message } from '../../message/message.ts';
import { iterationOrder } from '../../message/order.ts';
import { PATH_LIMITS } from './limits.ts';
import { formDecode, fromOctets, percentDecode, toOctets } from './octets.ts';
import { decodeTyped, isIdLength, parseSegment, type ParseSubpath } from './segment.ts';
import { findSeparator, splitOutside } from './split.ts';

/** A path's query as keys of the request: names undecoded of their types, `true` where there is no value. */
export type Query = ReadonlyMap<string, Value>;

/** Splits a path from its query and decodes the query's names and values (steps 1 to 3). */
export function splitQuery(path: string): { path: string; query: Query } {
  return splitOctets(toOctets(path));
}

function splitOctets(raw: string): { path: string; query: Query } {
  const octets = percentDecode(raw);
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
    if (equals === 0) throw new AoError('bad-parameter', 'A parameter of a query has no name.');
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
  const own = new Map<string, Value>();
  for (const [key, value] of singleton) if (key !== 'path') own.set(key, value);
  return parseWhole(toOctets(pathOctets(singleton.get('path'))), own, 0);
}

/** A path with its query and with `own`, the keys that come with it; a sub-path is a whole path again, with none. */
function parseWhole(raw: string, own: ReadonlyMap<string, Value>, depth: number): Value[] {
  if (depth > PATH_LIMITS.depth)
    throw new AoError('path-too-deep', `A path has more than ${PATH_LIMITS.depth} levels of sub-paths.`);
  const { path, query } = splitOctets(raw);
  const subpath: ParseSubpath = (inner) => parseWhole(inner, NOTHING, depth + 1);
  const sequence = parseSegments(path, subpath);
  if (sequence.length === 0) return [];
  const globals = query.size === 0 ? own : new Map([...own, ...query]);
  const { shared, scoped } = scopeGlobals(typeGlobals(globals, subpath), sequence.length);
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
function parseSegments(octets: string, subpath: ParseSubpath): Value[] {
  const segments = splitOutside(octets, '/').filter((segment) => segment !== '');
  if (segments.length > PATH_LIMITS.steps)
    throw new AoError('too-many-steps', `A path has more than ${PATH_LIMITS.steps} segments.`);
  const elements = segments.map((segment) => parseSegment(segment, subpath));
  const [first] = elements;
  return first === undefined || !(first instanceof Message) ? elements : [Message.empty, ...elements];
}

const NOTHING: ReadonlyMap<string, Value> = new Map();
const TYPE_MARK = /[+ ]/;

/**
 * Decodes values of keys `name+type` (step 8). Of two that end up with one name the later counts, in the
 * reference's order of keys: a typed one comes after the plain one, wherever they stand in the query.
 */
function typeGlobals(globals: ReadonlyMap<string, Value>, subpath: ParseSubpath): ReadonlyMap<string, Value> {
  if (![...globals.keys()].some((key) => TYPE_MARK.test(key))) return globals;
  const out = new Map<string, Value>();
  for (const key of iterationOrder(globals.keys())) {
    const value = globals.get(key)!;
    const mark = key.search(TYPE_MARK);
    if (mark < 0) {
      out.set(key, value);
      continue;
    }
    if (!isBinary(value))
      throw new AoError('bad-parameter', `The typed parameter ${JSON.stringify(key)} has no value.`);
    const decoded = decodeTyped(key.slice(mark + 1), toOctets(pathOctets(value)), subpath);
    // What could not be read vanishes, and takes what the name stood for along.
    if (decoded === undefined) out.delete(key.slice(0, mark));
    else out.set(key.slice(0, mark), decoded);
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
