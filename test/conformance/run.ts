/**
 * `npm run conformance -- [--vectors DIR] [--only FAMILY,…] [--modules DIR] [--json FILE] [--due]`
 *
 * Runs vector files in real headless Chromium, through the code that ships. `--due` (which `npm test` uses) lets
 * only what `due.json` lists decide the exit code and the last line; the rest is run and reported.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPageWith, filesByName, root } from '../setup/bundle.ts';
import { isDue } from './due.ts';
import type { Json } from './family.ts';
import type { Outcome, PlannedCase } from './plan.ts';
import { caseLine, lastLine, summary, type Result } from './report.ts';
import { runInChromium } from './chromium.ts';
import { defaultFiles, findFiles, readCases, type VectorCase, type VectorFile } from './vectors.ts';

const { values: options } = parseArgs({
  options: {
    vectors: { type: 'string' },
    only: { type: 'string' },
    modules: { type: 'string' },
    json: { type: 'string' },
    due: { type: 'boolean', default: false },
  },
});

const results: Result[] = [];

function fail(family: string, name: string, expected: string, got: string, data: Json = null): void {
  results.push({ family, case: name, ok: false, expected, got, due: isDue(family, data) });
}

function findVectors(): VectorFile[] {
  try {
    if (options.vectors !== undefined) return findFiles(options.vectors);
    const { files, notice } = defaultFiles();
    if (notice) console.log(notice);
    return files;
  } catch (error) {
    fail('vectors', options.vectors ?? '', 'a directory of vector files', String(error));
    return [];
  }
}

const known = filesByName(join(root, 'test', 'conformance', 'families'));
const only = options.only?.split(',').filter(Boolean);
const files = findVectors().filter(({ family }) => !only || only.includes(family));
for (const family of only ?? [])
  if (!files.some((file) => file.family === family))
    fail(family, family, 'vector files of this family', known.has(family) ? 'none' : 'an unknown family');

const cases: VectorCase[] = [];
for (const file of files) {
  const found = readCases(file);
  if (!Array.isArray(found)) {
    fail(file.family, file.name, 'a readable vector file', found.reason);
    continue;
  }
  for (const one of found)
    if (known.has(file.family)) cases.push(one);
    else fail(file.family, one.name, 'a family that the runner knows', 'an unknown family', one.data);
}

if (cases.length > 0) {
  const paths = new Map([...known].filter(([name]) => cases.some(({ family }) => family === name)));
  const { files: page, broken } = await buildPageWith(
    'test/conformance/page.html',
    'virtual:families',
    paths,
  );
  const plan: PlannedCase[] = [];
  for (const [id, one] of cases.entries()) {
    const reason = broken.get(one.family);
    if (reason !== undefined) fail(one.family, one.name, 'a family that builds', reason, one.data);
    else
      plan.push({
        id,
        family: one.family,
        name: one.name,
        url: String(files.indexOf(one.file)),
        file: one.file.name,
        list: one.list,
        index: one.index,
      });
  }
  const outcomes: Outcome[] = [];
  await runInChromium({
    page,
    plan,
    files,
    modules: options.modules,
    record: (outcome) => outcomes.push(outcome),
  });
  for (const { id, ok, skipped, expected, got } of outcomes.sort((a, b) => a.id - b.id)) {
    const one = cases[id]!;
    results.push({
      family: one.family,
      case: one.name,
      ok,
      ...(skipped ? { skipped } : {}),
      ...(ok || skipped ? {} : { expected: expected ?? '', got: got ?? '' }),
      due: isDue(one.family, one.data),
    });
  }
}

for (const result of results) if (!result.ok && !result.skipped) console.log(caseLine(result));
for (const line of summary(results)) console.log(line);
if (options.json !== undefined)
  writeFileSync(
    options.json,
    `${JSON.stringify(
      results.map(({ due: _, ...rest }) => rest),
      null,
      1,
    )}\n`,
  );
const counted = options.due ? results.filter(({ due }) => due) : results;
console.log(lastLine(counted));
process.exitCode = counted.some(({ ok, skipped }) => !ok && !skipped) ? 1 : 0;
