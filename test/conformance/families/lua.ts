/** `lua`: chunks run in a fresh machine: exactly the recorded results, or refused where they were refused. */
import { toBase64Url } from '../../../src/base/bytes.ts';
import { latin1ToBytes, toBytes, utf8 } from '../../../src/base/bytes.ts';
import type { LuaValue } from '../../../src/engine/lua/contract.ts';
import { LuaMachine } from '../../../src/engine/lua/machine.ts';
import { floatText } from '../../../src/engine/lua/number-text.ts';
import { checkJson, defineFamily, Mismatch, type Json } from '../family.ts';

interface LuaCase {
  lua: string;
  results?: Json[];
  error?: boolean;
}

/** A value in the form of the vectors; all functions are the same. */
function recorded(value: LuaValue): Json {
  if (value === null) return { $atom: 'nil' };
  if (typeof value === 'boolean') return { $atom: String(value) };
  if (typeof value === 'bigint') return { $int: value.toString() };
  if (typeof value === 'string') {
    const bytes = latin1ToBytes(value);
    return utf8(bytes) ?? { $bin: toBase64Url(bytes) };
  }
  if ('float' in value) return { $float: floatText(value.float) };
  if ('opaque' in value) return 'a function';
  return { $table: value.table.map(([key, item]) => [recorded(key), recorded(item)]) };
}

function expected(json: Json): Json {
  if (Array.isArray(json)) return json.map(expected);
  if (typeof json !== 'object' || json === null) return json;
  if ('$tuple' in json) return 'a function';
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, expected(item)]));
}

export default defineFamily<LuaCase>({
  family: 'lua',
  timeout: 20_000,
  async run({ data }) {
    const machine = await LuaMachine.start({ modules: [] });
    const outcome = await machine.run('case', toBytes(data.lua));
    if (data.error) {
      if (outcome.ok) throw new Mismatch('an error', outcome.values.map(recorded));
      return;
    }
    if (!outcome.ok) throw new Mismatch(data.results, `${outcome.kind}: ${outcome.text}`);
    checkJson(expected(data.results ?? []), outcome.values.map(recorded));
  },
});
