/** The Lua machine that a state carries in its private part. It belongs to one state at a time. */
import { AoError } from '../base/errors.ts';
import type { LuaEngine, LuaHost, LuaImage, LuaModule, LuaStart } from '../engine/lua/contract.ts';
import { Message } from '../message/message.ts';
import { binaryBytes, isBinary, Link, type Value } from '../message/value.ts';
import type { Context } from '../resolver/context.ts';
import { limitsOf } from './limits.ts';
import { luaHost } from './lua-host.ts';
import { toLua } from './lua-values.ts';
import { IdleEnd } from './machine-idle.ts';
import { isIdText } from './message-id.ts';
import { itemsOf, readKey, textOf } from './values.ts';

export interface LuaMachine {
  readonly engine: LuaEngine;
  /** Of the request that is being answered: what `ao.resolve` and its like work with. */
  context: Context;
  /** Set for a machine that no process owns. */
  readonly idle?: IdleEnd;
}

const MACHINE = 'lua-machine';

export function luaOf(message: Message): LuaMachine | undefined {
  return message.private[MACHINE] as LuaMachine | undefined;
}

export function withLua(message: Message, machine: LuaMachine | undefined): Message {
  return message.withPrivate({ [MACHINE]: machine });
}

/** Removed by `sandbox: true` (lua.md §12.2). */
const SANDBOXED = [
  'io',
  'file',
  'os.execute',
  'os.exit',
  'os.getenv',
  'os.remove',
  'os.rename',
  'os.tmpname',
  'package',
  'loadfile',
  'require',
  'dofile',
  'load',
  'loadstring',
];

function pathOf(text: string): string[] {
  return text.split(/[./]/).filter((part) => part !== '');
}

async function sandboxOf(base: Message, context: Context): Promise<LuaStart['sandbox']> {
  const value = await readKey(base, 'sandbox', context);
  if (value === undefined || textOf(value) === 'false') return undefined;
  const items = itemsOf(value);
  if (items?.length)
    return items
      .map((item) => [pathOf(textOf(item) ?? ''), 'sandboxed'] as const)
      .filter(([path]) => path.length);
  if (value instanceof Message) {
    const loaded = (await context.cache.loadAll(value)) as Message;
    return [...loaded].map(([path, replacement]) => [pathOf(path), toLua(replacement)] as const);
  }
  return SANDBOXED.map((path) => [pathOf(path), 'sandboxed'] as const);
}

/**
 * The modules that a base names (lua.md §12.1).
 * @throws AoError `no-modules-found` (500), `no-module` (404), `bad-module` (500)
 */
async function modulesOf(base: Message, context: Context): Promise<LuaModule[]> {
  const named = await readKey(base, 'module', context);
  if (named === undefined) throw new AoError('no-modules-found', 'no-modules-found', { status: 500 });
  const sources: Value[] = [];
  if (named instanceof Message && !isLua(named))
    sources.push(...(itemsOf(named)?.length ? itemsOf(named)! : values(named)));
  else if (Array.isArray(named)) sources.push(...(named as readonly Value[]));
  else sources.push(named);
  const modules: LuaModule[] = [];
  for (const [index, source] of sources.entries()) modules.push(await moduleOf(source, index + 1, context));
  return modules;
}

function isLua(message: Message): boolean {
  const type = textOf(message.get('content-type'));
  return type === 'application/lua' || type === 'text/x-lua';
}

function values(message: Message): Value[] {
  return [...message].filter(([key]) => key !== 'commitments').map(([, value]) => value);
}

async function moduleOf(source: Value, index: number, context: Context): Promise<LuaModule> {
  let found: Value | undefined = source instanceof Link ? await context.cache.load(source) : source;
  let name = String(index);
  if (isBinary(found)) {
    const id = textOf(found)!;
    if (!isIdText(found))
      throw new AoError('bad-module', 'A Lua module is named by its ID or given as a message.', {
        status: 500,
      });
    name = id;
    found = await context.cache.read(id);
    if (found === undefined)
      throw new AoError('no-module', `Lua module '${id}' not found.`, {
        status: 404,
        detail: { module: id },
      });
    if (isBinary(found)) return { name, source: binaryBytes(found) };
  }
  if (found instanceof Message) {
    const body = (await readKey(found, 'body', context)) ?? (await readKey(found, 'data', context));
    if (isBinary(body)) return { name: textOf(found.get('name')) ?? name, source: binaryBytes(body) };
  }
  throw new AoError('no-module', 'A Lua module holds no source.', { status: 404 });
}

/** Starts the machine of a base: its modules loaded, or as `image` has it. */
export async function startLuaMachine(
  base: Message,
  context: Context,
  image?: LuaImage,
): Promise<LuaMachine> {
  const modules = await modulesOf(base, context);
  const sandbox = await sandboxOf(base, context);
  const process = await readKey(base, 'process', context);
  const owned = process instanceof Message;
  const holder: { machine?: LuaMachine } = {};
  const host: LuaHost = (name, args) => luaHost(name, args, base, holder.machine?.context ?? context);
  const engine = await context.engines.startLua(
    {
      modules,
      hostFunctions: ['event', 'get', 'resolve', 'set'],
      limits: limitsOf(owned ? process : base, undefined, context),
      ...(sandbox ? { sandbox } : {}),
      ...(image ? { image } : {}),
    },
    host,
  );
  const machine: LuaMachine = {
    engine,
    context,
    ...(owned ? {} : { idle: new IdleEnd(() => engine.close()) }),
  };
  holder.machine = machine;
  return machine;
}

/** All of a machine's state, as structured-cloneable data. */
export function snapshotLua(machine: LuaMachine): Promise<LuaImage> {
  return machine.engine.save();
}

export async function restoreLua(state: Message, snapshot: unknown, context: Context): Promise<Message> {
  if (typeof snapshot !== 'object' || snapshot === null)
    throw new AoError('snapshot-damaged', 'A snapshot of a Lua machine is missing.', { status: 500 });
  return withLua(state, await startLuaMachine(state, context, snapshot as LuaImage));
}

export async function closeLua(machine: LuaMachine): Promise<void> {
  machine.idle?.cancel();
  await machine.engine.close();
}
