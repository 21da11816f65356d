/** What Lua programs can ask of the message layer: the functions of the global table `ao` (lua.md §12.3). */
import { AoError } from '../base/errors.ts';
import type { LuaValue } from '../engine/lua/contract.ts';
import { Message } from '../message/message.ts';
import { As, Atom, isBinary, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import type { Result } from '../resolver/device.ts';
import { fromLua, toLua } from './lua-values.ts';
import { itemsOf, readKey, textOf } from './values.ts';

/** Answers one call of a program. */
export async function luaHost(
  name: string,
  args: readonly LuaValue[],
  base: Message,
  outside: Context,
): Promise<readonly LuaValue[]> {
  const context = await allowed(base, outside);
  const values = args.map((arg) => fromLua(arg) ?? Atom.of('nil'));
  if (name === 'event') {
    context.report({ type: 'lua-event', values: values.map((value) => textOf(value) ?? '') });
    return ['ok'];
  }
  if (name === 'resolve') return resolve(values, context);
  if (name === 'get') return [await get(values, context)];
  if (name === 'set') return [await set(values, context)];
  throw new AoError('unknown-function', `Lua asked for ao.${name}, which does not exist.`);
}

async function resolve(values: readonly Value[], context: Context): Promise<readonly LuaValue[]> {
  let result: Result;
  try {
    result = await resolveValues(values, context);
  } catch (thrown) {
    return ['error', toLua(AoError.wrap(thrown).message)];
  }
  return [result.status, await out(result.value, context)];
}

async function resolveValues(values: readonly Value[], context: Context): Promise<Result> {
  const [first, second] = values;
  if (first === undefined) throw new AoError('bad-arguments', 'ao.resolve needs a message.');
  if (values.length === 1) {
    if (first instanceof Message) return context.resolveSingleton(first);
    return context.resolveSingleton(Message.from([['path', first]]));
  }
  if (values.length === 2 && isBinary(second)) return context.resolve(cast(first), second);
  return context.resolveSequence(values.map(cast));
}

/** `{"as", device, message}` is the message as that device. */
function cast(value: Value): Value {
  const items = Array.isArray(value) ? itemsOf(value) : undefined;
  if (items?.length === 3 && textOf(items[0]) === 'as') {
    const device = textOf(items[1]);
    if (device !== undefined) return new As(device, items[2]!);
  }
  return value;
}

async function get([key, base]: readonly Value[], context: Context): Promise<LuaValue> {
  const path = textOf(key) ?? '';
  const value = base === undefined ? undefined : await context.get(path, cast(base));
  return value === undefined ? 'not_found' : out(value, context);
}

async function set([base, second, third]: readonly Value[], context: Context): Promise<LuaValue> {
  if (!(base instanceof Message))
    throw new AoError('bad-arguments', 'ao.set needs a message to set keys of.');
  if (second instanceof Message) return out(await context.set(base, Object.fromEntries(second)), context);
  const key = textOf(second);
  if (key === undefined || third === undefined)
    throw new AoError('bad-arguments', 'ao.set needs a key and a value, or a table of them.');
  return out(await context.set(base, { [key]: third }), context);
}

async function out(value: Value, context: Context): Promise<LuaValue> {
  return toLua(await context.cache.loadAll(value));
}

/** With `device-sandbox`, programs resolve with the devices that it lists and no others, however they are named. */
async function allowed(base: Message, context: Context): Promise<Context> {
  const sandbox = await readKey(base, 'device-sandbox', context);
  if (sandbox === undefined || textOf(sandbox) === 'false') return context;
  const names = (itemsOf(sandbox) ?? [sandbox]).flatMap((name) => textOf(name) ?? []);
  // Without a way to restrict them, there are none.
  if (!context.restrictedTo)
    throw new AoError('no-sandbox', 'Devices cannot be restricted here.', { status: 500 });
  return context.restrictedTo([...names, 'structured@1.0']);
}
