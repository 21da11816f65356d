/**
 * Running a program on a copy of a process's machine (dry runs): started when a device first needs it, from the
 * live machine's memory, and ended after one call.
 */
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import { closeLua, luaOf, restoreLua, snapshotLua } from './lua-machine.ts';
import type { LiveProcess } from './process-live.ts';
import { startInstance } from './wasm-start.ts';
import { instanceOf, withInstance } from './wasm-instance.ts';

const FORK = 'machine-fork';

export function withFork(state: Message, live: LiveProcess): Message {
  return state.withPrivate({ [FORK]: live });
}

/** The process whose machine a state asked for a copy of. */
export function forkOf(state: Message): LiveProcess | undefined {
  return instanceOf(state) ? undefined : (state.private[FORK] as LiveProcess | undefined);
}

/** Runs `action` on the state with a copy of the live machine, if the state is one that asked for it. */
export async function onFork<T>(
  state: Message,
  context: Context,
  action: (state: Message) => Promise<T>,
): Promise<T | undefined> {
  const live = forkOf(state);
  if (!live) return undefined;
  const image = await live.withLiveState(
    context,
    (running) => instanceOf(running)?.engine.image() ?? Promise.resolve(undefined),
  );
  const instance = await startInstance(state, context, image);
  try {
    return await action(withInstance(state.withPrivate({ [FORK]: undefined }), instance));
  } finally {
    await instance.engine.close();
  }
}

/** The same for a Lua machine. */
export async function onLuaFork<T>(
  state: Message,
  context: Context,
  action: (state: Message) => Promise<T>,
): Promise<T | undefined> {
  const live = state.private[FORK] as LiveProcess | undefined;
  if (!live || luaOf(state)) return undefined;
  const image = await live.withLiveState(context, async (running) => {
    const machine = luaOf(running);
    return machine ? snapshotLua(machine) : undefined;
  });
  const own = state.withPrivate({ [FORK]: undefined });
  const ready = image ? await restoreLua(own, image, context) : own;
  try {
    return await action(ready);
  } finally {
    const machine = luaOf(ready);
    if (machine) await closeLua(machine);
  }
}
