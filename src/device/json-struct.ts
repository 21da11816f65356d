/**
 * The JSON by which AO programs know messages (process.md §3.9): the struct of a message as text, and the
 * results of an evaluation as messages. The texts end up in the program's memory, so every byte counts.
 */
import { toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { encodeStructuredMessage } from '../codec/structured.ts';
import { writeJson } from '../codec/json-text.ts';
import { linkify } from '../commitment/link.ts';
import { Message, type ValueInput } from '../message/message.ts';
import { keysOrder } from '../message/order.ts';
import { isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { signaturesOf, signedId } from './message-id.ts';
import { itemsOf, textOf } from './values.ts';

const NOT_TAGS = new Set(['id', 'anchor', 'owner', 'data', 'target', 'signature', 'commitments']);

/** `Signature` is empty in environments and in schedules for other machines. */
export interface StructOptions {
  readonly signature?: boolean;
}

/** The struct of a message as a message, members yet to be put in order by the JSON writer. */
export async function messageStruct(
  message: Message,
  context: Context,
  options: StructOptions = {},
): Promise<Message> {
  const [first] = signaturesOf(message);
  const owner = first?.committer ?? '';
  const field = async (key: string): Promise<Value> => {
    const value = message.get(key);
    if (value instanceof Link) return context.cache.loadAll(value);
    return value ?? '';
  };
  const from = message.get('from-process');
  return Message.of({
    Anchor: scalar(await field('anchor')),
    Data: scalar(await field('data')),
    From: from === undefined ? owner : idText(scalar(from)),
    Id: await signedId(message, context),
    Owner: owner,
    Signature: (options.signature && first && first.commitment.text('signature')) || '',
    Tags: await tagsOf(message, context),
    Target: idText(scalar(await field('target'))),
  });
}

/** Typed scalars reach the program as their text, as in the type-annotated form that the reference reads. */
function scalar(value: Value): Value {
  if (isBinary(value) || value instanceof Message || Array.isArray(value)) return value;
  return encodeStructuredMessage(Message.from([['v', value]])).get('v') ?? '';
}

/** 32 octets that are no text are an ID in its native form. */
function idText(value: Value): Value {
  return value instanceof Uint8Array && value.length === 32 ? toBase64Url(value) : value;
}

/**
 * An ANS-104 message that had names in upper case shows its tags as they were; any other shows its keys with
 * names in header case.
 */
async function tagsOf(message: Message, context: Context): Promise<Message[]> {
  for (const { commitment } of signaturesOf(message)) {
    if (commitment.text('commitment-device') !== 'ans104@1.0') continue;
    const original = itemsOf(commitment.get('original-tags'));
    if (original)
      return original.flatMap((tag) =>
        tag instanceof Message ? [tagOf(tag.get('name') ?? '', tag.get('value') ?? '')] : [],
      );
  }
  const tabm = encodeStructuredMessage(linkify(await withoutLazy(message, context)));
  const keys = keysOrder([...tabm.keys()].filter((key) => !NOT_TAGS.has(key)));
  return keys.map((key) => tagOf(headerCase(key), tabm.get(key)!));
}

/** Lazy links stand for plain values as often as for messages: only reading them tells. */
async function withoutLazy(message: Message, context: Context): Promise<Message> {
  const changes: [string, Value][] = [];
  for (const [key, value] of message)
    if (value instanceof Link && value.lazy) changes.push([key, await context.cache.load(value)]);
  return changes.length ? message.with(changes) : message;
}

function tagOf(name: Value, value: Value): Message {
  return Message.from([
    ['name', name],
    ['value', value],
  ]);
}

/** Names that were met before: the messages of a schedule mostly have the same. */
const cased = new Map<string, string>();
const MOST_CASED = 1000;
const LONGEST_CASED = 64;

/** `x-my-thing` as `X-My-Thing`. */
export function headerCase(name: string): string {
  const known = cased.get(name);
  if (known !== undefined) return known;
  const made = name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('-');
  if (cased.size < MOST_CASED && name.length <= LONGEST_CASED) cased.set(name, made);
  return made;
}

const environments = new WeakMap<Message, string>();

/** The environment text of a process, made once for each definition. */
export async function environmentJson(process: Message, context: Context): Promise<string> {
  let text = environments.get(process);
  if (text === undefined) {
    text = writeJson(Message.of({ Process: await messageStruct(process, context) }));
    environments.set(process, text);
  }
  return text;
}

/** The text of the message that an assignment carries. */
export async function messageJson(
  body: Message,
  extra: Readonly<Record<string, ValueInput>>,
  context: Context,
): Promise<string> {
  const struct = await messageStruct(body, context, { signature: true });
  return writeJson(struct.with([...Message.of(extra)]));
}

/** What an evaluation gave, in the form that states hold. */
export interface Results {
  readonly data: Value;
  /** Entries under `1`, `2` … */
  readonly outbox: readonly Message[];
  readonly patches: readonly Message[];
}

/**
 * `json_to_message` of process.md §3.9 for the `response` of a program, or the reply of a compute unit.
 * @throws AoError `bad-result` (500) for what the reference breaks on
 */
export function resultsOf(response: Message): Results {
  const error = response.get('Error');
  if (error !== undefined) return { data: error, outbox: [], patches: [] };
  const output = response.get('Output');
  if (output !== undefined && !(output instanceof Message)) return { data: '', outbox: [], patches: [] };
  return {
    data: output?.get('data') ?? response.get('Data') ?? '',
    outbox: list(response.get('Messages'), 'Messages').map(outboxEntry),
    patches: list(response.get('patches'), 'patches').map((patch) => tagMessage(patch)),
  };
}

function list(value: Value | undefined, name: string): readonly Message[] {
  if (value === undefined) return [];
  // An empty Lua table is written as an object by some programs.
  if (value instanceof Message && value.size === 0) return [];
  if (Array.isArray(value) && value.every((item) => item instanceof Message))
    return value as readonly Message[];
  throw new AoError('bad-result', `The program's ${name} are no list of messages.`, { status: 500 });
}

const DROPPED = new Set(['from-process', 'from-image', 'anchor', 'tags']);

function outboxEntry(message: Message): Message {
  return message.filter((key) => !DROPPED.has(key)).with([...tagMessage(message)]);
}

/** Name and value of each tag; of two with one name the later counts. */
function tagMessage(message: Message): Message {
  const fields = new Map<string, Value>();
  const tags = message.get('tags') ?? message.get('Tags');
  for (const tag of Array.isArray(tags) ? (tags as readonly Value[]) : []) {
    if (!(tag instanceof Message)) continue;
    const name = textOf(tag.get('name'));
    if (name !== undefined) fields.set(name, tag.get('value') ?? '');
  }
  return new Message(fields);
}

/** The outbox as a numbered message. */
export function numberedOutbox(entries: readonly Message[]): Message {
  return new Message(new Map(entries.map((entry, index) => [String(index + 1), entry])));
}
