/** Helpers of the Lua tests: chunks run in a fresh machine, values written as Lua-like text. */
import type {
  LuaEngine,
  LuaHost,
  LuaImage,
  LuaOutcome,
  LuaStart,
  LuaValue,
} from '../../../../src/engine/lua/contract.ts';
import { LuaMachine } from '../../../../src/engine/lua/machine.ts';
import { floatText } from '../../../../src/engine/lua/number-text.ts';

export function sourceOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export interface Setup extends Partial<Omit<LuaStart, 'modules'>> {
  readonly host?: LuaHost;
  readonly image?: LuaImage;
}

/** A machine with one module. */
export function machine(source: string, { host, ...setup }: Setup = {}): Promise<LuaEngine> {
  return LuaMachine.start({ modules: [{ name: 'test', source: sourceOf(source) }], ...setup }, host);
}

/** The outcome of a chunk, run as a function of no arguments. */
export async function outcome(chunk: string, setup: Setup = {}): Promise<LuaOutcome> {
  const engine = await machine(`function chunk(...) ${chunk}\nend`, setup);
  return engine.call('chunk', []);
}

/** Results in a readable form: `1`, `1.0`, `"text"`, `{1=2,"a"=3}`. */
export function show(value: LuaValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if ('float' in value) return floatText(value.float);
  if ('opaque' in value) return `<${value.opaque.split(':')[0]}>`;
  return `{${value.table.map(([key, item]) => `${show(key)}=${show(item)}`).join(',')}}`;
}

/** The chunk's results; a failure throws. */
export async function run(chunk: string, setup: Setup = {}): Promise<string> {
  const result = await outcome(chunk, setup);
  if (!result.ok) throw new Error(`${result.kind}: ${result.text}`);
  return result.values.map(show).join(' ');
}
