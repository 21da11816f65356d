/**
 * `npm test`: installs what is missing, then runs every check there is, and goes on after one that fails. What computes
 * runs beside what waits for a browser, each in a lane of its own; where there is one core alone, one after the other.
 * The last line is `N passed, M failed`; the exit code is 0 only if nothing failed.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fetchForeignLegacynet } from './foreign-legacynet.mjs';
import { install } from './install.mjs';
import { fetchModules } from './modules.mjs';
import { npm, root, run } from './steps.mjs';

const MINUTE = 60_000;
const reports = join(root, '.cache', 'test');
const report = (name) => join(reports, `${name}.json`);
const bin = (name, path) => [process.execPath, join(root, 'node_modules', name, path)];
const vitest = (project) => [
  ...bin('vitest', 'vitest.mjs'),
  'run',
  `--project=${project}`,
  '--reporter=dot',
  '--reporter=json',
  `--outputFile.json=${report(project)}`,
];

/** Each step counts as one check unless it can tell how many it made. */
const COMPUTES = [
  { name: 'types', script: ['typecheck'] },
  { name: 'lint and layers', script: ['lint'] },
  { name: 'format', script: ['format:check'] },
  { name: 'unit tests', command: vitest('unit'), count: vitestCount('unit') },
  { name: 'bench (smoke)', script: ['bench', '--', '--quick', '--only', 'message.id'] },
  { name: 'fuzz (smoke)', script: ['fuzz', '--', '--seconds', '5', '--seed', '1'] },
];
const BROWSES = [
  { name: 'browser tests', command: vitest('browser'), count: vitestCount('browser') },
  { name: 'conformance (due)', script: ['conformance', '--', '--due'], count: lastLineCount },
  { name: 'torture (smoke)', script: ['torture', '--', '--kills', '1', '--seed', '1'] },
];
/** These take both cores by themselves. */
const LAST = [
  {
    name: 'end-to-end tests',
    command: [...bin('@playwright/test', 'cli.js'), 'test', '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: report('e2e') },
    count: playwrightCount,
  },
];
const LANES = availableParallelism() > 1 ? [COMPUTES, BROWSES] : [[...COMPUTES, ...BROWSES]];

/** Passed and failed of a step, or undefined where its report cannot be read. */
function vitestCount(project) {
  return () => {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report(project), 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests };
  };
}

function playwrightCount() {
  const { stats } = JSON.parse(readFileSync(report('e2e'), 'utf8'));
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
}

function lastLineCount(output) {
  const [, passed, failed] = /(\d+) passed, (\d+) failed[^\n]*\s*$/.exec(output) ?? [];
  return passed === undefined ? undefined : { passed: Number(passed), failed: Number(failed) };
}

/** `alone`: its output is shown as it comes, else as a whole at its end, so that lanes do not mix theirs. */
async function runStep({ name, script, command, env, count }, alone) {
  console.log(alone ? `\n== ${name}` : `… ${name}`);
  const started = performance.now();
  let output = '';
  const options = { limit: 30 * MINUTE, env, silent: !alone, onOutput: (text) => (output += text) };
  const code = script
    ? await npm(['run', '--silent', ...script], options)
    : await run(command[0], command.slice(1), options);
  const seconds = Math.round((performance.now() - started) / 1000);
  if (!alone) console.log(`\n== ${name}\n${output.trimEnd()}`);
  console.log(`== ${name}: ${seconds} s`);
  let counted;
  try {
    counted = count?.(output);
  } catch {
    // No report: the exit code alone tells.
  }
  const { passed, failed } = counted ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  // A step that failed without a failing test of its own (a file that does not load) is a failure too.
  return { name, passed, failed: code !== 0 && failed === 0 ? 1 : failed };
}

const results = [];

async function runLane(steps, alone) {
  for (const step of steps) results.push(await runStep(step, alone));
}

try {
  await install({ browser: true });
  await fetchModules();
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  // A command that is not there yet is not checked; one that is, is.
  const there = ({ script }) => !script || scripts[script[0]];
  // Where it cannot be had, the tests that need it say so.
  const foreign = fetchForeignLegacynet().catch(() => undefined);
  await Promise.all(LANES.map((lane) => runLane(lane.filter(there), LANES.length === 1)));
  await foreign;
  await runLane(LAST, true);
} catch (error) {
  console.error(error.message);
  results.push({ name: 'set-up', passed: 0, failed: 1 });
}

console.log('');
for (const { name, passed, failed } of results) console.log(`${name}: ${passed} passed, ${failed} failed`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
