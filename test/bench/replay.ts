/**
 * What the replay benchmarks share: a process with its schedule is made once and exported; every round imports it into
 * a database of its own, computes the set-up slots, and is then timed from there to the head. A bare loop hands the
 * same texts to the same module, its instance hot.
 */
import { inspectOutline, kindWithFormat } from '../../src/engine/inspect.ts';
import { readOutline } from '../../src/engine/binary.ts';
import { EmscriptenProgram } from '../../src/engine/emscripten.ts';
import type { Program, ProgramStart } from '../../src/engine/program.ts';
import { StandaloneProgram } from '../../src/engine/standalone.ts';
import { startWasm } from '../../src/engine/wasm-engine.ts';
import { compileModule } from '../../src/engine/webassembly.ts';
import { PAGE_BYTES, type WasmEngine } from '../../src/engine/engine.ts';
import { RsaWallet } from '../../src/crypto/wallet.ts';
import { Message } from '../../src/message/message.ts';
import { nodeApi, type NodeService } from '../../src/node/api.ts';
import { createNode, type Node } from '../../src/node/node.ts';
import { importProcess } from '../../src/node/process-file.ts';
import type { SendOptions, SpawnOptions } from '../../src/protocol/api.ts';
import { deleteIndexedDb, openIndexedDb } from '../../src/store/indexeddb.ts';
import { MemoryStore } from '../../src/store/memory.ts';
import type { Store } from '../../src/store/store.ts';
import { testNode } from '../conformance/node.ts';
import { time } from './bench.ts';

export interface Scenario {
  readonly module: SpawnOptions['module'];
  /** Messages before the measure begins: handlers that are installed, balances that are minted. */
  readonly setUp: readonly SendOptions[];
  readonly count: number;
  readonly message: (index: number) => SendOptions;
}

export interface Prepared {
  readonly id: string;
  readonly file: Uint8Array;
  readonly wallet: RsaWallet;
  /** Slots that are computed before the measure begins. */
  readonly first: number;
  readonly count: number;
}

const createWorker = () =>
  new Worker(new URL('../../workers/process.worker.ts', import.meta.url), { type: 'module' });

export async function openBenchNode(
  store: Store,
  wallet: RsaWallet,
): Promise<{ node: Node; api: NodeService }> {
  const node = await createNode({ store, wallet, createWorker });
  return { node, api: nodeApi(node, { storage: 'indexeddb', modules: '/none' }) };
}

export async function prepare({ module, setUp, count, message }: Scenario): Promise<Prepared> {
  const wallet = await RsaWallet.generate();
  const { node, api } = await openBenchNode(new MemoryStore(), wallet);
  const { id } = await api.spawn({ module });
  for (const one of setUp) {
    const { result } = await api.send(id, one);
    if (!result?.ok) throw new Error(`The set-up failed: ${result?.error ?? result?.output ?? ''}`);
  }
  for (let index = 0; index < count; index++) await api.send(id, { ...message(index), compute: false });
  const file = await api.exportProcess(id);
  await node.close();
  return { id, file, wallet, first: setUp.length, count };
}

let databases = 0;

/** Gives `act` an IndexedDB store of its own, gone afterwards. */
export async function withDatabase<T>(act: (store: Store) => Promise<T>): Promise<T> {
  const name = `bench-${databases++}`;
  const store = await openIndexedDb(name);
  try {
    return await act(store);
  } finally {
    await store.close();
    await deleteIndexedDb(name);
  }
}

/** Milliseconds that the node takes from the end of the set-up to the head, everything stored. */
export function replay({ id, file, wallet, first, count }: Prepared): Promise<number> {
  return withDatabase(async (store) => {
    const { node } = await openBenchNode(store, wallet);
    try {
      await importProcess(file, node.context);
      await ask(node, `/${id}~process@1.0/compute&slot=${first}/at-slot`);
      let reached = '';
      const took = await time(async () => {
        reached = await ask(node, `/${id}~process@1.0/now/at-slot`);
      });
      if (reached !== String(first + count))
        throw new Error(`Slot ${reached} was reached instead of ${first + count}.`);
      return took;
    } finally {
      await node.close();
    }
  });
}

/** What the node answers at `target`, as text. Throws unless it is a 200. */
export async function ask(node: Node, target: string): Promise<string> {
  const answer = await node.handle({ method: 'GET', target, headers: [], body: new Uint8Array(0) });
  if (answer.status !== 200) throw new Error(`${target} was answered with ${answer.status}.`);
  return new TextDecoder().decode(answer.body);
}

export interface Texts {
  readonly message: string;
  readonly environment: string;
}

/** The texts that the module is handed on the way, and the module's bytes. */
export async function record({
  id,
  file,
  wallet,
  first,
  count,
}: Prepared): Promise<{ texts: Texts[]; start: ModuleStart }> {
  const texts: Texts[] = [];
  let start: ModuleStart | undefined;
  const context = await testNode({
    identity: wallet,
    capabilities: {
      engines: {
        async startWasm(given) {
          start ??= { bytes: given.module as Uint8Array<ArrayBuffer>, format: given.format };
          return recording(await startWasm(given), texts);
        },
        startLua: () => Promise.reject(new Error('No Lua here.')),
      },
    },
  });
  await importProcess(file, context);
  const definition = await context.cache.read(id);
  if (!(definition instanceof Message)) throw new Error('The definition was not imported.');
  const { status } = await context.resolve(
    definition,
    Message.of({ path: 'compute', slot: BigInt(first + count) }),
  );
  if (status !== 'ok' || !start || texts.length < count)
    throw new Error('The messages could not be recorded.');
  return { texts, start };
}

export function recording(engine: WasmEngine, texts: Texts[]): WasmEngine {
  return {
    inspection: engine.inspection,
    evaluate(message, environment, options) {
      texts.push({ message, environment });
      return engine.evaluate(message, environment, options);
    },
    evaluateAll(messages, options) {
      texts.push(...messages);
      return engine.evaluateAll(messages, options);
    },
    call: (name, parameters) => engine.call(name, parameters),
    snapshot: () => engine.snapshot(),
    digest: () => engine.digest(),
    image: () => engine.image(),
    close: () => engine.close(),
  };
}

export interface ModuleStart {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly format: string | undefined;
}

async function program({ bytes, format }: ModuleStart): Promise<Program> {
  const outline = readOutline(bytes);
  const inspection = inspectOutline(outline);
  const named = <T>(entries: [string, T | undefined][]) =>
    new Map(entries.filter((entry): entry is [string, T] => entry[1] !== undefined));
  const start: ProgramStart = {
    module: await compileModule(bytes, inspection.wordBits),
    inspection,
    kind: kindWithFormat(inspection, format),
    signatures: named(outline.exports.map((entry) => [entry.name, entry.signature])),
    importSignatures: named(
      outline.imports.map((entry) => [`${entry.module}.${entry.name}`, entry.signature]),
    ),
    memoryLimit: undefined,
    gasLimit: undefined,
    drive: undefined,
  };
  return start.kind.startsWith('ao-standalone')
    ? StandaloneProgram.start(start)
    : EmscriptenProgram.start(start);
}

/** Milliseconds of the bare loop over the last `count` texts; those before them are run unmeasured. */
export async function bareLoop(texts: readonly Texts[], start: ModuleStart, count: number): Promise<number> {
  const running = await program(start);
  const run = async (some: readonly Texts[]): Promise<void> => {
    for (const { message, environment } of some) {
      const answer = running.handle(message, environment);
      const { reply } = answer instanceof Promise ? await answer : answer;
      JSON.parse(running.memory.text(reply));
      running.takeOutput();
    }
  };
  await run(texts.slice(0, -count));
  return time(() => run(texts.slice(-count)));
}

/** The memory of an engine as one value. */
export async function wholeMemory(engine: WasmEngine): Promise<Uint8Array<ArrayBuffer>> {
  const { byteLength, pages } = await engine.image();
  const memory = new Uint8Array(byteLength);
  for (const { index, bytes } of pages) memory.set(bytes, index * PAGE_BYTES);
  return memory;
}
