/**
 * `json@1.0` (messages.md §9.2): typed values ⇄ JSON text. Integers and floats are JSON numbers, atoms are text
 * named in `ao-types`, links stand under `K+link`.
 *
 * Not encodable: binaries that are not UTF-8. Not decodable: integers of 16 digits and more.
 */
import { AoError } from '../base/errors.ts';
import { isPrivateKey, linkKey } from '../message/keys.ts';
import { listToMessage } from '../message/lists.ts';
import { Message } from '../message/message.ts';
import { Atom, type Binary, isBinary, Link, type Value } from '../message/value.ts';
import { compareText } from '../base/bytes.ts';
import { parseJson, writeJson } from './json-text.ts';
import { checkDepth } from './limits.ts';
import { decodeStructured, escapeKey } from './structured.ts';

/**
 * JSON text of a value. Links are written as such: load them before (or link nested messages before) as wanted.
 * @throws AoError `not-text`, `bad-value`
 */
export function encodeJson(value: Value): string {
  return writeJson(typeAtoms(value, 0));
}

/** The value with its atoms as annotated text and its links as `K+link`; numbers stay what they are. */
function typeAtoms(value: Value, depth: number): Value {
  checkDepth(depth);
  if (value instanceof Message) return typeMessage(value, depth);
  if (value instanceof Atom) return value.name;
  if (!Array.isArray(value)) return value;
  const list = value as readonly Value[];
  if (!list.some((item) => item instanceof Atom || item instanceof Link))
    return list.map((item) => typeAtoms(item, depth + 1));
  const message = typeMessage(listToMessage(list), depth);
  const types = message.text('ao-types');
  return message.with([['ao-types', types ? `.="list", ${types}` : '.="list"']]);
}

function typeMessage(message: Message, depth: number): Message {
  const out = new Map<string, Value>();
  const atoms: string[] = [];
  for (const [key, value] of message) {
    if (isPrivateKey(key) || key === 'content-digest' || key === 'unsigned_id') continue;
    if (key === 'commitments') out.set(key, value instanceof Message ? withoutPrivateKeys(value) : value);
    else if (value instanceof Atom) {
      out.set(key, value.name);
      atoms.push(key);
    } else if (value instanceof Link) {
      if (value.lazy) throw new AoError('bad-value', 'A lazy link has to be resolved before it is encoded.');
      out.set(linkKey(key), value.id);
    } else out.set(key, isBinary(value) ? value : typeAtoms(value, depth + 1));
  }
  if (atoms.length) {
    atoms.sort(compareText);
    out.set('ao-types', atoms.map((key) => `${escapeKey(key)}="atom"`).join(', '));
  }
  return new Message(out);
}

function withoutPrivateKeys(message: Message): Message {
  return message.filter((key) => !isPrivateKey(key));
}

/**
 * The value that JSON text stands for.
 * @throws AoError `bad-json` (also for a number or word alone), `bad-integer`, and all that bad `ao-types` throw
 */
export function decodeJson(text: Binary): Value {
  const parsed = parseJson(text);
  if (parsed instanceof Message) return decodeStructured(parsed);
  if (typeof parsed === 'string') return parsed;
  if (Array.isArray(parsed)) {
    const wrapped = decodeStructured(Message.from([['list', parsed as readonly Value[]]])) as Message;
    return wrapped.get('list')!;
  }
  throw new AoError('bad-json', 'JSON text has to be an object, an array or a string.');
}
