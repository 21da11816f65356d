/** Every recorded chunk of `vectors/lua.json`: exactly the recorded results, or refused where it was refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LuaValue } from '../../../../src/engine/lua/contract.ts';
import { LuaMachine } from '../../../../src/engine/lua/machine.ts';
import { floatText } from '../../../../src/engine/lua/number-text.ts';
import { decodeUtf8 } from '../../../../src/engine/lua/token-text.ts';
import { sourceOf } from './run.ts';

interface Case {
  readonly name: string;
  readonly lua: string;
  readonly results?: unknown[];
  readonly error?: boolean;
}

const cases = JSON.parse(
  readFileSync(new URL('../../../vectors/lua.json', import.meta.url), 'utf8'),
) as Case[];

function recorded(value: LuaValue): unknown {
  if (value === null || typeof value === 'boolean') return { $atom: value === null ? 'nil' : String(value) };
  if (typeof value === 'bigint') return { $int: value.toString() };
  if (typeof value === 'string')
    return decodeUtf8(value) ?? { $bin: Buffer.from(value, 'latin1').toString('base64url') };
  if ('float' in value) return { $float: floatText(value.float) };
  if ('opaque' in value) return 'a function';
  return { $table: value.table.map((pair) => pair.map(recorded)) };
}

/** Functions are compared as "a function". */
function plain(expected: unknown): unknown {
  if (Array.isArray(expected)) return expected.map(plain);
  if (typeof expected !== 'object' || expected === null) return expected;
  if ('$tuple' in expected) return 'a function';
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, plain(value)]));
}

describe('recorded chunks', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const engine = await LuaMachine.start({ modules: [] });
    const result = await engine.run('case', sourceOf(one.lua));
    if (one.error) expect(result.ok).toBe(false);
    else {
      expect(result.ok ? result.values.map(recorded) : result).toEqual(plain(one.results));
    }
  });
});
