/** Every legacynet family in real process workers: what its programs import, its limits, gas, the drive. */
import wabt from 'wabt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../src/base/bytes.ts';
import { messageId } from '../../src/commitment/id.ts';
import { Processes } from '../../src/device/processes.ts';
import { Schedules } from '../../src/device/schedules.ts';
import { PAGE_BYTES, type WasmEngine, type WasmStart } from '../../src/engine/engine.ts';
import { Message, type ValueInput } from '../../src/message/message.ts';
import { EnginePool } from '../../src/node/engines.ts';
import type { HttpRequest } from '../../src/resolver/context.ts';
import { emscriptenProgram, INITIAL_PAGES, type FamilyName } from '../setup/emscripten-program.ts';
import { signed, testNode, testWallet, type TestNode } from '../setup/test-node.ts';

const FAMILIES: readonly (readonly [string, FamilyName])[] = [
  ['wasm32-unknown-emscripten', '1'],
  ['wasm32-unknown-emscripten2', '2'],
  ['wasm32-unknown-emscripten3', '3'],
  ['wasm32-unknown-emscripten4', '4'],
  ['wasm32-unknown-emscripten-metering', '4'],
  ['wasm64-unknown-emscripten-draft_2024_02_15', '64'],
  ['wasm64-unknown-emscripten-draft_2024_10_16-metering', '64'],
];

const pool = new EnginePool({
  createWorker: () =>
    new Worker(new URL('../../workers/process.worker.ts', import.meta.url), { type: 'module' }),
  maxLive: 64,
});
const modules = new Map<FamilyName, Uint8Array<ArrayBuffer>>();

beforeAll(async () => {
  const { parseWat } = await wabt();
  for (const family of ['1', '2', '3', '4', '64'] as const) {
    const text = emscriptenProgram(family);
    const { buffer } = parseWat('program.wat', text, { memory64: true }).toBinary({});
    modules.set(family, new Uint8Array(buffer));
  }
});
afterAll(() => pool.close());

function start(format: string, family: FamilyName, limits?: WasmStart['limits']): Promise<WasmEngine> {
  const module = modules.get(family)!;
  return pool.startWasm({ module, moduleHash: family, format, ...(limits ? { limits } : {}) });
}

const LEGACY = { onError: 'restore', replyErrorIsFailure: true } as const;

/** What a program says, or why it failed. */
async function answer(engine: WasmEngine, message: string): Promise<string> {
  const evaluation = await engine.evaluate(message, '{}', LEGACY);
  if (!evaluation.ok) return evaluation.reason;
  return (JSON.parse(evaluation.reply) as { response: { Output: { data: string } } }).response.Output.data;
}

describe.each(FAMILIES)('%s', (format, family) => {
  const metered = format.endsWith('-metering') || family === '1' || family === '2';

  it('answers, jumps, prints, reads its clock and grows as its loader lets it', async () => {
    const engine = await start(format, family);
    expect(engine.inspection.asyncify).toBe(family === '4' || family === '64');
    expect(await answer(engine, 'c')).toBe('1');
    expect(await answer(engine, 'l')).toBe('5');
    // The oldest loaders have no clock.
    expect(await answer(engine, 'n')).toBe(family === '1' || family === '2' ? '0' : '1');
    expect(await engine.evaluate('p', '{}')).toMatchObject({ ok: true, output: 'printed' });
    expect(await answer(engine, 'c')).toBe('2');
    expect(await answer(engine, 'g')).toBe('1');
    // A fifth more than there was, in whole pages.
    expect((await engine.digest()).byteLength).toBe(Math.ceil(1.2 * INITIAL_PAGES) * PAGE_BYTES);
    expect(await answer(engine, 'c')).toBe('3');
    await engine.close();
  });

  it('leaves memory as it was when a message fails, also after a restart from a snapshot', async () => {
    const engine = await start(format, family);
    for (const message of ['c', 'n', 'c']) await answer(engine, message);
    const before = await engine.digest();
    for (const [message, reason] of [
      ['x', 'trap'],
      ['a', 'abort'],
    ] as const) {
      expect(await answer(engine, message)).toBe(reason);
      expect(await engine.digest()).toEqual(before);
    }
    const memory = await engine.image();
    await engine.close();
    const again = await pool.startWasm({ module: modules.get(family)!, moduleHash: family, format, memory });
    expect(await again.digest()).toEqual(before);
    expect(await answer(again, 'c')).toBe('3');
    await again.close();
  });

  it('keeps to its limits of memory and of gas', async () => {
    const most = (INITIAL_PAGES + 5) * PAGE_BYTES;
    const engine = await start(format, family, { memory: most, compute: 100_000 });
    expect(await answer(engine, 'g')).toBe('1');
    expect((await engine.digest()).byteLength).toBe(most);
    expect(await answer(engine, 'g')).toBe('0');
    const before = await engine.digest();
    expect(await answer(engine, 's')).toBe(metered ? 'gas' : '0');
    if (metered) expect(await engine.digest()).toEqual(before);
    await engine.close();
    const small = start(format, family, { memory: (INITIAL_PAGES - 1) * PAGE_BYTES });
    await expect(small).rejects.toMatchObject({ code: 'memory-limit', status: 413 });
    const other = format.startsWith('wasm64') ? 'wasm32-unknown-emscripten3' : FAMILIES.at(-2)![0];
    await expect(start(other, family)).rejects.toMatchObject({ code: 'module-format', status: 422 });
  });

  it('says what a message used, where it meters', async () => {
    const engine = await start(format, family);
    const used = async () => {
      const evaluation = await engine.evaluate('s', '{}', LEGACY);
      return evaluation.ok ? evaluation.gasUsed : undefined;
    };
    const first = await used();
    // The same for the same message: the tank is full again each time.
    expect(await used()).toBe(first);
    if (metered) expect(first).toBeGreaterThan(100_000);
    else expect(first).toBe(0);
    await engine.close();
  });
});

// ---- The drive, in a process

const REMOTE = 'r'.repeat(43);
const HIDDEN = 'h'.repeat(43);

interface Gateway {
  readonly node: TestNode;
  readonly asked: string[];
  /** Ends the gateway, or brings it back. */
  down(is: boolean): void;
}

/** A node with real machines, and a gateway that has two files, one of them attested by this node's own key. */
async function withGateway(): Promise<Gateway> {
  const asked: string[] = [];
  let isDown = false;
  const owner = (await testWallet()).address;
  const respond = (body: string, status = 200) => ({ status, headers: [], body: toBytes(body) });
  const request = async ({ target, body }: HttpRequest) => {
    const path = target.replace('https://gateway.example', '');
    asked.push(path);
    if (isDown) return respond('', 502);
    if (path === '/graphql') {
      const attested = fromBytes(body).includes(REMOTE);
      const edges = attested ? [{ node: { owner: { address: owner }, block: { height: 0 } } }] : [];
      return respond(JSON.stringify({ data: { transactions: { edges } } }));
    }
    return path === `/raw/${REMOTE}` || path === `/raw/${HIDDEN}` ? respond('from afar') : respond('', 404);
  };
  const node = await testNode({
    capabilities: { http: { request }, engines: pool },
    config: Message.of({ gateway: 'https://gateway.example' }),
  });
  return { node, asked, down: (is) => void (isDown = is) };
}

async function spawn(
  { context }: TestNode,
  format: string,
  family: FamilyName,
  keys: Record<string, ValueInput>,
) {
  const { address } = await testWallet();
  const module = await context.cache.write(
    Message.of({ data: modules.get(family)!, 'module-format': format, type: 'Module' }),
  );
  const definition = await signed({
    device: 'process@1.0',
    type: 'Process',
    'execution-device': 'genesis-wasm@1.0',
    scheduler: address,
    authority: address,
    variant: 'ao.TN.1',
    data: 'c',
    module,
    ...keys,
  });
  const id = messageId(definition, 'signed');
  await context.cache.write(definition);
  await Schedules.of(context).assign(id, definition, context);
  return id;
}

describe.each([FAMILIES[3]!, FAMILIES[5]!])('a file of the drive in a process: %s', (format, family) => {
  const reader = async (keys: Record<string, ValueInput>) => {
    const gateway = await withGateway();
    const { node } = gateway;
    const id = await spawn(node, format, family, keys);
    const read = async (data: string) => {
      const body = await signed({ target: id, type: 'Message', 'data-protocol': 'ao', data });
      const assignment = await Schedules.of(node.context).assign(id, body, node.context);
      const live = (await Processes.of(node.context).find(id, node.context))!;
      const { status, value } = await live.compute(Number(assignment.get('slot')), node.context);
      expect(status).toBe('ok');
      return (value as Message).message('results')?.get('data');
    };
    return { ...gateway, read };
  };

  it('is read from the store, else from the gateway if somebody trusted attested it, else not at all', async () => {
    const { asked, read, down } = await reader({ extension: 'WeaveDrive' });
    expect(await read(`w/data/${REMOTE}`)).toBe('from afar');
    expect(await read(`w/data/${HIDDEN}`)).toBe('');
    expect(asked).not.toContain(`/raw/${HIDDEN}`);
    // A gateway that does not answer leaves no result: the slot is computed once it does.
    down(true);
    await expect(read(`w/data/${REMOTE}`)).rejects.toMatchObject({ code: 'drive-failed' });
    down(false);
    expect(await read(`w/data/${REMOTE}`)).toBe('from afar');
  });

  it('is not there for a process that declares no drive, but for what it boots from', async () => {
    const { asked, read } = await reader({});
    expect(await read(`w/data/${REMOTE}`)).toBe('');
    expect(asked).toEqual([]);
    const here = messageId(Message.of({ data: 'from here' }), 'unsigned');
    const booting = await reader({ 'on-boot': here });
    await booting.node.context.cache.write(Message.of({ data: 'from here' }));
    expect(await booting.read(`w/data/${here}`)).toBe('from here');
    expect(booting.asked).toEqual([]);
    expect(await booting.read(`w/data/${REMOTE}`)).toBe('');
  });
});
