/**
 * Runs inputs through targets, a turn at a time. What it is at stands in shared memory before it begins, so that the
 * main thread can tell the input of a hang or of a crash that takes the thread along.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MAX_INPUT, Mutator } from './mutate.ts';
import { Random } from './random.ts';
import type { Target } from './target.ts';
import { HEADER_BYTES, type Finding, type Turn, type Word, type WorkerInput } from './wire.ts';

const { shared, paths, limit } = workerData as WorkerInput;
const header = new Int32Array(shared, 0, HEADER_BYTES / 4);
const held = new Uint8Array(shared, HEADER_BYTES);
const post = (word: Word) => parentPort!.postMessage(word);
const report = (finding: Finding) => post({ finding });

interface Loaded {
  readonly index: number;
  readonly run: Target['run'];
  readonly seeds: readonly Uint8Array[];
  readonly mutator: Mutator;
}

async function load(path: string, index: number): Promise<Loaded | undefined> {
  try {
    const { default: target } = (await import(path)) as { default: Target };
    const seeds = target.seeds();
    if (seeds.length === 0) throw new Error('It has no seeds.');
    // What it loads and makes once is not the time of its first input.
    await Promise.resolve(seeds[0]!.slice(0, MAX_INPUT))
      .then(target.run)
      .catch(() => undefined);
    return { index, run: target.run, seeds, mutator: new Mutator(seeds, target.words) };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? '') : String(error);
    report({ target: index, kind: 'broken', text });
    return undefined;
  }
}

/** Answers a promise only where the target does: waiting for what is there takes more time than most inputs do. */
function attempt({ index, run }: Loaded, input: Uint8Array): Promise<void> | undefined {
  held.set(input);
  header[1] = index;
  header[2] = input.length;
  Atomics.store(header, 3, 1);
  const started = performance.now();
  try {
    const answer = run(input);
    if (answer instanceof Promise) return later(index, run, input, answer, started);
  } catch (thrown) {
    judge(index, input, thrown);
  }
  return finish(index, run, input, started);
}

async function later(
  index: number,
  run: Target['run'],
  input: Uint8Array,
  answer: Promise<unknown>,
  started: number,
): Promise<void> {
  try {
    await answer;
  } catch (thrown) {
    judge(index, input, thrown);
  }
  await finish(index, run, input, started);
}

function finish(
  index: number,
  run: Target['run'],
  input: Uint8Array,
  started: number,
): Promise<void> | undefined {
  const took = performance.now() - started;
  if (took >= limit) return again(index, run, input);
  Atomics.store(header, 3, 0);
  Atomics.add(header, 0, 1);
  return undefined;
}

/** A slow machine is not a hang: what was slow has to be slow each of six times, some time apart. */
async function again(index: number, run: Target['run'], input: Uint8Array): Promise<void> {
  let least = Infinity;
  for (let tries = 0; tries < 5 && least >= limit; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const started = performance.now();
    try {
      await run(input);
    } catch {
      // Judged the first time.
    }
    least = Math.min(least, performance.now() - started);
  }
  if (least >= limit)
    report({
      target: index,
      kind: 'hang',
      text: `took ${Math.round(least)} ms`,
      input: Uint8Array.from(input),
    });
  Atomics.store(header, 3, 0);
  Atomics.add(header, 0, 1);
}

function judge(target: number, input: Uint8Array, thrown: unknown): void {
  if (isTyped(thrown)) return;
  const text = thrown instanceof Error ? `${thrown}\n${frames(thrown)}` : `Thrown: ${String(thrown)}`;
  report({ target, kind: 'error', text, input: Uint8Array.from(input) });
}

function isTyped(thrown: unknown): boolean {
  return (
    thrown instanceof Error && thrown.name === 'AoError' && (thrown as { code?: string }).code !== 'internal'
  );
}

function frames(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return lines.slice(0, 6).join('\n');
}

async function takeTurn(turn: Turn): Promise<void> {
  const one = loaded[turn.target];
  if (one) {
    const until = performance.now() + turn.time;
    if (turn.withSeeds) for (const input of one.seeds) await attempt(one, input.slice(0, MAX_INPUT));
    const random = new Random(turn.seed);
    for (let left = turn.inputs; left > 0 && performance.now() < until; left--) {
      const pending = attempt(one, one.mutator.next(random));
      if (pending) await pending;
    }
  }
  post({ done: true });
}

const loaded = await Promise.all(paths.map(load));
parentPort!.on('message', (turn: Turn) => void takeTurn(turn));
post({ ready: true });
