import { afterEach, describe, expect, it } from 'vitest';
import type { EngineHost } from '../../src/engine/host.ts';
import { hasMemory64 } from '../../src/engine/webassembly.ts';
import { proxy, wrap, type Remote } from '../../src/protocol/rpc.ts';
import recorded from '../vectors/snapshot.json';

const workers: Worker[] = [];

function host(): Remote<EngineHost> {
  const worker = new Worker(new URL('../../workers/process.worker.ts', import.meta.url), { type: 'module' });
  workers.push(worker);
  return wrap<EngineHost>(worker);
}

afterEach(() => {
  for (const worker of workers.splice(0)) worker.terminate();
});

const counter = async () => new Uint8Array(await (await fetch('/samples/counter.wasm')).arrayBuffer());
const message = (action: string, tags: Record<string, string> = {}) =>
  JSON.stringify({
    Data: 'hello',
    Tags: Object.entries({ Action: action, ...tags }).map(([name, value]) => ({ name, value })),
  });

async function say(engine: Remote<EngineHost>, text: string): Promise<string> {
  const evaluation = await engine.evaluate(text, '{}');
  if (!evaluation.ok) throw new Error(evaluation.error);
  return (JSON.parse(evaluation.reply) as { response: { Output: { data: string } } }).response.Output.data;
}

describe('a process worker', () => {
  it('runs the sample: counts, echoes, and keeps its memory small', async () => {
    expect(hasMemory64()).toBe(true);
    const engine = host();
    expect((await engine.startWasm({ module: await counter(), moduleHash: '' })).kind).toBe(
      'ao-standalone-wasm64',
    );
    expect(await say(engine, message('Inc'))).toBe('1');
    expect(await say(engine, message('Inc', { By: '41' }))).toBe('42');
    expect(await say(engine, message('Dec', { By: '2' }))).toBe('40');
    expect(await say(engine, message('Hello'))).toBe('hello');
    for (let i = 0; i < 2000; i++) void engine.evaluate(message('Inc'), '{}');
    expect(await say(engine, message('Inc'))).toBe('2041');
    expect((await engine.digest()).byteLength).toBe(131072);
  });

  it('goes on from a snapshot in another worker as if nothing had happened', async () => {
    const module = await counter();
    const first = host();
    await first.startWasm({ module, moduleHash: '' });
    await say(first, message('Inc', { By: '7' }));
    const { byteLength, changed, globals } = await first.snapshot();
    expect(changed.length).toBeGreaterThan(0);
    expect((await first.snapshot()).changed).toEqual([]);
    const pages = changed.flatMap(({ index, bytes }) => (bytes ? [{ index, bytes }] : []));
    const second = host();
    await second.startWasm({ module, moduleHash: '', memory: { byteLength, pages, globals } });
    expect(await second.digest()).toEqual(await first.digest());
    expect(await say(second, message('Inc'))).toBe(await say(first, message('Inc')));
    expect(await second.digest()).toEqual(await first.digest());
  });

  it('refuses bad modules with typed errors, across the port', async () => {
    const engine = host();
    const start = (module: Uint8Array<ArrayBuffer>) => engine.startWasm({ module, moduleHash: '' });
    await expect(start(new TextEncoder().encode('<html>'))).rejects.toMatchObject({ code: 'bad-module' });
    await expect(start((await counter()).slice(0, 600))).rejects.toMatchObject({ code: 'bad-module' });
    await expect(engine.evaluate('{}', '{}')).rejects.toMatchObject({ code: 'engine-closed', status: 503 });
  });

  it('has no way to the network, to storage or to more workers', async () => {
    const source = `
      import { sealWorker } from ${JSON.stringify(new URL('../../src/engine/seal.ts', import.meta.url).href)};
      const left = sealWorker();
      const names = ['fetch', 'XMLHttpRequest', 'WebSocket', 'indexedDB', 'caches', 'importScripts', 'Worker'];
      postMessage({ left, open: names.filter((name) => self[name] !== undefined) });`;
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const worker = new Worker(url, { type: 'module' });
    workers.push(worker);
    const answer = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
    expect(answer).toEqual({ left: [], open: [] });
  });

  it('is stopped by terminating it, while another goes on', async () => {
    const engine = host();
    await engine.startWasm({ module: await counter(), moduleHash: '' });
    const other = host();
    await other.startWasm({ module: await counter(), moduleHash: '' });
    workers[0]!.terminate();
    expect(await say(other, message('Inc'))).toBe('1');
  });

  it('takes a drive that is called back over the port', async () => {
    const engine = host();
    const inspection = await engine.startWasm(
      { module: await counter(), moduleHash: '' },
      proxy(async () => undefined),
    );
    expect(inspection.wordBits).toBe(64);
  });
});

/** The echo program answers with the two texts that it was given: they can be given to ours. */
interface Recorded {
  module: { source: string; wasm: string };
  slots: { results: { data: string } }[];
  memory: { slot: number; sha256: string; 'linear-bytes': number }[];
}

const base64 = (text: string) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

describe('memory as the reference has it', () => {
  const echoes = (recorded as unknown as Recorded[]).filter(({ slots }) =>
    slots.every(({ results }) => results.data.startsWith('["{')),
  );

  it.each([
    ['in one run', false],
    ['restored after every slot', true],
  ])('%s', async (_, restart) => {
    expect(echoes.length).toBeGreaterThan(0);
    for (const { module, slots, memory } of echoes) {
      const start = { module: base64(module.wasm), moduleHash: '' };
      let engine = host();
      await engine.startWasm(start);
      for (const [slot, { results }] of slots.entries()) {
        const [text, environment] = JSON.parse(results.data) as [string, string];
        const evaluation = await engine.evaluate(text, environment, { onError: 'restore' });
        expect(evaluation.ok).toBe(true);
        const expected = memory.find((entry) => entry.slot === slot)!;
        expect(await engine.digest()).toEqual({
          sha256: hex(base64(expected.sha256)),
          byteLength: expected['linear-bytes'],
        });
        if (!restart) continue;
        const image = await engine.image();
        engine = host();
        await engine.startWasm({ ...start, memory: image });
      }
    }
  });
});
