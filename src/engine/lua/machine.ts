/**
 * A Lua machine: the contract of `contract.ts` over the interpreter.
 *
 * A call is a transaction: its journal undoes everything if it fails. A host call suspends the run where it is and
 * goes on with the answer. Runs are synchronous between host calls: a runaway is stopped by its steps or, from
 * outside, by ending the worker.
 */
import { AoError } from '../../base/errors.ts';
import { bytesToLatin1 } from '../../base/bytes.ts';
import { compile } from './compiler.ts';
import type {
  LuaCallOptions,
  LuaEngine,
  LuaHost,
  LuaImage,
  LuaOutcome,
  LuaStart,
  LuaValue,
} from './contract.ts';
import { fromOutside, termOutside, toOutside, traceOutside } from './convert.ts';
import { errorText } from './describe.ts';
import { LuaCrash, LuaError, LuaLimit, LuaSyntaxError } from './errors.ts';
import { restoreState, saveState } from './image.ts';
import { install } from './install.ts';
import { Interpreter, type Outcome } from './interpreter.ts';
import { Journal, now } from './journal.ts';
import { running, type Builtins } from './library.ts';
import type { Chunk } from './proto.ts';
import { seedRandom } from './random.ts';
import { measure } from './reach.ts';
import { isMessage } from './shape.ts';
import { State } from './state.ts';
import { LuaTable } from './table.ts';
import { Builtin, HostCall, isFunction, LuaFunction, type Steps, type Value } from './value.ts';

const STEPS = 500_000_000;
const MEMORY = 512 * 1024 * 1024;
const DEPTH = 200_000;
const HOST_CALLS = 100_000;
/** Bytes of output that are kept of one call. */
const OUTPUT = 1 << 20;

const chunks = new Map<string, Chunk>();

/** Compiled chunks are remembered: the same module starts again and again. */
function compiled(name: string, source: string): Chunk {
  const key = `${name}\n${source}`;
  let chunk = chunks.get(key);
  if (!chunk) {
    chunk = compile(name, source);
    if (chunks.size > 64) chunks.clear();
    chunks.set(key, chunk);
  }
  return chunk;
}

const noHost: LuaHost = () => Promise.reject(new AoError('no-host', 'This machine has no host.'));

export class LuaMachine implements LuaEngine {
  readonly #state: State;
  readonly #builtins: Builtins;
  readonly #host: LuaHost;
  readonly #start: LuaStart;
  #queue: Promise<unknown> = Promise.resolve();
  #output = '';

  private constructor(start: LuaStart, host: LuaHost) {
    this.#start = start;
    this.#host = host;
    this.#state = new State(seedRandom(0, 0, 0), (source) => compiled('=(load)', source));
    this.#state.print = (text) => {
      if (this.#output.length < OUTPUT) this.#output += text.slice(0, OUTPUT);
    };
    this.#state.largest = Math.min(1 << 28, start.limits?.memory ?? MEMORY);
    this.#builtins = install(this.#state);
    for (const name of start.hostFunctions ?? [])
      this.#builtins.set(`ao.${name}`, new Builtin('ao', name, (args) => running(askHost(name, args))));
  }

  /**
   * A machine with its modules loaded, or as it was saved.
   * @throws AoError `lua-load-failed` (500) when a module does not compile or fails; `snapshot-damaged` (500)
   */
  static async start(start: LuaStart, host: LuaHost = noHost): Promise<LuaMachine> {
    const journal = now.journal;
    now.journal = new Journal();
    let machine: LuaMachine;
    try {
      machine = new LuaMachine(start, host);
      if (start.image) restoreState(machine.#state, machine.#builtins, start.image);
    } finally {
      now.journal = journal;
    }
    if (!start.image) await machine.#load();
    return machine;
  }

  async #load(): Promise<void> {
    for (const { name, source } of this.#start.modules) {
      const outcome = await this.#chunk(name, source, {});
      if (!outcome.ok)
        throw new AoError('lua-load-failed', `The Lua module '${name}' cannot be loaded: ${outcome.text}`, {
          status: 500,
          detail: { module: name, kind: outcome.kind, text: outcome.text },
        });
    }
    const previous = now.journal;
    now.journal = new Journal();
    try {
      for (const [path, value] of this.#start.sandbox ?? []) this.#replace(path, value);
      this.#installHost();
    } finally {
      now.journal = previous;
    }
  }

  #chunk(name: string, source: Uint8Array, options: LuaCallOptions): Promise<LuaOutcome> {
    return this.#transaction(options, () => {
      const chunk = compiled(name, bytesToLatin1(source));
      return [new LuaFunction(chunk.protos.at(-1)!, this.#state.root(chunk)), []];
    });
  }

  #replace(path: readonly string[], value: LuaValue): void {
    let table: Value = this.#state.globals;
    for (const key of path.slice(0, -1)) table = table instanceof LuaTable ? table.get(key) : undefined;
    if (!(table instanceof LuaTable) || path.length === 0)
      throw new AoError('lua-load-failed', `The sandbox path '${path.join('.')}' does not exist.`, {
        status: 500,
      });
    table.set(path.at(-1)!, fromOutside(this.#state, value));
  }

  /** `ao`: an existing table is kept and extended. */
  #installHost(): void {
    const names = this.#start.hostFunctions ?? [];
    if (names.length === 0) return;
    const globals = this.#state.globals;
    let ao = globals.get('ao');
    if (!(ao instanceof LuaTable)) globals.set('ao', (ao = this.#state.table()));
    for (const name of names) ao.set(name, this.#builtins.get(`ao.${name}`));
  }

  call(name: string, args: readonly LuaValue[], options: LuaCallOptions = {}): Promise<LuaOutcome> {
    const run = this.#queue.then(() =>
      this.#transaction(options, () => [
        this.#state.globals.get(name),
        args.map((arg) => fromOutside(this.#state, arg)),
      ]),
    );
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Runs a chunk in the global environment. A text that does not compile is a crash. */
  run(name: string, source: Uint8Array, options: LuaCallOptions = {}): Promise<LuaOutcome> {
    const run = this.#queue.then(() => this.#chunk(name, source, options));
    this.#queue = run.catch(() => undefined);
    return run;
  }

  async functions(): Promise<string[]> {
    await this.#queue;
    const names: string[] = [];
    for (const [key, value] of this.#state.globals.entries())
      if (typeof key === 'string' && isFunction(value)) names.push(key);
    return names;
  }

  async save(): Promise<LuaImage> {
    await this.#queue;
    return saveState(this.#state);
  }

  async close(): Promise<void> {
    await this.#queue;
  }

  /** Runs one function with everything that can go wrong; on failure the state is as before. */
  async #transaction(options: LuaCallOptions, prepare: () => [Value, Value[]]): Promise<LuaOutcome> {
    const state = this.#state;
    const steps = this.#start.limits?.compute ?? STEPS;
    const { nextTable, nextFunction, metas, random, globals } = state;
    const journal = new Journal();
    const machine = new Interpreter(state, DEPTH);
    this.#limitMemory(journal, machine);
    state.steps = steps;
    state.clock = (options.now ?? 0) / 1000;
    this.#output = '';
    const undo = (): void => {
      this.#under(journal, () => journal.rollback());
      Object.assign(state, { nextTable, nextFunction, metas, random, globals });
    };
    try {
      let outcome = this.#under(journal, () => machine.start(...prepare()));
      for (let calls = 0; !outcome.done; calls++) {
        if (calls >= HOST_CALLS) throw new LuaLimit('host-calls', 'Lua asked its host too often.');
        outcome = await this.#answer(journal, machine, outcome.call);
      }
      const values = outcome.values;
      const result = this.#under(journal, () => values.map(toOutside));
      const keep = options.keep ?? 'always';
      if (keep === 'message' && (result.length < 1 || result.length > 2))
        throw new LuaCrash(`function_clause: ${result.length} results instead of one or two`);
      const image = options.image ? saveState(state) : undefined;
      if (keep === 'never' || (keep === 'message' && !isMessage(result.at(-1)))) undo();
      return {
        ok: true,
        values: result,
        steps: steps - state.steps,
        output: this.#output,
        ...(image ? { image } : {}),
      };
    } catch (thrown) {
      // Before undoing: the trace shows the values of the failure.
      const failure = describe(thrown, machine);
      undo();
      return { ...failure, output: this.#output };
    }
  }

  async #answer(journal: Journal, machine: Interpreter, call: HostCall): Promise<Outcome> {
    const args = this.#under(journal, () => call.args.map(toOutside));
    let values: readonly LuaValue[];
    try {
      values = await this.#host(call.name, args);
    } catch (error) {
      throw new LuaCrash(`ao.${call.name} failed: ${AoError.wrap(error).message}`);
    }
    return this.#under(journal, () => machine.resume(values.map((value) => fromOutside(this.#state, value))));
  }

  /** Runs with this call's journal in place; machines of one worker take turns. */
  #under<T>(journal: Journal, run: () => T): T {
    const previous = now.journal;
    now.journal = journal;
    try {
      return run();
    } finally {
      now.journal = previous;
    }
  }

  /** Lets the call fail when more lives than is allowed. What lives is counted each time as much has been made. */
  #limitMemory(journal: Journal, machine: Interpreter): void {
    const limit = this.#start.limits?.memory ?? MEMORY;
    journal.ceiling = limit / 2;
    journal.measure = () => {
      const live = measure(this.#state, machine.frame);
      if (live > limit) throw new LuaLimit('memory', 'Lua ran out of memory.');
      journal.ceiling = journal.allocated + Math.max(limit - live, limit / 8);
    };
  }
}

function* askHost(name: string, args: Value[]): Steps {
  return yield new HostCall(name, args);
}

type Failure = Omit<Extract<LuaOutcome, { ok: false }>, 'output'>;

function describe(thrown: unknown, machine: Interpreter): Failure {
  const trace = traceOutside(machine.trace);
  if (thrown instanceof LuaError)
    return { ok: false, kind: 'error', term: termOutside(thrown.term), text: errorText(thrown.term), trace };
  if (thrown instanceof LuaLimit)
    return { ok: false, kind: 'limit', limit: thrown.limit, text: thrown.message, trace };
  if (thrown instanceof LuaCrash || thrown instanceof LuaSyntaxError || thrown instanceof AoError)
    return { ok: false, kind: 'crash', text: thrown.message, trace };
  if (thrown instanceof RangeError)
    return { ok: false, kind: 'limit', limit: 'memory', text: thrown.message, trace };
  return { ok: false, kind: 'crash', text: `The evaluator failed: ${AoError.wrap(thrown).message}`, trace };
}
