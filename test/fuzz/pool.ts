/** Workers that take turns at targets; one that hangs or dies is replaced, and what it was at is a finding. */
import { Worker } from 'node:worker_threads';
import { MAX_INPUT } from './mutate.ts';
import { HEADER_BYTES, type Finding, type Turn, type Word, type WorkerInput } from './wire.ts';

/** An input that takes longer is slow; one that takes longer than the second is stopped. Milliseconds. */
const LIMIT = 1000;
const HANG = 20_000;

/** A thread starts without the TypeScript loader: this registers it there before the worker's file is read. */
const BOOT = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./fuzz.worker.ts', import.meta.url).href)});
});`;

export interface Lanes {
  /** Files of the targets. */
  readonly paths: readonly string[];
  /** The next turn, or undefined when there is nothing left to do. */
  readonly next: () => Turn | undefined;
  /** A turn came to its end, early or not. */
  readonly over: (turn: Turn, tried: number, milliseconds: number) => void;
  readonly found: (finding: Finding) => void;
  /** The first inputs are about to be tried. */
  readonly ready: () => void;
}

/** Runs one worker after another until there are no turns left. False if workers cannot start. */
export async function runLane(lanes: Lanes): Promise<boolean> {
  for (;;) {
    const how = await runWorker(lanes);
    if (how !== 'again') return how === 'done';
  }
}

function runWorker({ paths, next, over, found, ready }: Lanes): Promise<'done' | 'again' | 'broken'> {
  const shared = new SharedArrayBuffer(HEADER_BYTES + MAX_INPUT);
  const header = new Int32Array(shared, 0, HEADER_BYTES / 4);
  const workerData: WorkerInput = { shared, paths, limit: LIMIT };
  const worker = new Worker(BOOT, {
    eval: true,
    workerData,
    // Inputs leave much behind that is soon of no use: with room for it, collecting takes half the time.
    resourceLimits: { maxOldGenerationSizeMb: 2048, maxYoungGenerationSizeMb: 192 },
  });
  const current = (kind: Finding['kind'], text: string): Finding => ({
    target: header[1]!,
    kind,
    text,
    input: Uint8Array.from(new Uint8Array(shared, HEADER_BYTES, header[2]!)),
  });
  return new Promise((resolve) => {
    let turn: Turn | undefined;
    let began = 0;
    let last = -1;
    let since = Date.now();
    let ended = false;
    const timer = setInterval(() => {
      const count = Atomics.load(header, 0);
      const now = Date.now();
      if (count !== last) {
        last = count;
        since = now;
      }
      if (Atomics.load(header, 3) !== 1 || now - since <= HANG) return;
      found(current('hang', `no end within ${HANG} ms`));
      end('again');
    }, 100);
    function close(): void {
      if (turn) over(turn, Atomics.load(header, 0), performance.now() - began);
      turn = undefined;
    }
    function end(how: 'done' | 'again' | 'broken'): void {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      close();
      void worker.terminate().then(() => resolve(how));
    }
    function go(): void {
      close();
      turn = next();
      if (!turn) return end('done');
      Atomics.store(header, 0, 0);
      began = performance.now();
      worker.postMessage(turn);
    }
    worker.on('message', (word: Word) => {
      if ('finding' in word) return found(word.finding);
      if ('ready' in word) ready();
      go();
    });
    worker.on('error', (error) => {
      found(turn ? current('crash', String(error)) : { target: -1, kind: 'broken', text: String(error) });
      end(turn ? 'again' : 'broken');
    });
    worker.on('exit', () => end('broken'));
  });
}
