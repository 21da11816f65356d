/** A benchmark in `app/`: it builds or drives the whole app from outside, and runs in Node. */
import type { Measure } from './bench.ts';

export interface AppBench {
  readonly run: (context: { readonly quick: boolean }) => Promise<Measure | Measure[]>;
}

export function defineAppBench(run: AppBench['run']): AppBench {
  return { run };
}
