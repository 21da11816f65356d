import wabt from 'wabt';
import { beforeAll, describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { PAGE_BYTES, type WasmEngine, type WasmStart } from '../../../src/engine/engine.ts';
import { replyFails } from '../../../src/engine/failure.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';

/**
 * A standalone process with 32-bit addresses. The first letter of a message says what to do, after the number at
 * address 16 went up by one and the letter was stored in page 2: `t` traps, `l` never ends, `g` grows by a page,
 * `x` answers an error, `n` answers no JSON, `z` clears page 2, `b` answers octets that are not UTF-8; every other
 * letter answers the count as one digit.
 */
const PROGRAM = `(module
  (memory (export "memory") 4 40)
  (global (export "turns") (mut i32) (i32.const 0))
  (data (i32.const 64) "{\\22ok\\22:true,\\22response\\22:{\\22Output\\22:\\220\\22}}\\00")
  (data (i32.const 128) "{\\22ok\\22:true,\\22response\\22:{\\22Error\\22:\\22no\\22}}\\00")
  (data (i32.const 192) "nothing\\00")
  (data (i32.const 224) "\\22\\ff\\22\\00")
  (func (export "malloc") (param $n i32) (result i32)
    (local $at i32)
    (if (i32.gt_u (local.get $n) (i32.const 60000)) (then (return (i32.const 0))))
    (local.set $at (i32.add (i32.const 1024) (i32.load (i32.const 20))))
    (i32.store (i32.const 20) (i32.rem_u (i32.add (i32.load (i32.const 20)) (local.get $n)) (i32.const 4096)))
    (local.get $at))
  (func (export "add") (param i64 i32 f64) (result f64)
    (f64.add (f64.convert_i64_s (i64.add (local.get 0) (i64.extend_i32_s (local.get 1)))) (local.get 2)))
  (func (export "pair") (result i32 i64) (i32.const 7) (i64.const -8))
  (func (export "handle") (param $m i32) (param $e i32) (result i32)
    (local $c i32)
    (global.set 0 (i32.add (global.get 0) (i32.const 1)))
    (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
    (local.set $c (i32.load8_u (local.get $m)))
    (i32.store8 (i32.const 131072) (local.get $c))
    (if (i32.eq (local.get $c) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $c) (i32.const 103)) (then (drop (memory.grow (i32.const 1)))))
    (if (i32.eq (local.get $c) (i32.const 122)) (then (i32.store8 (i32.const 131072) (i32.const 0))))
    (if (i32.eq (local.get $c) (i32.const 120)) (then (return (i32.const 128))))
    (if (i32.eq (local.get $c) (i32.const 110)) (then (return (i32.const 192))))
    (if (i32.eq (local.get $c) (i32.const 98)) (then (return (i32.const 224))))
    (i32.store8 (i32.const 97) (i32.add (i32.const 48) (i32.rem_u (i32.load (i32.const 16)) (i32.const 10))))
    (i32.const 64)))`;

let bytes: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  const { parseWat } = await wabt();
  bytes = new Uint8Array(parseWat('process.wat', PROGRAM, { multi_value: true }).toBinary({}).buffer);
});

const start = (more: Partial<WasmStart> = {}): Promise<WasmEngine> =>
  startWasm({ module: bytes, moduleHash: 'test', ...more });
const restore = { onError: 'restore', replyErrorIsFailure: true } as const;

async function count(engine: WasmEngine, options?: Parameters<WasmEngine['evaluate']>[2]): Promise<string> {
  const evaluation = await engine.evaluate('c', '{}', options);
  if (!evaluation.ok) throw new Error(evaluation.error);
  return (JSON.parse(evaluation.reply) as { response: { Output: string } }).response.Output;
}

describe('evaluate', () => {
  it('answers, with the addresses of the texts', async () => {
    const engine = await start();
    expect(await engine.evaluate('c', '{}')).toMatchObject({
      ok: true,
      reply: '{"ok":true,"response":{"Output":"1"}}',
      pointers: { message: '1024', environment: '1026', reply: '64' },
    });
    expect(await count(engine)).toBe('2');
  });

  it('answers a trap as a result, and keeps memory as the trap left it', async () => {
    const engine = await start();
    expect(await engine.evaluate('t', '{}')).toMatchObject({ ok: false, reason: 'trap' });
    expect(await count(engine)).toBe('2');
  });

  it('puts memory back after a trap, a refused text and a reply that is an error', async () => {
    const engine = await start();
    expect(await count(engine, restore)).toBe('1');
    const before = await engine.digest();
    expect(await engine.evaluate('t', '{}', restore)).toMatchObject({ ok: false, reason: 'trap' });
    expect(await engine.digest()).toEqual(before);
    expect(await engine.evaluate('c'.repeat(70000), '{}', restore)).toMatchObject({
      ok: false,
      reason: 'memory',
    });
    expect(await engine.digest()).toEqual(before);
    expect(await engine.evaluate('x', '{}', restore)).toMatchObject({ ok: true, restored: true });
    expect(await engine.evaluate('n', '{}', restore)).toMatchObject({ ok: true, restored: true });
    expect(await engine.digest()).toEqual(before);
    expect(await count(engine, restore)).toBe('2');
  });

  it('does not take an error reply for a failure unless asked to', async () => {
    const engine = await start();
    await engine.evaluate('x', '{}', { onError: 'restore' });
    expect(await count(engine, { onError: 'restore' })).toBe('2');
  });

  it('gives back what a failed message grew', async () => {
    const engine = await start();
    await engine.evaluate('g', '{}', restore);
    const before = await engine.digest();
    expect(before.byteLength).toBe(5 * PAGE_BYTES);
    for (let i = 0; i < 3; i++) await engine.evaluate('t', '{}', restore);
    expect(await engine.digest()).toEqual(before);
  });

  it('goes back to a checkpoint also after messages that kept their failure, and after snapshots', async () => {
    const engine = await start();
    await engine.evaluate('t', '{}');
    expect(await count(engine, restore)).toBe('2');
    await engine.snapshot();
    expect(await count(engine, restore)).toBe('3');
    await engine.evaluate('t', '{}', restore);
    expect(await count(engine, restore)).toBe('4');
    await engine.call('handle', [0, 0]);
    expect(await count(engine, restore)).toBe('6');
    await engine.evaluate('t', '{}', restore);
    expect(await count(engine, restore)).toBe('7');
  });

  it('says so when a reply is not UTF-8', async () => {
    const engine = await start();
    expect(await engine.evaluate('b', '{}')).toMatchObject({
      ok: true,
      reply: '"\ufffd"',
      invalidText: true,
    });
  });

  it('runs calls one after the other, in the order they were made', async () => {
    const engine = await start();
    const answers = await Promise.all([count(engine), count(engine), engine.digest(), count(engine)]);
    expect([answers[0], answers[1], answers[3]]).toEqual(['1', '2', '3']);
  });

  it('evaluates several messages at once, and stops at a failure when asked to', async () => {
    const engine = await start();
    const messages = ['c', 't', 'c'].map((message) => ({ message, environment: '{}' }));
    expect((await engine.evaluateAll(messages, restore)).map(({ ok }) => ok)).toEqual([true, false, true]);
    const stopped = await engine.evaluateAll(messages, { ...restore, stopAtFailure: true });
    expect(stopped.map(({ ok }) => ok)).toEqual([true, false]);
    expect(await count(engine)).toBe('4');
  });
});

describe('snapshot', () => {
  it('gives what is not zero first, then only what changed, and no bytes for zero', async () => {
    const engine = await start();
    await engine.evaluate('c', '{}');
    const first = await engine.snapshot();
    expect(first.changed.map(({ index }) => index)).toEqual([0, 2]);
    expect(first.changed[0]!.hash).toMatch(/^[\w-]{43}$/);
    expect(first.globals).toEqual({ turns: '1' });
    expect((await engine.snapshot()).changed).toEqual([]);
    await engine.evaluate('z', '{}');
    const second = await engine.snapshot();
    expect(second.changed.map(({ index }) => index)).toEqual([0, 2]);
    expect(second.changed[1]).toEqual({ index: 2, hash: '' });
  });

  it('restores so that nobody can tell', async () => {
    const straight = await start();
    let hopping = await start();
    for (const letter of ['c', 'g', 'c', 'z', 't', 'c', 'x', 'c']) {
      await straight.evaluate(letter, '{"a":1}', restore);
      await hopping.evaluate(letter, '{"a":1}', restore);
      const memory = await hopping.image();
      await hopping.close();
      hopping = await start({ memory });
      expect(await hopping.digest()).toEqual(await straight.digest());
    }
    expect((await hopping.snapshot()).globals).toEqual((await straight.snapshot()).globals);
    expect(await count(hopping)).toBe(await count(straight));
  });

  it('after an image gives only what changed since that image', async () => {
    const first = await start();
    await first.evaluate('c', '{}');
    const second = await start({ memory: await first.image() });
    expect((await second.snapshot()).changed).toEqual([]);
    await second.evaluate('c', '{}');
    expect((await second.snapshot()).changed.map(({ index }) => index)).toEqual([0]);
  });

  it('refuses an image that is not made of pages', async () => {
    const memory = { byteLength: 100, pages: [], globals: {} };
    await expect(start({ memory })).rejects.toMatchObject({ code: 'bad-snapshot' });
  });
});

describe('call', () => {
  it('converts by signature: integers wrap, floats stay, several results come in order', async () => {
    const engine = await start();
    expect(await engine.call('add', [2n, -3, 0.5])).toEqual({ ok: true, results: [-0.5] });
    expect(await engine.call('pair', [])).toEqual({ ok: true, results: [7n, -8n] });
    expect(await engine.call('missing', [])).toEqual({
      ok: false,
      reason: 'no-function',
      error: 'Function not found: missing',
    });
    expect(await engine.call('pair', [1])).toMatchObject({ ok: false, reason: 'bad-parameters' });
    expect(await engine.call('add', [1.5, 1, 1])).toMatchObject({ ok: false, reason: 'bad-parameters' });
  });
});

describe('limits', () => {
  it('refuses a module that needs more memory than allowed, and stops growth there', async () => {
    await expect(start({ limits: { memory: 3 * PAGE_BYTES } })).rejects.toMatchObject({
      code: 'memory-limit',
      status: 413,
    });
    const engine = await start({ limits: { memory: 5 * PAGE_BYTES + 7 } });
    for (let i = 0; i < 3; i++) await engine.evaluate('g', '{}');
    expect((await engine.digest()).byteLength).toBe(5 * PAGE_BYTES);
  });

  it('refuses calls after it was closed', async () => {
    const engine = await start();
    await engine.close();
    await expect(engine.evaluate('c', '{}')).rejects.toBeInstanceOf(AoError);
  });
});

describe('replyFails', () => {
  it('follows the truth rules of JavaScript', () => {
    const failing = ['', 'x', '{}', '{"ok":false}', '{"ok":true,"response":{"Error":"e"}}'];
    const fine = ['{"ok":true}', '{"ok":true,"response":{"Error":""}}', '{"ok":1,"response":{"Error":0}}'];
    expect(failing.map(replyFails)).toEqual(failing.map(() => true));
    expect(fine.map(replyFails)).toEqual(fine.map(() => false));
  });
});

describe('a message of which nothing is kept', () => {
  const dry = { ...restore, discard: true } as const;

  for (const [what, message] of Object.entries({
    'was answered': 'c',
    'answered an error': 'x',
    trapped: 't',
    'grew memory': 'g',
    'cleared a page': 'z',
  }))
    it(`leaves memory and globals as they were when it ${what}`, async () => {
      const engine = await start();
      await count(engine, restore);
      const before = await engine.digest();
      const { globals } = await engine.image();
      for (let round = 0; round < 3; round++) await engine.evaluate(message, '{}', dry);
      expect(await engine.digest()).toEqual(before);
      expect((await engine.image()).globals).toEqual(globals);
      expect(await count(engine, restore)).toBe('2');
    });

  it('sees what was kept before it, and not what was not', async () => {
    const engine = await start();
    expect(await count(engine, dry)).toBe('1');
    expect(await count(engine, restore)).toBe('1');
    expect(await count(engine, dry)).toBe('2');
    await engine.evaluate('t', '{}', restore);
    expect(await count(engine, dry)).toBe('2');
    expect(await count(engine)).toBe('2');
    expect(await count(engine, dry)).toBe('3');
    expect((await engine.snapshot()).changed.map(({ index }) => index)).toContain(2);
    expect(await count(engine, dry)).toBe('3');
    expect((await engine.snapshot()).changed).toEqual([]);
  });

  it('is the same in an engine that started from an image', async () => {
    const first = await start();
    await count(first, restore);
    const engine = await start({ memory: await first.image() });
    expect(await count(engine, dry)).toBe('2');
    expect(await engine.digest()).toEqual(await first.digest());
    expect(await count(engine, restore)).toBe('2');
  });
});
