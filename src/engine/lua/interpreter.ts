/**
 * The interpreter: one loop over instructions, with its own stack of frames.
 *
 * Metamethods and callbacks are frames like any other, so a run can stop anywhere — at a host call inside a
 * comparator inside a sort — and go on later. Step budget: calls and backward jumps count.
 */
import { LuaCrash, LuaError, LuaLimit, luaError } from './errors.ts';
import { BuiltinFrame, Frame, type AnyFrame } from './frame.ts';
import { execute } from './execute.ts';
import type { State } from './state.ts';
import { traceOf, type TraceEntry } from './trace.ts';
import { Builtin, Call, HostCall, LuaFunction, NONE, Running, type Answer, type Value } from './value.ts';

/** How a run goes: finished with results, or stopped at a host call. */
export type Outcome =
  { readonly done: true; readonly values: Value[] } | { readonly done: false; readonly call: HostCall };

/** How many `__call` handlers may call each other: the reference would loop for ever. */
const CHAIN = 1000;

export class Interpreter {
  readonly state: State;
  /** The running frame. */
  frame: AnyFrame | undefined = undefined;
  /** Open results: of a call, a vararg, a constructor's last field. */
  open: Value[] = [];
  depth = 0;
  readonly #maxDepth: number;
  #finished: Value[] | undefined;
  #waiting: HostCall | undefined;
  /** For the built-in that waits on top of the stack. */
  #answer: Value[] = NONE;
  /** Of the error that ended the run. */
  trace: TraceEntry[] = [];

  constructor(state: State, maxDepth: number) {
    this.state = state;
    this.#maxDepth = maxDepth;
  }

  /** Runs a function to its end or to a host call. @throws LuaError, LuaCrash, LuaLimit */
  start(fn: Value, args: Value[]): Outcome {
    return this.#run(() => this.call(fn, args, 0, -1));
  }

  /** Goes on after a host call. */
  resume(values: Value[]): Outcome {
    return this.#run(() => this.deliver(values, 0, -1));
  }

  #run(begin: () => void): Outcome {
    this.#waiting = undefined;
    let step = begin;
    for (;;) {
      try {
        step();
        while (!this.stopped)
          if (this.frame instanceof Frame) execute(this);
          else this.#continue(this.frame!);
        if (this.#waiting) return { done: false, call: this.#waiting };
        return { done: true, values: this.#finished! };
      } catch (error) {
        const thrown = error instanceof RangeError ? outOfHost(error) : error;
        step = this.#catcher(thrown);
      }
    }
  }

  get stopped(): boolean {
    return this.#finished !== undefined || this.#waiting !== undefined;
  }

  /** What throws the error into the frame that catches it. Rethrows if there is none. */
  #catcher(error: unknown): () => void {
    let depth = this.depth;
    for (let at = this.frame; at; at = at.up, depth--) {
      if (!(at instanceof BuiltinFrame) || !catches(at.fn, error)) continue;
      const frame = at;
      // Should the built-in fail in turn, that is its caller's affair.
      this.frame = frame.up;
      this.depth = depth - 1;
      return () => {
        const result = frame.steps.throw(error);
        this.frame = frame;
        this.depth++;
        this.#obey(frame, result);
      };
    }
    this.trace = traceOf(this.frame);
    throw error;
  }

  /**
   * Calls anything: pushes a frame, or answers at once. Results go to register `into` of the frame that runs now.
   */
  call(fn: Value, args: Value[], into: number, want: number): void {
    for (let chain = 0; chain < CHAIN; chain++) {
      if (fn instanceof LuaFunction) {
        this.enter(fn, args, into, want);
        return;
      }
      if (fn instanceof Builtin) {
        this.builtin(fn, args, into, want);
        return;
      }
      const handler = this.state.event(fn, '__call');
      if (handler === undefined) throw luaError('undefined_function', fn);
      args = [fn, ...args];
      fn = handler;
    }
    throw new LuaLimit('depth', 'A chain of __call does not end.');
  }

  step(): void {
    this.state.spend(1);
  }

  /** Pushes the frame of a Lua function. */
  enter(fn: LuaFunction, args: Value[], into: number, want: number): void {
    const proto = fn.proto;
    const registers = proto.template.slice();
    const count = Math.min(proto.parameters, args.length);
    for (let i = 0; i < count; i++) registers[i] = args[i];
    const frame = this.push(fn, registers, into, want);
    if (proto.vararg && args.length > proto.parameters) frame.varargs = args.slice(proto.parameters);
  }

  push(fn: LuaFunction, registers: Value[], into: number, want: number): Frame {
    if (--this.state.steps < 0) this.step();
    if (++this.depth > this.#maxDepth) throw new LuaLimit('depth', 'Lua calls are nested too deeply.');
    return (this.frame = new Frame(this.frame, fn, registers, into, want));
  }

  /** Runs a built-in; its answer may ask for more. */
  builtin(fn: Builtin, args: Value[], into: number, want: number): void {
    if (--this.state.steps < 0) this.step();
    const answer: Answer = fn.fn(args);
    if (Array.isArray(answer)) this.deliver(answer, into, want);
    else if (answer instanceof Call) this.call(answer.fn, answer.args, into, want);
    else if (answer instanceof Running) {
      if (++this.depth > this.#maxDepth) throw new LuaLimit('depth', 'Lua calls are nested too deeply.');
      this.frame = new BuiltinFrame(this.frame, fn, args, answer.steps, into, want);
      this.#answer = NONE;
    } else this.deliver1(answer, into, want);
  }

  /** Hands a waiting built-in what it waits for. */
  #continue(frame: BuiltinFrame): void {
    const values = this.#answer;
    this.#answer = NONE;
    this.#obey(frame, frame.steps.next(values));
  }

  #obey(frame: BuiltinFrame, result: IteratorResult<Call | HostCall, Value | Value[]>): void {
    if (result.done) {
      this.frame = frame.up;
      this.depth--;
      const values = result.value;
      this.deliver(Array.isArray(values) ? values : [values], frame.into, frame.want);
    } else if (result.value instanceof HostCall) this.#waiting = result.value;
    else this.call(result.value.fn, result.value.args, 0, -1);
  }

  /** Hands results to the frame that runs now. */
  deliver(values: Value[], into: number, want: number): void {
    const frame = this.frame;
    if (frame instanceof Frame) {
      if (want < 0) this.open = values;
      else for (let i = 0; i < want; i++) frame.registers[into + i] = values[i];
    } else if (frame) this.#answer = values;
    else this.#finished = values;
  }

  deliver1(value: Value, into: number, want: number): void {
    const frame = this.frame;
    if (want === 1 && frame instanceof Frame) frame.registers[into] = value;
    else this.deliver([value], into, want);
  }

  /** Leaves a Lua function with its results. */
  leave(frame: Frame, values: Value[]): void {
    this.frame = frame.up;
    this.depth--;
    this.deliver(values, frame.into, frame.want);
  }
}

function catches(fn: Builtin, error: unknown): boolean {
  if (fn.catches === 'nothing') return false;
  return error instanceof LuaError || (fn.catches === 'all' && error instanceof LuaCrash);
}

/** The host's own limits: string length, stack. */
function outOfHost(error: RangeError): LuaLimit {
  return new LuaLimit(/call stack/i.test(error.message) ? 'depth' : 'memory', error.message);
}
