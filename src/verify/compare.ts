/**
 * What of two states is compared (attestation.md §4.0): everything that a program or a reader can see. Left out is
 * what mirrors the inner workings of one node and what the definition itself already proves. The list has a version,
 * which goes into stored evidence.
 */
import { encodeJson } from '../codec/json.ts';
import { contentId } from '../commitment/id.ts';
import { committers, withOnlyCommitted } from '../commitment/select.ts';
import { Message } from '../message/message.ts';
import { equalValues } from '../message/equal.ts';
import { isPrivateKey } from '../message/keys.ts';
import { Atom, isBinary, Link, type Value } from '../message/value.ts';
import { fromBytes } from '../base/bytes.ts';
import { isTransportField, withoutEnvelope } from './transport-fields.ts';

export const STATE_RULES = 'state-rules@1';

/** Keys of a state that say how a node computes, not what. */
const INNER = new Set([
  'commitments',
  'device',
  'process',
  'module',
  'image',
  'snapshot',
  'initialized',
  'parameters',
  'file-descriptors',
  'vfs',
  'wasm',
  'function',
  'previous-device',
  'previous-input-prefix',
  'previous-output-prefix',
  'input-prefix',
  'output-prefix',
  'status',
  'ao-result',
  'ao-types',
  'hashpath',
  'content-type',
  'ao-body-key',
  // Of an answer that nobody signed: what every HTTP server adds.
  'content-length',
  'content-digest',
]);

/** A state without its inner keys, without pointers in its results, and without what proxies add. */
export function comparable(state: Message, definition: Message): Message {
  // Servers and proxies on the way add headers of their own: what the node says is what it signed.
  const said = committers(state).length > 0 ? withOnlyCommitted(state) : state;
  const visible = said.filter((key) => !INNER.has(key) && !isPrivateKey(key) && !isTransportField(key));
  const results = visible.get('results');
  const clean = results instanceof Message ? visible.with({ results: cleanResults(results) }) : visible;
  // A key that only repeats the definition proves nothing, and not every node repeats it.
  return clean.filter(
    (key, value) => key === 'results' || !definition.has(key) || !equalValues(value, definition.get(key)!),
  );
}

/** Results without what differs between two honest nodes: pointers and what the transport adds. */
export function cleanResults(results: Message): Message {
  const wasm = results.get('wasm');
  const kept = results.without('commitments', 'status', 'hashpath');
  if (!(wasm instanceof Message)) return kept;
  const inner = wasm.without('output');
  return inner.size ? kept.with({ wasm: inner }) : kept.without('wasm');
}

/**
 * What a node said beside what is right. HTTP carries the keys of a message as header names, in lower case: where our
 * state has a key in several spellings, the one that came over is any of them.
 */
export function stateDifference(said: Message, right: Message): Difference | undefined {
  const spellings = new Map<string, Value[]>();
  for (const [key, value] of right) {
    const name = key.toLowerCase();
    spellings.set(name, [...(spellings.get(name) ?? []), value]);
  }
  const ours = [...spellings].map(([name, values]): [string, Value] => {
    const other =
      said.get(name) ?? said.get([...said.keys()].find((key) => key.toLowerCase() === name) ?? '');
    return [name, values.find((value) => other !== undefined && !difference(other, value)) ?? values[0]!];
  });
  const theirs = [...said].map(([key, value]): [string, Value] => [key.toLowerCase(), value]);
  return difference(Message.from(theirs), Message.from(ours));
}

/** The value of a path as a node said it, beside what is right. */
export function valueDifference(said: Value, right: Value | undefined): Difference | undefined {
  const value = withoutEnvelope(said, right);
  if (value instanceof Message && right instanceof Message) return stateDifference(value, right);
  return difference(value, right);
}

export interface Difference {
  /** Path inside the state. */
  readonly path: string;
  readonly said: string;
  readonly right: string;
}

/** The first difference between what a node said and what is right; undefined if there is none. */
export function difference(
  said: Value | undefined,
  right: Value | undefined,
  path = '',
): Difference | undefined {
  // What is not there reads as the atom `not_found`.
  if (right === undefined && Atom.notFound.is(said)) return undefined;
  if (said === undefined || right === undefined)
    return said === right ? undefined : { path, said: show(said), right: show(right) };
  // A body of several parts cannot tell an empty text from an empty message (messages.md §5).
  if (isEmpty(said) && isEmpty(right)) return undefined;
  const a = asMessage(said);
  const b = asMessage(right);
  if (a && b) {
    for (const key of new Set([...a.keys(), ...b.keys()])) {
      if (key === 'commitments' || isPrivateKey(key)) continue;
      const found = difference(a.get(key), b.get(key), path === '' ? key : `${path}/${key}`);
      if (found) return found;
    }
    return undefined;
  }
  return equalValues(said, right) ? undefined : { path, said: show(said), right: show(right) };
}

function isEmpty(value: Value): boolean {
  if (value instanceof Message) return value.size === 0;
  return (isBinary(value) || Array.isArray(value)) && value.length === 0;
}

function asMessage(value: Value): Message | undefined {
  if (value instanceof Message) return value;
  if (!Array.isArray(value)) return undefined;
  return Message.from(value.map((item: Value, index): [string, Value] => [String(index + 1), item]));
}

/** Longest answer that a report holds, in characters. */
const MAX_ANSWER_TEXT = 64 * 1024;

/** An answer as a report holds it; undefined for what is no text, or too long. */
export function answerText(said: Value): { text: string; form: 'text' | 'json' } | undefined {
  const value = withoutEnvelope(said);
  const whole = value instanceof Message || Array.isArray(value);
  try {
    const bare = value instanceof Message ? value.without('commitments') : value;
    const text = whole ? encodeJson(bare) : isBinary(value) ? binaryText(value) : show(value);
    if (text === undefined || text.length > MAX_ANSWER_TEXT || !text.isWellFormed()) return undefined;
    return { text, form: whole ? 'json' : 'text' };
  } catch {
    return undefined;
  }
}

function binaryText(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : fromBytes(value);
}

/** A value in a line. */
export function show(value: Value | undefined): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Message)
    return `a message of ${value.size} keys (${contentId(value.without('commitments')).slice(0, 8)}…)`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isBinary(value)) {
    const text = typeof value === 'string' ? value : fromBytes(value);
    return text.length > 120 ? `${text.slice(0, 117).toWellFormed()}…` : text.toWellFormed();
  }
  if (typeof value === 'object' && 'name' in value) return String(value.name);
  if (value instanceof Link) return value.id;
  return String(value);
}
