/** Format `wasm32-unknown-emscripten3` (process.md §4.6): no published module is known, so one is made here. */
import wabt from 'wabt';
import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import type { WasmEngine } from '../../../src/engine/engine.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';

const FORMAT = 'wasm32-unknown-emscripten3';

/**
 * Answers by the first letter of the message: `n` a digit that counts its calls of the clock, `l` what comes back after
 * a longjmp through `invoke_vi`, `p` prints and answers, `g` grows memory by emscripten's rule, `a` aborts.
 */
const PROGRAM = `(module
  (import "env" "emscripten_resize_heap" (func $resize (param i32) (result i32)))
  (import "env" "emscripten_date_now" (func $now (result f64)))
  (import "env" "invoke_vi" (func $invoke (param i32 i32)))
  (import "env" "_emscripten_throw_longjmp" (func $throw))
  (import "env" "abort" (func $abort))
  (import "env" "__syscall_openat" (func $openat (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4 400)
  (table (export "__indirect_function_table") 1 funcref)
  (elem (i32.const 0) $jump)
  (global $sp (mut i32) (i32.const 131072))
  (global $threw (mut i32) (i32.const 0))
  (data (i32.const 1024) "{\\22ok\\22:true,\\22response\\22:{\\22Output\\22:\\220\\22}}\\00")
  (data (i32.const 1152) "printed")
  (data (i32.const 1168) "\\80\\04\\00\\00\\07\\00\\00\\00")
  (func $jump (param i32) (call $throw))
  (func (export "__wasm_call_ctors"))
  (func (export "setThrew") (param i32 i32) (global.set $threw (local.get 0)))
  (func (export "stackSave") (result i32) (global.get $sp))
  (func (export "stackRestore") (param i32) (global.set $sp (local.get 0)))
  (func $alloc (export "stackAlloc") (param i32) (result i32)
    (global.set $sp (i32.and (i32.sub (global.get $sp) (local.get 0)) (i32.const -16)))
    (global.get $sp))
  (func (export "emscripten_stack_init"))
  (func (export "emscripten_stack_get_end") (result i32) (i32.const 65536))
  (func (export "emscripten_stack_get_base") (result i32) (i32.const 131072))
  (func (export "malloc") (param i32) (result i32) (i32.const 196608))
  (func (export "main") (param i32 i32) (result i32) (i32.const 0))
  (func $digit (param i32) (i32.store8 (i32.const 1057) (i32.add (i32.const 48) (local.get 0))))
  (func (export "handle") (param $m i32) (param $e i32) (result i32)
    (local $c i32)
    (local.set $c (i32.load8_u (local.get $m)))
    (if (i32.eq (local.get $c) (i32.const 97)) (then (call $abort)))
    (if (i32.eq (local.get $c) (i32.const 110))
      (then (call $digit (f64.lt (call $now) (call $now)))))
    (if (i32.eq (local.get $c) (i32.const 108))
      (then (call $invoke (i32.const 0) (i32.const 5)) (call $digit (i32.add (global.get $threw) (i32.const 4)))))
    (if (i32.eq (local.get $c) (i32.const 112))
      (then (drop (call $write (i32.const 1) (i32.const 1168) (i32.const 1) (i32.const 1184)))))
    (if (i32.eq (local.get $c) (i32.const 103))
      (then (call $digit (call $resize (i32.const 300000)))))
    (i32.const 1024)))`;

let bytes: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const { parseWat } = await wabt();
  bytes = new Uint8Array(parseWat('emscripten3.wat', PROGRAM, {}).toBinary({}).buffer);
});

const start = () => startWasm({ module: bytes, moduleHash: '', format: FORMAT });

async function answer(engine: WasmEngine, message: string): Promise<string> {
  const evaluation = await engine.evaluate(message, '{}', { onError: 'restore', replyErrorIsFailure: true });
  if (!evaluation.ok) return evaluation.reason;
  return (JSON.parse(evaluation.reply) as { response: { Output: string } }).response.Output;
}

describe('a module of the third 32-bit format', () => {
  it('is told by its imports, agrees with its tag, and contradicts the others', async () => {
    const engine = await start();
    expect(engine.inspection.kind).toBe('emscripten-wasm32-3');
    expect(engine.inspection.asyncify).toBe(false);
    for (const format of ['wasm32-unknown-emscripten2', 'wasm64-unknown-emscripten-draft_2024_02_15'])
      await expect(startWasm({ module: bytes, moduleHash: '', format })).rejects.toBeInstanceOf(AoError);
  });

  it('answers, with a clock that counts', async () => {
    const engine = await start();
    expect(await answer(engine, 'n')).toBe('1');
  });

  it('gets longjmp, and goes on after it', async () => {
    const engine = await start();
    expect(await answer(engine, 'l')).toBe('5');
    expect(await answer(engine, 'n')).toBe('1');
  });

  it('prints, and grows as emscripten does', async () => {
    const engine = await start();
    const printed = await engine.evaluate('p', '{}');
    expect(printed).toMatchObject({ ok: true, output: 'printed' });
    expect(await answer(engine, 'g')).toBe('1');
    // A fifth more than there was, or what is asked for, in whole pages.
    expect((await engine.digest()).byteLength).toBe(327_680);
  });

  it('an abort is a result, and leaves memory as it was', async () => {
    const engine = await start();
    await answer(engine, 'n');
    const before = await engine.digest();
    expect(await answer(engine, 'a')).toBe('abort');
    expect(await engine.digest()).toEqual(before);
  });
});
