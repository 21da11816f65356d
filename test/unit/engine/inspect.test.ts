import { readFileSync } from 'node:fs';
import wabt from 'wabt';
import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { readOutline, withMaximumPages } from '../../../src/engine/binary.ts';
import { inspectModule, kindWithFormat, whyUnsupported } from '../../../src/engine/inspect.ts';

let assemble: (text: string) => Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const { parseWat } = await wabt();
  assemble = (text) => {
    const module = parseWat('test.wat', text, { memory64: true, exceptions: true });
    const bytes = new Uint8Array(module.toBinary({}).buffer);
    module.destroy();
    return bytes;
  };
});

const AO = `(func (export "handle") (param i64 i64) (result i64) i64.const 0)
  (func (export "malloc") (param i64) (result i64) i64.const 0)`;
const AO32 = AO.replaceAll('i64', 'i32');

const refusal = (act: () => unknown): AoError => {
  try {
    act();
  } catch (error) {
    if (error instanceof AoError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('inspectModule', () => {
  it('tells the standalone ABI by its exports and imports', () => {
    const wide = inspectModule(
      assemble(`(module
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i64 i64 i64) (result i32)))
        (import "env" "__syscall_dup3" (func (param i32 i32 i32) (result i32)))
        (memory (export "memory") i64 3 9) ${AO})`),
    );
    expect(wide).toMatchObject({
      kind: 'ao-standalone-wasm64',
      wordBits: 64,
      initialPages: 3,
      maximumPages: 9,
      metered: false,
      asyncify: false,
    });
    expect(whyUnsupported(wide)).toBeUndefined();
    expect(inspectModule(assemble(`(module (memory (export "memory") 1) ${AO32})`)).kind).toBe(
      'ao-standalone-wasm32',
    );
  });

  it('tells the emscripten families by what they import', () => {
    const of = (imports: string, exports: string, memory: string, ao: string) =>
      inspectModule(assemble(`(module ${imports} (memory (export "memory") ${memory}) ${ao} ${exports})`))
        .kind;
    const grow = (word: string) =>
      `(import "env" "emscripten_resize_heap" (func (param ${word}) (result i32)))`;
    expect(of(grow('i64'), '', 'i64 1', AO)).toBe('emscripten-wasm64-draft_2024_02_15');
    expect(of(grow('i32'), '(func (export "asyncify_start_unwind") (param i32))', '1', AO32)).toBe(
      'emscripten-wasm32-4',
    );
    expect(of(grow('i32'), '', '1', AO32)).toBe('emscripten-wasm32-3');
    expect(of('(import "env" "getTempRet0" (func (result i32)))', '', '1', AO32)).toBe('emscripten-wasm32-2');
    const minified = '(import "a" "q" (func (param i32) (result i32)))';
    expect(inspectModule(assemble(`(module ${minified} (memory (export "E") 1))`)).kind).toBe(
      'emscripten-wasm32',
    );
  });

  it('says in a sentence why a module cannot be a process', () => {
    const why = (text: string) => whyUnsupported(inspectModule(assemble(`(module ${text})`)));
    expect(why('')).toMatch(/exports no memory/);
    expect(why('(memory (export "memory") 1)')).toMatch(/"handle"/);
    expect(why('(memory (export "memory") 1) (func (export "handle"))')).toMatch(/"malloc"/);
    expect(why('(import "env" "memory" (memory 1))')).toMatch(/memory from the host/);
    expect(why('(import "x" "g" (global i32))')).toMatch(/imports a global \(x\.g\)/);
    expect(why(`(import "my" "thing" (func)) (memory (export "memory") i64 1) ${AO}`)).toMatch(/my\.thing/);
  });

  it('refuses what is not WebAssembly, and every truncation, with a typed error', () => {
    for (const bytes of [
      new Uint8Array(0),
      new TextEncoder().encode('<html></html>'),
      Uint8Array.of(0, 0x61),
    ])
      expect(refusal(() => inspectModule(bytes))).toMatchObject({ code: 'bad-module', status: 422 });
    const whole = new Uint8Array(readFileSync('public/samples/counter.wasm'));
    const outline = readOutline(whole);
    expect(outline.memories).toHaveLength(1);
    for (let length = 0; length < whole.length; length++) {
      // A cut between two sections leaves a module that is well-formed as far as it goes.
      try {
        readOutline(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(AoError);
      }
    }
  });

  it('answers any damage with a typed error and never hangs', () => {
    const whole = new Uint8Array(readFileSync('public/samples/counter.wasm'));
    for (let at = 8; at < 400; at++)
      for (const value of [0, 0x7f, 0x80, 0xff]) {
        const copy = whole.slice();
        copy[at] = value;
        try {
          inspectModule(copy);
        } catch (error) {
          expect(error).toBeInstanceOf(AoError);
        }
      }
  });

  it('refuses a format tag that contradicts the imports', () => {
    const inspection = inspectModule(
      assemble(
        `(module (import "env" "getTempRet0" (func (result i32))) (memory (export "memory") 1) ${AO32})`,
      ),
    );
    expect(kindWithFormat(inspection, undefined)).toBe('emscripten-wasm32-2');
    expect(kindWithFormat(inspection, 'wasm32-unknown-emscripten2')).toBe('emscripten-wasm32-2');
    for (const format of [
      'wasm32-unknown-emscripten3',
      'wasm64-unknown-emscripten-draft_2024_02_15',
      'riscv',
    ])
      expect(refusal(() => kindWithFormat(inspection, format)).code).toBe('module-format');
  });
});

describe('withMaximumPages', () => {
  it('writes a smaller maximum and leaves everything else as it is', async () => {
    const bytes = assemble(
      '(module (memory (export "memory") 1 500) (func (export "f") (result i32) i32.const 7))',
    );
    const limited = withMaximumPages(bytes, 3);
    expect(readOutline(limited).memories[0]).toMatchObject({ initialPages: 1, maximumPages: 3 });
    const { instance } = await WebAssembly.instantiate(limited);
    const memory = instance.exports.memory as WebAssembly.Memory;
    expect((instance.exports.f as () => number)()).toBe(7);
    expect(memory.grow(2)).toBe(1);
    expect(() => memory.grow(1)).toThrow();
    expect(withMaximumPages(bytes, 1000)).toBe(bytes);
  });

  it('gives a maximum to a memory that has none', () => {
    const bytes = assemble('(module (memory i64 1))');
    expect(readOutline(withMaximumPages(bytes, 200)).memories[0]).toMatchObject({
      maximumPages: 200,
      wordBits: 64,
    });
  });
});
