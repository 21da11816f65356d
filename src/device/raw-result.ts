/**
 * `raw`: a slot's results in the words of a compute unit, `{Output, Messages, Spawns, Assignments}` (process.md §5.6).
 * aoconnect reads nothing else. What a legacynet evaluation left has it already; for a native process it is put
 * together from data and outbox.
 */
import { AoError } from '../base/errors.ts';
import { writeJson } from '../codec/json-text.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { itemsOf, readKey, textOf } from './values.ts';

/** Fields of a compute unit's message that are no tags, by their names in lower case. */
const FIELDS: Readonly<Record<string, string>> = { target: 'Target', anchor: 'Anchor', data: 'Data' };

/** The results with `raw`. @throws AoError `necessary-message-not-found` (404) */
export async function withRaw(results: Message, context: Context): Promise<Message> {
  if (results.has('raw')) return results;
  const loaded = await context.cache.loadAll(results);
  if (!(loaded instanceof Message)) throw new AoError('bad-results', 'The results of a slot are no message.');
  const outbox = loaded.get('outbox');
  const entries = outbox instanceof Message ? [...outbox] : (itemsOf(outbox) ?? []).map((one) => ['', one]);
  const sent = (entries as [string, Value][]).flatMap(([key, entry]) =>
    entry instanceof Message && key !== 'commitments' ? [unitMessage(entry)] : [],
  );
  const raw = Message.of({
    Output: await outputOf(loaded, context),
    Messages: sent,
    Spawns: [],
    Assignments: [],
  });
  return results.with({ raw });
}

/** A program's `output` if it is a message with `data`, as aos leaves it; else what it answered as `data`. */
async function outputOf(results: Message, context: Context): Promise<Value> {
  const output = results.get('output');
  if (output instanceof Message && (await readKey(output, 'data', context)) !== undefined) return output;
  const data = results.get('data') ?? output ?? '';
  return Message.from([['data', data instanceof Message ? writeJson(data) : data]]);
}

function unitMessage(entry: Message): Message {
  const fields: [string, Value][] = [];
  const tags: Message[] = [];
  for (const [key, value] of entry) {
    const shown = isBinary(value) ? new TextDecoder().decode(binaryBytes(value)) : textOf(value);
    const name = key.toLowerCase();
    if (shown === undefined || name === 'commitments') continue;
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field) fields.push([field, shown]);
    else tags.push(Message.of({ name: key, value: shown }));
  }
  return Message.from([...fields, ['Tags', tags]]);
}
