/** The Lua machine that a state carries in its private part. It belongs to one state at a time. */
import { AoError } from '../base/errors.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';

export interface LuaMachine {
  snapshot(): Promise<unknown>;
  close(): Promise<void>;
}

const MACHINE = 'lua-machine';

export function luaOf(message: Message): LuaMachine | undefined {
  return message.private[MACHINE] as LuaMachine | undefined;
}

export function withLua(message: Message, machine: LuaMachine | undefined): Message {
  return message.withPrivate({ [MACHINE]: machine });
}

/** All of a machine's state, as structured-cloneable data. */
export function snapshotLua(machine: LuaMachine): Promise<unknown> {
  return machine.snapshot();
}

export function restoreLua(state: Message, snapshot: unknown, context: Context): Promise<Message> {
  void state;
  void snapshot;
  void context;
  return Promise.reject(new AoError('snapshot-damaged', 'No Lua yet.', { status: 500 }));
}
