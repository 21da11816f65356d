/**
 * `wasm-64@1.0` (process.md §3.10): runs a WASM program on a state. The instance lives in a process worker and
 * hangs in the private part of the state; calls leave `results/<output-prefix>` with type and output.
 *
 * Linear memory is not put into the state by itself: `process@1.0` keeps it as pages. The key `snapshot` gives
 * all of it, as other nodes exchange it.
 */
import { fromBytes } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { PAGE_BYTES, type EvaluateOptions, type Evaluation, type MemoryImage } from '../engine/engine.ts';
import { Message } from '../message/message.ts';
import { Atom, binaryBytes, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Device, KeyFunction, Result } from '../resolver/device.ts';
import { withDivergence } from './divergence.ts';
import { onFork } from './machine-fork.ts';
import { aheadOf } from './run-ahead.ts';
import { deepMerge, integerOf, itemsOf, readFirst, textOf } from './values.ts';
import { callOf, instanceOf, withCall, withInstance, type JsonCall } from './wasm-instance.ts';
import { startInstance } from './wasm-start.ts';

const init: KeyFunction = async (base, _request, context) => {
  // A stack with several passes asks again: what was started in the first is as fresh as it was.
  if (instanceOf(base) && (integerOf(base.get('pass')) ?? 1) > 1) return { status: 'ok', value: base };
  await instanceOf(base)?.engine.close();
  return { status: 'ok', value: withInstance(base, await startInstance(base, context)) };
};

/** The state with an instance: the one it has, else one with the memory of its snapshot. */
async function normalized(base: Message, context: Context): Promise<Message> {
  if (instanceOf(base)) return base;
  const key = textOf(base.get('device-key')) ?? '';
  const blob = await readFirst(
    [
      [base, key ? `snapshot/${key}/body` : 'snapshot/body'],
      [base, 'snapshot/body'],
    ],
    context,
  );
  if (!isBinary(blob))
    throw new AoError('no-snapshot', 'There is neither a running instance nor a snapshot to start from.', {
      status: 500,
    });
  const instance = await startInstance(base, context, imageFromBytes(binaryBytes(blob)));
  return withInstance(base.without('snapshot'), instance);
}

/** Memory in one piece as pages that are not zero. */
export function imageFromBytes(bytes: Uint8Array): MemoryImage {
  const pages: MemoryImage['pages'][number][] = [];
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    const part = bytes.subarray(at, at + PAGE_BYTES);
    if (part.every((byte) => byte === 0)) continue;
    const page = new Uint8Array(PAGE_BYTES);
    page.set(part);
    pages.push({ index: at / PAGE_BYTES, bytes: page });
  }
  return { byteLength: bytes.length, pages, globals: {} };
}

/** All of a memory in one piece. */
export function bytesFromImage(image: MemoryImage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(image.byteLength);
  for (const page of image.pages) bytes.set(page.bytes, page.index * PAGE_BYTES);
  return bytes;
}

const compute: KeyFunction = async (base, request, context) => {
  const pass = integerOf(base.get('pass'));
  if (pass !== undefined && pass !== 1) return { status: 'ok', value: base };
  const forked = await onFork(base, context, (state) => run(state, request, context));
  return forked ?? run(await normalized(base, context), request, context);
};

async function run(state: Message, request: Message, context: Context): Promise<Result> {
  instanceOf(state)?.idle?.touch();
  const name = textOf(await readFirst(places('function', state, request), context));
  if (name === undefined) return { status: 'ok', value: state };
  const call = callOf(state);
  const parameters = await readFirst(places('parameters', state, request), context);
  // The texts are still the ones that were prepared: the program gets them through its own allocator.
  if (call && call.reply === undefined && parameters === state.get('parameters'))
    return handle(name, state, integerOf(request.get('slot')));
  return callByName(name, parameters, state);
}

function places(key: string, base: Message, request: Message): [Value, string][] {
  return [
    [request, `body/${key}`],
    [request, key],
    [base, key],
  ];
}

async function handle(name: string, state: Message, slot: number | undefined): Promise<Result> {
  if (name !== 'handle') return callByName(name, [], state);
  const call = callOf(state)!;
  const evaluation = await evaluate(call, slot, state);
  const printed = evaluation.output ? state.withPrivate({ printed: evaluation.output }) : state;
  if (!evaluation.ok) return answer(printed, 'error', evaluation.error, { detail: evaluation.reason });
  const { message, environment, reply } = evaluation.pointers;
  const next = withDivergence(
    printed.with({ parameters: [BigInt(message), BigInt(environment)] }),
    ...(evaluation.divergence ?? []),
  );
  return answer(withCall(next, { ...call, reply: evaluation.reply }), 'ok', [BigInt(reply)]);
}

const OPTIONS: EvaluateOptions = { onError: 'keep' };

function evaluate(call: JsonCall, slot: number | undefined, state: Message): Promise<Evaluation> {
  const { engine } = instanceOf(state)!;
  const { message, environment, following } = call;
  const ahead = aheadOf(state);
  return ahead && following && slot !== undefined
    ? ahead.evaluate(engine, { slot, message, environment }, following, OPTIONS)
    : engine.evaluate(message, environment, OPTIONS);
}

async function callByName(name: string, parameters: Value | undefined, state: Message): Promise<Result> {
  const { engine } = instanceOf(state)!;
  const numbers = (itemsOf(parameters) ?? []).map((value) => {
    if (typeof value === 'bigint' || typeof value === 'number') return value;
    const integer = integerOf(value);
    if (integer !== undefined) return BigInt(integer);
    throw new AoError('bad-parameters', 'Parameters of a WASM function are integers and floats.');
  });
  const called = await engine.call(name, numbers);
  if (called.ok) return answer(state, 'ok', [...called.results]);
  if (called.reason === 'bad-parameters') throw new AoError('bad-parameters', called.error);
  // The reference's text arrives as a list of its characters.
  const said = called.reason === 'no-function' ? `Function not found: ${name}` : called.error;
  return answer(
    state,
    'error',
    [...said].map((character) => BigInt(character.codePointAt(0)!)),
  );
}

function answer(state: Message, type: string, output: Value, more: Record<string, Value> = {}): Result {
  const prefix = textOf(state.get('output-prefix')) ?? '';
  const result = Message.from([['type', Atom.of(type)], ['output', output], ...Object.entries(more)]);
  const results = prefix ? Message.from([[prefix, result]]) : result;
  return { status: 'ok', value: deepMerge(state, Message.from([['results', results]])) };
}

const normalize: KeyFunction = async (base, _request, context) => ({
  status: 'ok',
  value: await normalized(base, context),
});

const snapshot: KeyFunction = async (base, _request, context) => {
  const { engine } = instanceOf(await normalized(base, context))!;
  return { status: 'ok', value: Message.of({ body: bytesFromImage(await engine.image()) }) };
};

const terminate: KeyFunction = async (base) => {
  await instanceOf(base)?.engine.close();
  return { status: 'ok', value: withInstance(base, undefined) };
};

/** The stub that answers imports nobody serves: the engine serves its own, so this is for direct calls. */
const importStub: KeyFunction = (base, request) => {
  const called = Message.of({
    module: fromBytes(binaryBytes(textOf(request.get('module')) ?? '')),
    func: textOf(request.get('func')) ?? '',
  });
  return { status: 'ok', value: Message.of({ state: base, results: [0n], 'undefined-call': called }) };
};

const keys = { init, compute, normalize, snapshot, terminate, import: importStub };

export const wasm64: Device = { name: 'wasm-64@1.0', keys, info: { excludes: ['instance'] } };
/** The same device under the name that newer definitions use. */
export const wasm64Alias: Device = { ...wasm64, name: 'wasm64@1.0' };
