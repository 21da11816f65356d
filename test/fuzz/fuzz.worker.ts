/**
 * Runs inputs through targets, slice by slice, until it is stopped. What it is at stands in shared memory before it
 * begins, so that the main thread can tell the input of a hang or of a crash that takes the thread along.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MAX_INPUT, mutate, Random } from './random.ts';
import type { Target } from './target.ts';
import { HEADER_BYTES, type Finding, type WorkerInput } from './wire.ts';

const { shared, paths, seed, slice, limit } = workerData as WorkerInput;
const header = new Int32Array(shared, 0, HEADER_BYTES / 4);
const held = new Uint8Array(shared, HEADER_BYTES);
const post = (finding: Finding) => parentPort!.postMessage(finding);

interface Loaded {
  readonly index: number;
  readonly target: Target;
  readonly seeds: readonly Uint8Array[];
  readonly random: Random;
}

async function load(path: string, index: number): Promise<Loaded | undefined> {
  try {
    const { default: target } = (await import(path)) as { default: Target };
    const seeds = target.seeds();
    if (seeds.length === 0) throw new Error('It has no seeds.');
    return { index, target, seeds, random: new Random(seed + index * 7919) };
  } catch (error) {
    post({
      target: index,
      kind: 'broken',
      text: error instanceof Error ? (error.stack ?? '') : String(error),
    });
    return undefined;
  }
}

async function attempt({ index, target }: Loaded, input: Uint8Array): Promise<void> {
  held.set(input);
  header[1] = index;
  header[2] = input.length;
  Atomics.store(header, 3, 1);
  Atomics.add(header, 0, 1);
  let took = 0;
  // A slow machine is not a hang: what was slow has to be slow again.
  for (let tries = 0; tries < 3; tries++) {
    const started = performance.now();
    try {
      await target.run(input);
    } catch (thrown) {
      if (!isTyped(thrown)) report(index, input, thrown);
    }
    took = performance.now() - started;
    if (took < limit) break;
  }
  if (took >= limit)
    post({ target: index, kind: 'hang', text: `took ${Math.round(took)} ms`, input: Uint8Array.from(input) });
  Atomics.store(header, 3, 0);
}

function isTyped(thrown: unknown): boolean {
  return (
    thrown instanceof Error && thrown.name === 'AoError' && (thrown as { code?: string }).code !== 'internal'
  );
}

function report(index: number, input: Uint8Array, thrown: unknown): void {
  const text = thrown instanceof Error ? `${thrown}\n${frames(thrown)}` : `Thrown: ${String(thrown)}`;
  post({ target: index, kind: 'error', text, input: Uint8Array.from(input) });
}

function frames(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return lines.slice(0, 3).join('\n');
}

const loaded = (await Promise.all(paths.map(load))).filter((one) => one !== undefined);
post({ target: -1, kind: 'ready', text: '' });
if (loaded.length > 0) {
  for (const one of loaded) for (const input of one.seeds) await attempt(one, input.subarray(0, MAX_INPUT));
  for (;;)
    for (const one of loaded) {
      const { random, seeds, target } = one;
      const until = performance.now() + slice;
      while (performance.now() < until)
        await attempt(one, mutate(random.pick(seeds), seeds, target.words ?? [], random));
      // Messages to the main thread go out, and its word to stop comes in.
      await new Promise((resolve) => setImmediate(resolve));
    }
}
