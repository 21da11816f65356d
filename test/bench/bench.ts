/**
 * What a benchmark is: one file in `benches/`, named as it is called, whose comment defines what is measured. It runs
 * alone in a dedicated worker in headless Chromium, through the code that ships.
 *
 * A ratio compares two things timed in the same session, interleaved, on the same input; medians.
 */

export interface Measure {
  /** Name of the measure where a benchmark has several: appended to the benchmark's name. */
  readonly part?: string;
  readonly value: number;
  readonly unit: string;
  /** What it is held against: a name and its value in the same unit. */
  readonly baseline?: string;
  readonly baselineValue?: number;
}

export interface BenchContext {
  /** A short run: enough to see that it works, too short to quote. */
  readonly quick: boolean;
  /** The WASM module with this SHA-256, or undefined where it was not fetched. */
  module(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A vector file of the project, as input. */
  vectors(file: string): Promise<unknown>;
  /** Bytes on the JavaScript heaps of all workers, garbage collected. */
  heap(): Promise<number>;
}

export interface Bench {
  readonly run: (context: BenchContext) => Promise<Measure | Measure[]>;
}

export function defineBench(run: Bench['run']): Bench {
  return { run };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Milliseconds that `act` takes. */
export async function time(act: () => unknown): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

/** Times `subject` and `baseline` in turn, `rounds` times after one unmeasured round each; medians in milliseconds. */
export async function interleave(
  rounds: number,
  subject: () => unknown,
  baseline: () => unknown,
): Promise<{ subject: number; baseline: number }> {
  await subject();
  await baseline();
  const times = { subject: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.subject.push(await time(subject));
    times.baseline.push(await time(baseline));
  }
  return { subject: median(times.subject), baseline: median(times.baseline) };
}

/** Operations a second of `act`: median over rounds that last at least `milliseconds` each. */
export async function rate(act: () => unknown, { quick }: BenchContext): Promise<number> {
  const milliseconds = quick ? 50 : 400;
  const rates: number[] = [];
  let batch = 1;
  // The first rounds warm up and find how many operations fill a round.
  for (let round = -2; round < (quick ? 3 : 9); round++) {
    let count = 0;
    const started = performance.now();
    let elapsed = 0;
    while (elapsed < milliseconds) {
      for (let i = 0; i < batch; i++) await act();
      count += batch;
      elapsed = performance.now() - started;
    }
    batch = Math.max(1, Math.round(count / 20));
    if (round >= 0) rates.push((count / elapsed) * 1000);
  }
  return median(rates);
}
