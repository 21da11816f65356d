/**
 * What a process worker offers over its port: one machine, started once, called until the worker ends.
 *
 * The worker holds no store and no network. Page buffers are handed over, not copied. Time limits are the
 * caller's: code that does not come back can only be stopped by terminating the worker.
 */
import { AoError } from '../base/errors.ts';
import type {
  CallResult,
  EvaluateOptions,
  Evaluation,
  MemoryImage,
  ModuleInspection,
  SnapshotDelta,
  WasmEngine,
  WasmStart,
} from './engine.ts';
import type {
  LuaCallOptions,
  LuaEngine,
  LuaHost,
  LuaImage,
  LuaOutcome,
  LuaStart,
  LuaValue,
} from './lua/contract.ts';
import { LuaMachine } from './lua/machine.ts';
import type { Drive } from './program.ts';
import { startWasm } from './wasm-engine.ts';

/** `WasmEngine` and `LuaEngine` with a start in front of them: what crosses the port. */
export interface EngineHost {
  /**
   * Starts the module; a machine that ran before is dropped.
   * @param drive files from outside, called back over the port
   * @param progress told now and then, while several messages run in a row, how many of them are done
   */
  startWasm(start: WasmStart, drive?: Drive, progress?: (done: number) => void): Promise<ModuleInspection>;
  evaluate(message: string, environment: string, options?: EvaluateOptions): Promise<Evaluation>;
  evaluateAll(
    messages: readonly { message: string; environment: string }[],
    options?: EvaluateOptions & { stopAtFailure?: boolean },
  ): Promise<Evaluation[]>;
  call(name: string, parameters: readonly (bigint | number)[]): Promise<CallResult>;
  snapshot(): Promise<SnapshotDelta>;
  digest(): Promise<{ sha256: string; byteLength: number }>;
  image(): Promise<MemoryImage>;
  /** Loads the modules, or goes on from an image; `host` answers what Lua asks of the node, over the port. */
  startLua(start: LuaStart, host?: LuaHost): Promise<void>;
  luaCall(name: string, args: readonly LuaValue[], options?: LuaCallOptions): Promise<LuaOutcome>;
  luaFunctions(): Promise<string[]>;
  luaSave(): Promise<LuaImage>;
  close(): Promise<void>;
}

/** Marks what goes with a value instead of being copied: comlink's `transfer`. */
export type HandOver = <T extends object>(value: T, buffers: Transferable[]) => T;

/** Milliseconds between two signs of progress at least: each is a message over the port. */
export const PROGRESS_EVERY = 100;

function throttled(tell: (done: number) => void): (done: number) => void {
  let told = performance.now();
  return (done) => {
    const now = performance.now();
    if (now - told < PROGRESS_EVERY) return;
    told = now;
    tell(done);
  };
}

export function createHost(handOver: HandOver): EngineHost {
  let engine: WasmEngine | undefined;
  let lua: LuaEngine | undefined;
  const running = (): WasmEngine => {
    if (!engine) throw new AoError('engine-closed', 'No machine runs in this worker.', { status: 503 });
    return engine;
  };
  const runningLua = (): LuaEngine => {
    if (!lua) throw new AoError('engine-closed', 'No Lua machine runs in this worker.', { status: 503 });
    return lua;
  };
  return Object.freeze<EngineHost>({
    async startWasm(start, drive, progress) {
      await engine?.close();
      engine = undefined;
      engine = await startWasm(start, {
        ...(drive ? { drive } : {}),
        ...(progress ? { progress: throttled(progress) } : {}),
      });
      return engine.inspection;
    },
    evaluate: async (message, environment, options) => running().evaluate(message, environment, options),
    evaluateAll: async (messages, options) => running().evaluateAll(messages, options),
    call: async (name, parameters) => running().call(name, parameters),
    async snapshot() {
      const delta = await running().snapshot();
      return handOver(
        delta,
        delta.changed.flatMap(({ bytes }) => (bytes ? [bytes.buffer] : [])),
      );
    },
    digest: async () => running().digest(),
    async image() {
      const image = await running().image();
      return handOver(
        image,
        image.pages.map(({ bytes }) => bytes.buffer),
      );
    },
    async startLua(start, host) {
      await lua?.close();
      lua = undefined;
      lua = await LuaMachine.start(start, host);
    },
    luaCall: async (name, args, options) => runningLua().call(name, args, options),
    luaFunctions: async () => runningLua().functions(),
    luaSave: async () => runningLua().save(),
    async close() {
      await engine?.close();
      await lua?.close();
      engine = undefined;
      lua = undefined;
    },
  });
}
