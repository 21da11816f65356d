import { afterEach, describe, expect, it } from 'vitest';
import type { EngineHost } from '../../../src/engine/host.ts';
import type { WasmStart } from '../../../src/engine/engine.ts';
import { EnginePool, type EnginePoolOptions } from '../../../src/node/engines.ts';
import { expose } from '../../../src/protocol/rpc.ts';

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

const later = <T>(milliseconds: number, value: T) =>
  new Promise<T>((resolve) => setTimeout(() => resolve(value), milliseconds));

/** A process worker of which every answer takes a while. */
function slowWorker(milliseconds: number): Worker {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const host: Partial<EngineHost> = {
    startWasm: async () => ({}) as never,
    evaluate: () => later(milliseconds, { ok: true, reply: '{}', output: '', pointers: {} as never }),
    snapshot: () => later(milliseconds, { byteLength: 0, changed: [], globals: {} }),
  };
  expose(host, port2);
  return Object.assign(port1, { terminate: () => port2.close() }) as unknown as Worker;
}

async function machine(options: Omit<EnginePoolOptions, 'createWorker'>) {
  const pool = new EnginePool({ ...options, createWorker: () => slowWorker(150) });
  return { pool, engine: await pool.startWasm({} as WasmStart) };
}

describe('a machine that takes long', () => {
  it('is a runaway over a message', async () => {
    const { pool, engine } = await machine({ time: 30 });
    await expect(engine.evaluate('', '')).rejects.toMatchObject({ code: 'runaway', status: 503 });
    expect(pool.live).toBe(0);
    await expect(engine.snapshot()).rejects.toMatchObject({ code: 'runaway' });
  });

  it('is none over a snapshot, which may take longer than any message', async () => {
    const { engine } = await machine({ time: 30 });
    expect(await engine.snapshot()).toMatchObject({ byteLength: 0 });
  });

  it('is given up over a snapshot in the end, and the program is not to blame', async () => {
    const { pool, engine } = await machine({ time: 30, serviceTime: 60 });
    await expect(engine.snapshot()).rejects.toMatchObject({ code: 'engine-failed', status: 503 });
    expect(pool.live).toBe(0);
  });
});
