/** Lua machines in the worker that asks for them. */
import { LuaMachine } from '../../../../src/engine/lua/machine.ts';
import type { Engines } from '../../../../src/resolver/context.ts';

export const startLuaHere: Engines['startLua'] = (start, host) => LuaMachine.start(start, host);
