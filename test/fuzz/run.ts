/**
 * `npm run fuzz -- --seconds N [--seed S] [--only TARGET,…]`
 *
 * Changed inputs to every decoder and to the HTTP face. Prints inputs tried and every crash, hang over a second or
 * untyped error with its input; exit code 1 if there is any.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { filesByName, root } from '../setup/bundle.ts';
import { MAX_INPUT } from './random.ts';
import { HEADER_BYTES, type Finding, type WorkerInput } from './wire.ts';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const seconds = Number(options.seconds ?? 30);
const seed = Number(options.seed ?? Date.now() % 1_000_000);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('Usage: npm run fuzz -- --seconds N [--seed S] [--only TARGET,…]');
  process.exit(2);
}

/** An input that takes longer is slow; one that takes longer than the second is stopped. */
const LIMIT = 1000;
const HANG = 10_000;

/** A thread starts without the TypeScript loader: this registers it there before the worker's file is read. */
const BOOT = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./fuzz.worker.ts', import.meta.url).href)});
});`;

const only = options.only?.split(',');
const targets = [...filesByName(join(root, 'test', 'fuzz', 'targets'))].filter(
  ([name]) => !only || only.includes(name),
);
const found = new Map<string, { finding: Finding; count: number }>();
let tried = 0;

function record(finding: Finding): void {
  // What an input made of a message does not make it another finding.
  const [message = '', place = ''] = finding.text.split('\n');
  const key = `${finding.target} ${finding.kind} ${message.replace(/".*"|\d+/g, '…')} ${place}`;
  const known = found.get(key);
  if (known) known.count++;
  else found.set(key, { finding, count: 1 });
}

/** Runs a worker until `until`; answers early when it hung or died, so that another can go on. */
function runWorker(round: number, until: number): Promise<'done' | 'again' | 'over'> {
  const shared = new SharedArrayBuffer(HEADER_BYTES + MAX_INPUT);
  const header = new Int32Array(shared, 0, HEADER_BYTES / 4);
  const workerData: WorkerInput = {
    shared,
    paths: targets.map(([, path]) => path),
    seed: seed + round * 104_729,
    slice: Math.max(20, Math.min(250, (seconds * 1000) / targets.length / 4)),
    limit: LIMIT,
  };
  const worker = new Worker(BOOT, {
    eval: true,
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: 2048 },
  });
  const current = (kind: Finding['kind'], text: string): Finding => ({
    target: header[1]!,
    kind,
    text,
    input: Uint8Array.from(new Uint8Array(shared, HEADER_BYTES, header[2]!)),
  });
  return new Promise((resolve) => {
    let last = -1;
    let since = Date.now();
    let ready = false;
    const timer = setInterval(() => {
      const count = Atomics.load(header, 0);
      const now = Date.now();
      if (count !== last) {
        last = count;
        since = now;
      }
      if (now >= until) end('done');
      else if (Atomics.load(header, 3) === 1 && now - since > HANG) {
        record(current('hang', `no end within ${HANG} ms`));
        end('again');
      }
    }, 50);
    let ended = false;
    function end(how: 'done' | 'again' | 'over'): void {
      if (ended) return;
      ended = true;
      clearInterval(timer);
      tried += Atomics.load(header, 0);
      void worker.terminate().then(() => resolve(how));
    }
    worker.on('message', (finding: Finding) => {
      if (finding.kind === 'ready') ready = true;
      else record(finding);
    });
    worker.on('error', (error) => {
      if (ready) record(current('crash', String(error)));
      else record({ target: -1, kind: 'broken', text: String(error) });
      end(ready ? 'again' : 'over');
    });
    worker.on('exit', () => end('over'));
  });
}

console.log(`Fuzzing ${targets.map(([name]) => name).join(', ')} for ${seconds} s, seed ${seed} …`);
const until = Date.now() + seconds * 1000;
for (let round = 0; Date.now() < until; round++) if ((await runWorker(round, until)) === 'over') break;

for (const { finding, count } of found.values()) {
  const name = targets[finding.target]?.[0] ?? 'fuzz';
  console.log(`\n${name}: ${finding.kind}${count > 1 ? ` (${count} times)` : ''}: ${finding.text}`);
  if (finding.input) console.log(`  input: ${inputText(finding.input)}`);
}
console.log(`${tried} inputs tried, ${found.size} findings`);
process.exitCode = found.size === 0 && tried > 0 ? 0 : 1;

/** In base64; a long one goes to a file. */
function inputText(input: Uint8Array): string {
  const bytes = Buffer.from(input);
  if (bytes.length <= 3000) return `${bytes.length} bytes, base64 ${bytes.toString('base64')}`;
  const path = join('.cache', 'fuzz', createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  mkdirSync(join(root, '.cache', 'fuzz'), { recursive: true });
  writeFileSync(join(root, path), bytes);
  return `${bytes.length} bytes, in ${path}`;
}
