/**
 * `json-iface@1.0` (process.md §3.9): between messages and programs that take and give JSON. Pass 1 prepares
 * the call of `handle(message, environment)`, pass 2 reads its reply into `results`.
 *
 * Where a WASM instance is there, the texts are handed to it by `wasm-64@1.0` in the same pass, message first,
 * and `parameters` become their addresses in memory.
 */
import { AoError } from '../base/errors.ts';
import { parseJson } from '../codec/json-text.ts';
import { Message } from '../message/message.ts';
import { Atom, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, Result } from '../resolver/device.ts';
import { environmentJson, messageJson, numberedOutbox, resultsOf, type Results } from './json-struct.ts';
import { unsignedId } from './message-id.ts';
import { integerOf, readKey, readPath, textOf } from './values.ts';
import { callOf, instanceOf, withCall } from './wasm-instance.ts';

async function prepare(base: Message, request: Message, context: Context): Promise<Result> {
  const process = await readKey(base, 'process', context);
  const body = await readKey(request, 'body', context);
  if (!(process instanceof Message) || !(body instanceof Message))
    throw new AoError(
      'bad-request',
      'json-iface@1.0 needs a process and a message in the body of the request.',
    );
  const height = request.get('block-height');
  const message = await messageJson(
    body,
    { 'Block-Height': height ?? Atom.notFound, Module: process.get('image') ?? Atom.notFound },
    context,
  );
  const environment = await environmentJson(process, context);
  const next = base.with({ function: 'handle', parameters: [message, environment] });
  return { status: 'ok', value: instanceOf(base) ? withCall(next, { message, environment }) : next };
}

async function read(base: Message, context: Context): Promise<Result> {
  const prefix = textOf(base.get('output-prefix')) ?? '';
  const place = prefix ? `results/${prefix}` : 'results';
  const type = textOf(await readPath(base, `${place}/type`, context));
  if (type === 'error') return failure(base, 'WASM execution error.');
  if (type !== 'ok')
    throw new AoError('no-result', 'There is no result for json-iface@1.0 to read.', { status: 500 });
  const reply = callOf(base)?.reply ?? (await readPath(base, `${place}/output`, context));
  const results = parseReply(reply);
  if (!results) return failure(base, 'JSON error parsing result output.');
  const process = await readKey(base, 'process', context);
  const from = await origin(process, context);
  const old = base.message('results') ?? Message.empty;
  const value = base.with({
    results: old.with({
      data: results.data,
      outbox: numberedOutbox(results.outbox.map((entry) => entry.with(from))),
      patches: results.patches,
    }),
  });
  return { status: 'ok', value: withCall(value, undefined) };
}

/** Undefined where the text is no JSON. */
function parseReply(reply: Value | undefined): Results | undefined {
  if (!isBinary(reply)) return undefined;
  let parsed: Value;
  try {
    parsed = parseJson(reply);
  } catch {
    return undefined;
  }
  const response =
    parsed instanceof Message && Atom.true.is(parsed.get('ok')) ? parsed.get('response') : undefined;
  if (response instanceof Message) return resultsOf(response);
  throw new AoError('program-refused', 'The program answered that the message failed.', {
    status: 500,
    detail: {
      reply: textOf(parsed instanceof Message ? parsed.get('error') : undefined)?.slice(0, 1000) ?? '',
    },
  });
}

const origins = new WeakMap<Message, [string, Value][]>();

/** What every entry of the outbox says about where it came from. */
async function origin(process: Value | undefined, context: Context): Promise<[string, Value][]> {
  if (!(process instanceof Message)) return [];
  let known = origins.get(process);
  if (!known) {
    known = [
      ['from-process', await unsignedId(process, context)],
      ['from-image', process.get('image') ?? Atom.notFound],
    ];
    origins.set(process, known);
  }
  return known;
}

function failure(base: Message, sentence: string): Result {
  const results = (base.message('results') ?? Message.empty).without('outbox').with({ body: sentence });
  return { status: 'error', value: base.with({ results, body: sentence }) };
}

export const jsonIface: Device = {
  name: 'json-iface@1.0',
  keys: {
    init: (base) => ({ status: 'ok', value: base.with({ function: 'handle' }) }),
    compute: (base, request, context) => {
      const pass = integerOf(base.get('pass'));
      if (pass === 1) return prepare(base, request, context);
      if (pass === 2) return read(base, context);
      return { status: 'ok', value: base };
    },
  },
};
