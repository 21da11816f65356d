/** A compiled function: what every closure of one function expression shares. */
import type { Value } from './value.ts';

export interface Chunk {
  /** For traces: the module's name. */
  readonly name: string;
  /** Latin-1 text, one character for each byte. */
  readonly source: string;
  /** In the order in which the reference numbers them: inner functions first. The last is the chunk itself. */
  readonly protos: readonly Proto[];
}

export interface Proto {
  readonly chunk: Chunk;
  /** Place in `chunk.protos`. */
  readonly index: number;
  /** Name in traces, `undefined` for anonymous functions. */
  readonly name: string | undefined;
  readonly line: number;
  /** Four numbers an instruction: operation, a, b, c (see `opcodes.ts`). */
  readonly code: Int32Array;
  /** Line of each instruction. */
  readonly lines: Int32Array;
  /** Registers of a fresh activation: locals and temporaries, then the constants. */
  readonly template: readonly Value[];
  readonly parameters: number;
  readonly vararg: boolean;
  readonly children: readonly Proto[];
}
