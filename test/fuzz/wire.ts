/** What crosses between the fuzzer's main thread and its workers. */

export interface WorkerInput {
  /** Header of four 32-bit numbers (inputs tried in this turn, target, length of the input, 1 while it runs), then the input. */
  readonly shared: SharedArrayBuffer;
  /** Files of the targets. */
  readonly paths: readonly string[];
  /** Milliseconds that one input may take. */
  readonly limit: number;
}

export const HEADER_BYTES = 16;

/** One worker at one target for a while. */
export interface Turn {
  readonly target: number;
  readonly seed: number;
  /** At most so many inputs, for at most so many milliseconds. */
  readonly inputs: number;
  readonly time: number;
  /** The unchanged inputs come first. */
  readonly withSeeds: boolean;
}

export interface Finding {
  readonly target: number;
  readonly kind: 'error' | 'hang' | 'crash' | 'broken';
  readonly text: string;
  readonly input?: Uint8Array;
}

export type Word = { ready: true } | { done: true } | { finding: Finding };
