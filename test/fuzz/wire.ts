/** What crosses between the fuzzer's main thread and its worker. */

export interface WorkerInput {
  /** Header of four 32-bit numbers (inputs tried, target, length of the input, 1 while it runs), then the input. */
  readonly shared: SharedArrayBuffer;
  /** Files of the targets. */
  readonly paths: readonly string[];
  readonly seed: number;
  /** Milliseconds on one target before the next has its turn. */
  readonly slice: number;
  /** Milliseconds that one input may take. */
  readonly limit: number;
}

export const HEADER_BYTES = 16;

export interface Finding {
  readonly target: number;
  readonly kind: 'error' | 'hang' | 'crash' | 'broken' | 'ready';
  readonly text: string;
  readonly input?: Uint8Array;
}
