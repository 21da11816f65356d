/**
 * Engines in process workers: one worker a machine, killed when it does not come back.
 *
 * WebAssembly and Lua cannot be interrupted from inside, so a time limit is a worker that is terminated. What it
 * held is gone; whoever owns the process restores it from its last snapshot. Others are not touched.
 */
import { AoError } from '../base/errors.ts';
import { PROGRESS_EVERY, type EngineHost } from '../engine/host.ts';
import {
  PAGE_BYTES,
  type EvaluateOptions,
  type Limits,
  type ModuleInspection,
  type WasmEngine,
  type WasmStart,
} from '../engine/engine.ts';
import { proxy, releaseProxy, wrap } from '../protocol/rpc.ts';
import type { Drive } from '../engine/program.ts';
import type { LuaEngine, LuaHost, LuaStart } from '../engine/lua/contract.ts';
import type { Engines } from '../resolver/context.ts';

export interface EnginePoolOptions {
  /** Starts a process worker. */
  readonly createWorker: () => Worker;
  /** Most machines that live at once (default: twice the processors, at least 8). */
  readonly maxLive?: number;
  /** Milliseconds for one message where a machine has no limit of its own (default 20,000). */
  readonly time?: number;
  /** Milliseconds for a snapshot and the like (default 600,000). */
  readonly serviceTime?: number;
  /**
   * Asked when a machine is to start and there are `maxLive` already: lets one go (through a snapshot) and
   * answers whether it did.
   */
  readonly evict?: () => Promise<boolean>;
}

/** Milliseconds that compiling and starting may take, and beside it each of these bytes of memory that come along. */
const START_TIME = 60_000;
const START_BYTES = 256 * 1024 * 1024;
/**
 * Milliseconds for what the program has no part in (snapshots, digests). A large memory takes long on a slow machine,
 * so only a worker that is lost for good comes to the end of it.
 */
const SERVICE_TIME = 600_000;

export class EnginePool implements Engines {
  readonly #options: EnginePoolOptions;
  readonly #maxLive: number;
  readonly #live = new Set<ProcessWorker>();
  evict: () => Promise<boolean>;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#maxLive = options.maxLive ?? Math.max(8, 2 * (globalThis.navigator?.hardwareConcurrency ?? 4));
    this.evict = options.evict ?? (async () => false);
  }

  /** Number of machines that live now. */
  get live(): number {
    return this.#live.size;
  }

  /** Ends every machine at once, wherever it is. */
  close(): void {
    for (const worker of this.#live)
      worker.kill(new AoError('node-closed', 'The node was closed.', { status: 503 }));
  }

  async #spawn(limits: Limits | undefined): Promise<ProcessWorker> {
    // Nobody may be evictable (all are computing): then the cap gives way rather than the process.
    while (this.#live.size >= this.#maxLive && (await this.evict()));
    const worker = new ProcessWorker(
      this.#options.createWorker(),
      limits?.time ?? this.#options.time ?? 20_000,
      this.#options.serviceTime ?? SERVICE_TIME,
      () => this.#live.delete(worker),
    );
    this.#live.add(worker);
    return worker;
  }

  /** @throws AoError as `startWasm` of `engine/wasm-engine.ts` does; `runaway` if starting does not end */
  async startWasm(start: WasmStart, drive?: Drive): Promise<WasmEngine> {
    const worker = await this.#spawn(start.limits);
    try {
      const progress = proxy((done: number) => worker.tell(done));
      const remote = drive && proxy(drive);
      const bytes = (start.memory?.pages.length ?? 0) * PAGE_BYTES;
      const time = START_TIME * (1 + bytes / START_BYTES);
      const inspection = await worker.run(time, (host) => host.startWasm(start, remote, progress));
      return wasmEngine(worker, inspection);
    } catch (thrown) {
      worker.kill(AoError.wrap(thrown));
      throw thrown;
    }
  }

  /** @throws AoError as `LuaMachine.start` does; `runaway` if loading the modules does not end */
  async startLua(start: LuaStart, host: LuaHost): Promise<LuaEngine> {
    const worker = await this.#spawn(start.limits);
    try {
      await worker.run(START_TIME, (remote) => remote.startLua(start, proxy(host)));
      return luaEngine(worker);
    } catch (thrown) {
      worker.kill(AoError.wrap(thrown));
      throw thrown;
    }
  }
}

/** One worker with its port, and the error that it ended with. */
class ProcessWorker {
  readonly #worker: Worker;
  /** Every call of it is asynchronous already, so the remote one has the same type. */
  readonly #host: EngineHost & { [releaseProxy]?: () => void };
  readonly #onEnd: () => void;
  /** Calls under way: what rejects each. A promise that all of them race would hold every result until the end. */
  readonly #waiting = new Set<(error: AoError) => void>();
  #error: AoError | undefined;
  /** Told by the machine how many of several messages are done. */
  #progress: ((done: number) => void) | undefined;
  /** Milliseconds for one message. */
  readonly time: number;
  readonly #serviceTime: number;

  constructor(worker: Worker, time: number, serviceTime: number, onEnd: () => void) {
    this.#worker = worker;
    this.#host = wrap<EngineHost>(worker) as unknown as EngineHost & { [releaseProxy](): void };
    this.#onEnd = onEnd;
    this.time = time;
    this.#serviceTime = serviceTime;
    worker.onerror = (event) =>
      this.kill(new AoError('engine-failed', event.message || 'The process worker failed.', { status: 500 }));
  }

  /** What is called, or the error that the worker ends with before it comes back. */
  #untilEnd<T>(called: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const settled = () => this.#waiting.delete(reject);
      called.then(resolve, reject).finally(settled);
    });
  }

  /**
   * Calls the machine; after `time` milliseconds its worker is terminated.
   * @throws AoError `runaway` (503), `engine-closed` (503)
   */
  run<T>(time: number, call: (host: EngineHost) => Promise<T>): Promise<T> {
    return this.#within(time, () => this.#runaway(time, 0), call);
  }

  /**
   * Asks for what the program has no part in, so that none is to blame if it takes long.
   * @throws AoError `engine-failed` (503) after a time that no sound machine needs, `engine-closed` (503)
   */
  serve<T>(call: (host: EngineHost) => Promise<T>): Promise<T> {
    const time = this.#serviceTime;
    const end = () =>
      this.kill(
        new AoError('engine-failed', `The machine did not answer within ${time / 1000} s and was ended.`, {
          status: 503,
          detail: { limit: time },
        }),
      );
    return this.#within(time, end, call);
  }

  async #within<T>(time: number, end: () => void, call: (host: EngineHost) => Promise<T>): Promise<T> {
    if (this.#error) throw this.#error;
    const timer = setTimeout(end, time);
    try {
      return await this.#untilEnd(call(this.#host));
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The same for several messages: each has the time, from the last sign that those before it are done. The error
   * says how many were done for sure (`done`): the one that did not end is at most `PROGRESS_EVERY` after those.
   */
  async runSeveral<T>(time: number, call: (host: EngineHost) => Promise<T>): Promise<T> {
    if (this.#error) throw this.#error;
    const begin = (done: number) => setTimeout(() => this.#runaway(time, done), time + PROGRESS_EVERY);
    let timer = begin(0);
    const progress = (done: number) => {
      clearTimeout(timer);
      timer = begin(done);
    };
    this.#progress = progress;
    try {
      return await this.#untilEnd(call(this.#host));
    } finally {
      if (this.#progress === progress) this.#progress = undefined;
      clearTimeout(timer);
    }
  }

  /** The machine is done with so many of several messages. */
  tell(done: number): void {
    this.#progress?.(done);
  }

  #runaway(time: number, done: number): void {
    this.kill(
      new AoError('runaway', `The program did not come back within ${time / 1000} s and was stopped.`, {
        status: 503,
        detail: { limit: time, done },
      }),
    );
  }

  kill(error: AoError): void {
    if (this.#error) return;
    this.#error = error;
    this.#worker.terminate();
    this.#host[releaseProxy]?.();
    for (const reject of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#onEnd();
  }

  end(): void {
    this.kill(new AoError('engine-closed', 'This machine was closed.', { status: 503 }));
  }
}

function wasmEngine(worker: ProcessWorker, inspection: ModuleInspection): WasmEngine {
  const { time } = worker;
  return {
    inspection,
    evaluate: (message, environment, options?: EvaluateOptions) =>
      worker.run(Math.min(time, options?.time ?? time), (host) =>
        host.evaluate(message, environment, options),
      ),
    evaluateAll: (messages, options) =>
      worker.runSeveral(time, (host) => host.evaluateAll(messages, options)),
    call: (name, parameters) => worker.run(time, (host) => host.call(name, parameters)),
    snapshot: () => worker.serve((host) => host.snapshot()),
    digest: () => worker.serve((host) => host.digest()),
    image: () => worker.serve((host) => host.image()),
    async close() {
      worker.end();
    },
  };
}

function luaEngine(worker: ProcessWorker): LuaEngine {
  return {
    call: (name, args, options) => worker.run(worker.time, (host) => host.luaCall(name, args, options)),
    functions: () => worker.serve((host) => host.luaFunctions()),
    save: () => worker.serve((host) => host.luaSave()),
    async close() {
      worker.end();
    },
  };
}
