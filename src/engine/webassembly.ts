/**
 * The one file of the engine that touches the platform's WebAssembly: compiling, instantiating, growing.
 *
 * Two dialects of the memory64 interface exist: the one that shipped takes and gives BigInt for a 64-bit
 * memory; Node 20 (behind a flag) takes and gives Number. `growMemory` hides the difference.
 */
import { AoError } from '../base/errors.ts';

/** A module with nothing but a 64-bit memory: `(module (memory i64 1))`. */
const MEMORY64_PROBE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 4, 1);

let memory64: boolean | undefined;

/** True if this browser runs modules with a 64-bit memory. */
export function hasMemory64(): boolean {
  memory64 ??= typeof WebAssembly === 'object' && WebAssembly.validate(MEMORY64_PROBE);
  return memory64;
}

/** @throws AoError `no-webassembly` (501), `no-memory64` (501), `bad-module` (422) */
export async function compileModule(
  bytes: Uint8Array<ArrayBuffer>,
  wordBits: 32 | 64,
): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== 'object')
    throw new AoError('no-webassembly', 'This browser does not run WebAssembly.', { status: 501 });
  if (wordBits === 64 && !hasMemory64())
    throw new AoError('no-memory64', 'This browser does not run modules with a 64-bit memory.', {
      status: 501,
    });
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new AoError('bad-module', `The module does not compile: ${text(cause)}`, { status: 422, cause });
  }
}

/** @throws AoError `bad-module` (422) when imports do not fit or the start function traps, `out-of-memory` (507) */
export async function instantiateModule(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  try {
    return await WebAssembly.instantiate(module, imports);
  } catch (cause) {
    if (cause instanceof RangeError)
      throw new AoError('out-of-memory', `There is not enough memory to start the module: ${text(cause)}`, {
        status: 507,
        cause,
      });
    throw new AoError('bad-module', `The module does not start: ${text(cause)}`, { status: 422, cause });
  }
}

/** Grows `memory` by whole pages; false if the engine or the module's maximum refuses. */
export function growMemory(memory: WebAssembly.Memory, pages: number, wordBits: 32 | 64): boolean {
  const grow = memory.grow.bind(memory) as unknown as (delta: number | bigint) => unknown;
  try {
    if (wordBits === 32) grow(pages);
    else
      try {
        grow(BigInt(pages));
      } catch (error) {
        // The older dialect refuses BigInt by its type; a refusal to grow is a RangeError in both.
        if (!(error instanceof TypeError)) throw error;
        grow(pages);
      }
    return true;
  } catch {
    return false;
  }
}

function text(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
