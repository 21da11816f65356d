/**
 * `npm run bench -- [--only NAME,…] [--quick] [--json FILE]`
 *
 * Runs the benchmarks in real headless Chromium and prints one line per measure.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright';
import { buildPageWith, filesByName, root, servePage, type Route } from '../setup/bundle.ts';
import { chromiumLaunch } from '../setup/chromium.js';
import { ModuleFiles } from '../setup/module-files.ts';
import type { AppBench } from './app-bench.ts';
import type { Measure } from './bench.ts';
import { workerHeaps } from './heap.ts';

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});

interface Line {
  name: string;
  value: number;
  unit: string;
  baseline: string | null;
  baselineValue: number | null;
  ratio: number | null;
}

const lines: Line[] = [];

function record(name: string, measure: Measure): void {
  const { value, unit, baseline = null, baselineValue = null } = measure;
  const line: Line = {
    name: measure.part ? `${name}.${measure.part}` : name,
    value: rounded(value),
    unit,
    baseline,
    baselineValue: baselineValue === null ? null : rounded(baselineValue),
    ratio: baselineValue === null ? null : rounded(value / baselineValue),
  };
  lines.push(line);
  const beside = baseline === null ? '' : ` (${baseline} ${line.baselineValue} ${unit}, ratio ${line.ratio})`;
  console.log(`${line.name} ${line.value} ${unit}${beside}`);
}

/** Four significant digits of a timing: more would claim a precision that it does not have. Counts are whole. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4));
}

let failures = 0;
function fail(name: string, reason: unknown): void {
  failures++;
  console.error(`${name}: failed: ${reason instanceof Error ? reason.message : String(reason)}`);
}

/** Benchmarks in a worker, and those that drive the whole built app. */
const inWorker = filesByName(join(root, 'test', 'bench', 'benches'));
const inApp = filesByName(join(root, 'test', 'bench', 'app'));
const only = options.only?.split(',').filter(Boolean);
for (const name of only ?? []) if (!inWorker.has(name) && !inApp.has(name)) fail(name, 'no such benchmark');
const asked = (name: string) => !only || only.includes(name);

async function runInWorkers(paths: ReadonlyMap<string, string>): Promise<void> {
  const modules = new ModuleFiles();
  const route: Route = (request, response) => {
    const [, folder, name = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
    let body: Uint8Array | undefined;
    if (folder === 'modules') body = modules.read(name);
    if (folder === 'vectors' && /^[a-z0-9-]+\.json$/.test(name))
      body = readFileSync(join(root, 'test', 'vectors', name));
    if (!body) return false;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    response.end(body);
    return true;
  };
  const { files, broken } = await buildPageWith('test/bench/page.html', 'virtual:benches', paths);
  for (const [name, reason] of broken) fail(name, reason);
  const server = await servePage(files, route);
  const browser = await chromium.launch(chromiumLaunch());
  try {
    for (const name of paths.keys()) {
      if (broken.has(name)) continue;
      const page = await browser.newPage();
      try {
        await page.exposeFunction('workerHeaps', await workerHeaps(page));
        await page.goto(`${server.origin}/test/bench/page.html`);
        for (const measure of await measureIn(page, name)) record(name, measure);
      } catch (error) {
        fail(name, error);
      } finally {
        await page.close();
      }
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

function measureIn(page: Page, name: string): Promise<Measure[]> {
  return page.evaluate(([asked, quick]) => window.runBench(asked, quick), [name, options.quick] as const);
}

async function runInApp(paths: ReadonlyMap<string, string>): Promise<void> {
  for (const [name, path] of paths)
    try {
      const { default: bench } = (await import(path)) as { default: AppBench };
      for (const measure of [await bench.run({ quick: options.quick })].flat()) record(name, measure);
    } catch (error) {
      fail(name, error);
    }
}

const pick = (paths: ReadonlyMap<string, string>) => new Map([...paths].filter(([name]) => asked(name)));
if (pick(inWorker).size > 0) await runInWorkers(pick(inWorker));
if (pick(inApp).size > 0) await runInApp(pick(inApp));

if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(lines, null, 1)}\n`);
process.exitCode = failures === 0 ? 0 : 1;
