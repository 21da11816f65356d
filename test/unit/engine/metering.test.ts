import { readFileSync } from 'node:fs';
import wabt from 'wabt';
import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { meterModule } from '../../../src/engine/metering.ts';

let assemble: (text: string) => Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const { parseWat } = await wabt();
  assemble = (text) => new Uint8Array(parseWat('test.wat', text, {}).toBinary({}).buffer);
});

/** Runs the exported `run` and answers the amounts that were charged, in order. */
async function charges(
  text: string,
  ...parameters: number[]
): Promise<{ charged: number[]; result: unknown }> {
  const charged: number[] = [];
  const { instance } = await WebAssembly.instantiate(meterModule(assemble(text), 'i32'), {
    metering: { usegas: (amount: number) => void charged.push(amount) },
    env: { twice: (value: number) => 2 * value },
  });
  const result = (instance.exports.run as (...words: number[]) => unknown)(...parameters);
  return { charged, result };
}

/** The two instructions of a charge: const (1) and call (90). */
const CHARGE = 91;

describe('meterModule', () => {
  it('charges a stretch before it runs, and nothing for what costs nothing', async () => {
    const { charged, result } = await charges(
      '(module (func (export "run") (param i32) (result i32) local.get 0 i32.const 3 i32.mul))',
      5,
    );
    // local.get 120, const 1, mul 45, end 0
    expect({ charged, result }).toEqual({ charged: [166 + CHARGE], result: 15 });
  });

  it('charges each branch that is taken, and each turn of a loop', async () => {
    const text = `(module (func (export "run") (param i32) (result i32) (local i32)
      (loop
        (local.set 1 (i32.add (local.get 1) (i32.const 2)))
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
      local.get 1))`;
    const { charged, result } = await charges(text, 3);
    const head = 1 + CHARGE;
    const turn = 120 + 1 + 45 + 120 + 120 + 1 + 45 + 120 + 90 + CHARGE;
    expect({ charged, result }).toEqual({ charged: [head, turn, turn, turn, 120 + CHARGE], result: 6 });
  });

  it('keeps calls, tables, exports and the start function pointing where they did', async () => {
    const text = `(module
      (import "env" "twice" (func $twice (param i32) (result i32)))
      (type $unary (func (param i32) (result i32)))
      (global $started (mut i32) (i32.const 0))
      (table 2 funcref) (elem (i32.const 0) $twice $inc)
      (func $inc (param i32) (result i32) local.get 0 i32.const 1 i32.add)
      (func $start i32.const 100 global.set $started)
      (func (export "run") (param i32) (result i32)
        (call_indirect (type $unary)
          (call_indirect (type $unary) (call $inc (call $twice (local.get 0))) (i32.const 1)) (i32.const 0))
        global.get $started i32.add)
      (start $start))`;
    expect((await charges(text, 4)).result).toBe((4 * 2 + 1 + 1) * 2 + 100);
  });

  it('refuses a module that is metered already, and damage, with a typed error', () => {
    const metered = assemble('(module (import "metering" "usegas" (func (param i32))))');
    expect(() => meterModule(metered, 'i32')).toThrow(AoError);
    const whole = new Uint8Array(readFileSync('public/samples/counter.wasm'));
    for (let at = 8; at < whole.length; at += 3) {
      const copy = whole.slice();
      copy[at] = 0xff;
      for (const bytes of [copy, whole.slice(0, at)])
        try {
          meterModule(bytes, 'i64');
        } catch (error) {
          expect(error).toBeInstanceOf(AoError);
        }
    }
  });
});
