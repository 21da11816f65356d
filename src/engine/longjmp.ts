/**
 * `setjmp`/`longjmp` of programs that were built without exception handling: a jump is thrown through the
 * module's frames and caught by the `invoke_*` import that called into it (process.md §4.5).
 */
import type { Signature } from './binary.ts';
import type { Word } from './linear-memory.ts';

type Callable = (...parameters: Word[]) => Word | undefined;

/** What is thrown for a jump: one object, told from every other exception by its identity. */
const JUMP = Object.freeze({ jump: true });

/** `_emscripten_throw_longjmp`. */
export function longjmp(): never {
  throw JUMP;
}

export function isJump(thrown: unknown): boolean {
  return thrown === JUMP;
}

/**
 * The import `invoke_<signature>`: calls a function of the module's table and answers a jump out of it with
 * `setThrew`. The `dynCall_<signature>` export is used where there is one, since in instrumented modules its own
 * frame is part of what a suspended call saves.
 */
export function invoker(
  name: string,
  signature: Signature,
  exportsOf: () => WebAssembly.Exports,
): (index: Word, ...parameters: Word[]) => Word | undefined {
  const suffix = name.slice('invoke_'.length);
  const zero = signature.results[0] === undefined ? undefined : signature.results[0] === 'i64' ? 0n : 0;
  let bound: { call: Callable; save: Callable; restore: Callable; threw: Callable } | undefined;
  const bind = () => {
    const exports = exportsOf();
    const dynamic = exports[`dynCall_${suffix}`] as Callable | undefined;
    const table = (exports.__indirect_function_table ?? exports.I) as WebAssembly.Table;
    return {
      call:
        dynamic ??
        ((index: Word, ...parameters: Word[]) =>
          (table.get(Number(index)) as unknown as Callable)(...parameters)),
      save: (exports.emscripten_stack_get_current ?? exports.stackSave ?? exports.M) as Callable,
      restore: (exports._emscripten_stack_restore ?? exports.stackRestore ?? exports.N) as Callable,
      threw: (exports.setThrew ?? exports.L) as Callable,
    };
  };
  // The first parameter of setThrew has the width of a pointer, as the index has.
  const one = signature.parameters[0] === 'i64' ? 1n : 1;
  const dynamicIndex = (index: Word) => Number(index);
  return (index, ...parameters) => {
    bound ??= bind();
    const stack = bound.save()!;
    try {
      return bound.call(dynamicIndex(index), ...parameters);
    } catch (thrown) {
      bound.restore(stack);
      if (thrown !== JUMP) throw thrown;
      bound.threw(one, 0);
      return zero;
    }
  };
}
