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
import { aheadOf, type CallOf } from './run-ahead.ts';
import { callOf, instanceOf, withCall } from './wasm-instance.ts';

async function prepare(base: Message, request: Message, context: Context): Promise<Result> {
  const process = await readKey(base, 'process', context);
  const body = await readKey(request, 'body', context);
  if (!(process instanceof Message) || !(body instanceof Message))
    throw new AoError(
      'bad-request',
      'json-iface@1.0 needs a process and a message in the body of the request.',
    );
  const message = await textOfBody(body, request, process, context);
  const environment = await environmentJson(process, context);
  const next = base.with({ function: 'handle', parameters: [message, environment] });
  if (!instanceOf(base)) return { status: 'ok', value: next };
  const call = { message, environment };
  const following =
    aheadOf(base) && mayRunAhead(base) ? followingCalls(process, environment, context) : undefined;
  return { status: 'ok', value: withCall(next, following ? { ...call, following } : call) };
}

interface PreparedText {
  readonly height: Value | undefined;
  readonly image: Value | undefined;
  readonly text: string;
}

/** Texts that were made before their turn came. */
const prepared = new WeakMap<Message, PreparedText>();

async function textOfBody(
  body: Message,
  assignment: Message,
  process: Message,
  context: Context,
): Promise<string> {
  const height = assignment.get('block-height');
  const image = process.get('image');
  const known = prepared.get(body);
  if (known?.height === height && known?.image === image) return known!.text;
  const extra = { 'Block-Height': height ?? Atom.notFound, Module: image ?? Atom.notFound };
  const text = await messageJson(body, extra, context);
  prepared.set(body, { height, image, text });
  return text;
}

/** Devices that let every message through to the program, as it was assigned. */
const TRANSPARENT = new Set(['wasi@1.0', 'json-iface@1.0', 'wasm-64@1.0', 'patch@1.0', 'multipass@1.0']);

function mayRunAhead(base: Message): boolean {
  const stack = base.get('device-stack');
  return Array.isArray(stack) && stack.every((device: Value) => TRANSPARENT.has(textOf(device) ?? ''));
}

/** Keys with which a message asks for another function than `handle`. */
const OTHER_CALL = ['function', 'parameters'];

function followingCalls(process: Message, environment: string, context: Context): CallOf {
  return async ({ slot, assignment }) => {
    const body = await readKey(assignment, 'body', context);
    if ((textOf(assignment.get('path')) ?? 'compute') !== 'compute' || !(body instanceof Message))
      return undefined;
    if (OTHER_CALL.some((key) => assignment.has(key) || body.has(key))) return undefined;
    return { slot, environment, message: await textOfBody(body, assignment, process, context) };
  };
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
    parsed = parseJson(reply, { integers: 'unbounded' });
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
