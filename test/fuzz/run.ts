/**
 * `npm run fuzz -- [--seconds N | --inputs N] [--seed S] [--only TARGET,…] [--workers N]`
 *
 * Changed inputs to every decoder and to the HTTP face: for so many seconds in all, or so many inputs for each of
 * them. Prints inputs tried and every crash, hang over a second or untyped error with its input; exit code 1 if
 * there is any.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { filesByName, root } from '../setup/bundle.ts';
import { runLane } from './pool.ts';
import type { Finding, Turn } from './wire.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string' },
    inputs: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    workers: { type: 'string' },
  },
});
const inputs = Number(options.inputs ?? Infinity);
const seconds = Number(options.seconds ?? (options.inputs ? Infinity : 30));
const seed = Number(options.seed ?? Date.now() % 1_000_000);
const workers = Number(options.workers ?? Math.min(4, availableParallelism()));
if (!(seconds > 0) || !(inputs > 0) || !Number.isInteger(seed) || !(workers > 0)) {
  console.error(
    'Usage: npm run fuzz -- [--seconds N | --inputs N] [--seed S] [--only TARGET,…] [--workers N]',
  );
  process.exit(2);
}

const only = options.only?.split(',');
const targets = [...filesByName(join(root, 'test', 'fuzz', 'targets'))]
  .filter(([name]) => !only || only.includes(name))
  .map(([name, path]) => ({ name, path, tried: 0, given: 0, turns: 0, time: 0 }));
const unknown = only?.filter((name) => !targets.some((target) => target.name === name)) ?? [];
if (unknown.length) {
  console.error(`There is no target ${unknown.join(', ')}.`);
  process.exit(2);
}

const found = new Map<string, { finding: Finding; count: number }>();

function record(finding: Finding): void {
  if (finding.kind === 'broken' && targets[finding.target]) targets[finding.target]!.given = Infinity;
  // What an input made of a message does not make it another finding: kind of error and place in the code do.
  const [message = '', ...frames] = finding.text.split('\n');
  const place = frames.find((line) => line.includes('/src/')) ?? frames[0] ?? '';
  const key = `${finding.target} ${finding.kind} ${place || message} ${/^\w+/.exec(message)?.[0] ?? ''}`;
  const known = found.get(key);
  if (known) known.count++;
  else found.set(key, { finding, count: 1 });
}

/** Milliseconds of one turn: short enough that every target has several in a short run. */
const SLICE = Math.max(20, Math.min(1000, (seconds * 1000 * workers) / targets.length / 4));
const TURN = 20_000;

let until = Infinity;

/** Of those that have not had enough, the one that has had the least time. */
function next(): Turn | undefined {
  if (performance.now() >= until) return undefined;
  const [target] = targets
    .filter(({ given }) => given < inputs)
    .sort((a, b) => (Number.isFinite(inputs) ? a.given - b.given : a.time - b.time));
  if (!target) return undefined;
  const count = Math.min(TURN, inputs - target.given);
  const index = targets.indexOf(target);
  const turn = target.turns++;
  target.given += count;
  // Counted beforehand, so that two workers do not both take it.
  target.time += SLICE;
  return {
    target: index,
    seed: seed + index * 7919 + turn * 104_729,
    inputs: count,
    time: Math.min(SLICE, until - performance.now()),
    withSeeds: turn === 0,
  };
}

/** What was tried counts also when it is stopped before its end. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (until = 0));

const began = performance.now();
console.log(
  `Fuzzing ${targets.length} targets with ${Number.isFinite(inputs) ? `${inputs} inputs each` : `inputs for ${seconds} s`}, seed ${seed} …`,
);
const lanes = {
  paths: targets.map(({ path }) => path),
  next,
  over: (turn: Turn, tried: number, milliseconds: number) => {
    const target = targets[turn.target]!;
    target.tried += tried;
    target.given += Math.min(0, tried - turn.inputs);
    target.time += milliseconds - SLICE;
  },
  found: record,
  ready: () => {
    // What it takes to load the targets is not taken from them.
    if (until === Infinity) until = performance.now() + seconds * 1000;
  },
};
await Promise.all(Array.from({ length: workers }, () => runLane(lanes)));

for (const { finding, count } of found.values()) {
  const name = targets[finding.target]?.name ?? 'fuzz';
  console.log(`\n${name}: ${finding.kind}${count > 1 ? ` (${count} times)` : ''}: ${finding.text}`);
  if (finding.input) console.log(`  input: ${inputText(finding.input)}`);
}
for (const { name, tried, time } of targets)
  console.log(`${name.padEnd(24)} ${String(tried).padStart(10)}  ${Math.round((tried / time) * 1000)}/s`);
const all = targets.reduce((sum, { tried }) => sum + tried, 0);
const took = Math.round((performance.now() - began) / 1000);
console.log(`${all} inputs tried in ${took} s, ${found.size} findings`);
const enough = targets.every(({ tried }) => tried > 0 && (!Number.isFinite(inputs) || tried >= inputs));
process.exitCode = found.size === 0 && enough ? 0 : 1;

/** In base64; a long one goes to a file. */
function inputText(input: Uint8Array): string {
  const bytes = Buffer.from(input);
  if (bytes.length <= 3000) return `${bytes.length} bytes, base64 ${bytes.toString('base64')}`;
  const path = join('.cache', 'fuzz', createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  mkdirSync(join(root, '.cache', 'fuzz'), { recursive: true });
  writeFileSync(join(root, path), bytes);
  return `${bytes.length} bytes, in ${path}`;
}
