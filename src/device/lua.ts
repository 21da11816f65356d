/**
 * `lua@5.3a` (lua.md §12): messages computed by Lua programs. Globals of the program's modules are the keys; the
 * machine travels in the private part of what a function returns.
 */
import { AoError } from '../base/errors.ts';
import type { LuaOutcome, LuaValue } from '../engine/lua/contract.ts';
import { Message } from '../message/message.ts';
import { Atom, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { AnyKeyFunction, Device, KeyFunction, Result } from '../resolver/device.ts';
import { callDevice } from './direct.ts';
import { closeLua, luaOf, startLuaMachine, withLua, type LuaMachine } from './lua-machine.ts';
import { onLuaFork } from './machine-fork.ts';
import { crash, fromLua, readable, termText, toLua } from './lua-values.ts';
import { integerOf, itemsOf, readFirst, textOf } from './values.ts';

/** Keys that are never a function of the program. */
const OF_MESSAGES = ['keys', 'set', 'encode', 'decode'];

async function machineFor(base: Message, context: Context): Promise<LuaMachine> {
  return luaOf(base) ?? startLuaMachine(base, context);
}

/** What a missing module is answered with; anything else that fails at the start is a crash of the request. */
function startFailure(thrown: unknown): Result {
  const error = AoError.wrap(thrown);
  if (error.code !== 'no-module' && error.code !== 'no-modules-found') throw thrown;
  return {
    status: 'error',
    value: Message.of({ status: BigInt(error.status), body: error.message }),
  };
}

const init: KeyFunction = async (base, _request, context) => {
  if (luaOf(base)) return { status: 'ok', value: base };
  try {
    return { status: 'ok', value: withLua(base, await startLuaMachine(base, context)) };
  } catch (thrown) {
    return startFailure(thrown);
  }
};

const functions: KeyFunction = async (base, _request, context) => {
  const machine = await machineFor(base, context);
  try {
    return { status: 'ok', value: await machine.engine.functions() };
  } finally {
    if (!luaOf(base)) await closeLua(machine);
  }
};

const compute: AnyKeyFunction = async (key, base, request, context) => {
  if (base.has(key)) return callDevice('message@1.0', key, base, request, context);
  const forked = await onLuaFork(base, context, (state) => run(key, state, request, context));
  return forked ?? run(key, base, request, context);
};

async function run(key: string, base: Message, request: Message, context: Context): Promise<Result> {
  let machine: LuaMachine;
  try {
    machine = await machineFor(base, context);
  } catch (thrown) {
    return startFailure(thrown);
  }
  machine.idle?.touch();
  machine.context = context;
  const name = textOf(await readFirst(places('function', base, request), context)) ?? key;
  const args = await argumentsFor(base, request, context);
  // Never the real clock: the time of the assignment, as milliseconds.
  const now = integerOf(request.get('timestamp')) ?? 0;
  // What a list or a plain result changed in the machine is lost (lua.md §12.5).
  const outcome = await machine.engine.call(name, args, { now, keep: 'message' });
  const result = resultOf(outcome);
  if (result.status === 'ok' && result.value instanceof Message) {
    const printed = outcome.output ? { printed: readable(outcome.output) } : {};
    return {
      status: 'ok',
      value: withLua(result.value.withPrivate({ ...base.private, ...printed }), machine),
    };
  }
  // Nothing carries the machine on.
  if (!luaOf(base)) await closeLua(machine);
  return result;
}

function places(key: string, base: Message, request: Message): [Value, string][] {
  return [
    [request, `body/${key}`],
    [request, key],
    [base, key],
  ];
}

async function argumentsFor(base: Message, request: Message, context: Context): Promise<LuaValue[]> {
  const given = await readFirst(places('parameters', base, request), context);
  const items = itemsOf(given);
  const values = items ?? [base.withoutPrivate(), request.withoutPrivate(), Message.empty];
  const loaded: LuaValue[] = [];
  for (const value of values)
    loaded.push(toLua(hasLinks(value) ? await context.cache.loadAll(value) : value));
  return loaded;
}

/** A state that came from Lua has none, however large it is. */
function hasLinks(value: Value): boolean {
  if (value instanceof Link) return true;
  if (Array.isArray(value)) return (value as readonly Value[]).some(hasLinks);
  if (value instanceof Message) for (const [, item] of value) if (hasLinks(item)) return true;
  return false;
}

function resultOf(outcome: LuaOutcome): Result {
  if (!outcome.ok) return { status: 'error', value: errorOf(outcome) };
  const { values } = outcome;
  if (values.length === 0 || values.length > 2)
    throw crash(`a function answered with ${values.length} values instead of one or two`);
  const value = fromLua(values.at(-1)!) ?? Atom.of('nil');
  if (values.length === 1) return { status: 'ok', value };
  const status = values[0];
  if (typeof status !== 'string') throw crash('the first of two results is no status');
  return { status: readable(status), value };
}

function errorOf(outcome: Extract<LuaOutcome, { ok: false }>): Message {
  const { kind, term, text } = outcome;
  const said = readable(text);
  const body =
    kind === 'error' && term !== undefined ? termText(term) : kind === 'crash' ? `Lua: ${said}` : said;
  const trace = outcome.trace.map((entry) =>
    Message.of({
      function: entry.function ?? entry.library ?? 'nil',
      line: entry.line ?? 'nil',
      parameters: entry.parameters.map((parameter) => fromLua(parameter) ?? 'function'),
    }),
  );
  return Message.of({ status: 500n, body, trace: trace.slice(0, 64) });
}

const normalize: KeyFunction = (base, request, context) => init(base.without('snapshot'), request, context);

export const lua: Device = {
  name: 'lua@5.3a',
  info: { excludes: OF_MESSAGES, default: compute },
  keys: {
    init,
    normalize,
    functions,
    // Its form is this evaluator's own: no other node could go on from it.
    snapshot: () => ({ status: 'error', value: Atom.notFound }),
  },
};
