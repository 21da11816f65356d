/**
 * `npm run verify -- URL [--level LEVEL] [--peer URL]… [--module FILE]… [--trust FILE] [--vek FILE] [--checkpoint FILE]…
 * [--from START] [--sample N] [--json FILE]`
 *
 * Verifies what a remote node says at an AO path, in headless Chromium. Exit code 0 only if the asked level (default
 * `replayed`) was reached and nothing was contradicted; 1 if not; 2 for a wrong call.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { TrustList } from '../protocol/api.ts';
import { LEVELS, type Level } from '../verify/report.ts';
import { openHeadless, type Headless } from './headless.ts';
import { isProven, reportText } from './report-text.ts';

function usage(reason: string): never {
  console.error(reason);
  console.error(
    'Usage: npm run verify -- URL [--level LEVEL] [--peer URL]… [--module FILE]… [--trust FILE] [--vek FILE] [--checkpoint FILE]… [--from own|genesis|NAME|ID] [--sample N] [--json FILE]',
  );
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        level: { type: 'string', default: 'replayed' },
        peer: { type: 'string', multiple: true, default: [] },
        module: { type: 'string', multiple: true, default: [] },
        trust: { type: 'string' },
        vek: { type: 'string' },
        checkpoint: { type: 'string', multiple: true, default: [] },
        from: { type: 'string' },
        sample: { type: 'string' },
        json: { type: 'string' },
      },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return usage(`The file ${path} cannot be read.`);
  }
}

/** What the user trusts: a list of programs, or a record as `TrustList` describes it. */
function readTrust(path: string): TrustList {
  let parsed: unknown;
  try {
    parsed = JSON.parse(read(path).toString('utf8'));
  } catch {
    return usage(`The file ${path} is no JSON.`);
  }
  if (Array.isArray(parsed)) return { programs: parsed };
  if (typeof parsed !== 'object' || parsed === null) return usage(`The file ${path} is no trust list.`);
  const list = parsed as TrustList;
  for (const key of ['programs', 'keys', 'checkpointSigners', 'checkpoints', 'roots'] as const)
    if (list[key] !== undefined && !Array.isArray(list[key])) usage(`${key} in ${path} is no list.`);
  return list;
}

const { values: options, positionals } = parse();
const [url] = positionals;
if (url === undefined || positionals.length !== 1) usage('One URL is needed.');
if (!LEVELS.includes(options.level as Level))
  usage(`There is no level ${options.level}: ${LEVELS.join(', ')}.`);
const trust = options.trust === undefined ? undefined : readTrust(options.trust);
const stretches = Number(options.sample ?? 1);
if (!Number.isInteger(stretches) || stretches < 1)
  usage('--sample takes the number of stretches to compute.');

let headless: Headless | undefined;
try {
  headless = await openHeadless({ html: 'src/command/verify-page.html', anyOrigin: true });
  let last = '';
  await headless.page.exposeFunction('tellProgress', (phase: string, done: number, total: number) => {
    // A line a phase where nobody watches, a running count where somebody does.
    if (process.stderr.isTTY) process.stderr.write(`\r${phase} ${done}/${total}  `);
    else if (phase !== last) process.stderr.write(`${phase} …\n`);
    last = phase;
  });
  const answer = await headless.page.evaluate((job) => window.runVerify(job), {
    url,
    level: options.level as Level,
    peers: options.peer,
    modules: options.module.map((path) => read(path).toString('base64url')),
    checkpoints: options.checkpoint.map((path) => read(path).toString('base64url')),
    ...(trust ? { trust } : {}),
    ...(options.from === undefined ? {} : { from: options.from }),
    ...(options.sample === undefined ? {} : { sample: { stretches } }),
    ...(options.vek === undefined ? {} : { certificates: read(options.vek).toString('base64url') }),
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  if ('error' in answer) {
    console.error(`${answer.error.code}: ${answer.error.message}`);
    process.exitCode = /^(bad|legacynet)-url$/.test(answer.error.code) ? 2 : 1;
  } else {
    const { report, evidence } = answer.value;
    console.log(reportText(report));
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`);
    for (const [id, text] of Object.entries(evidence)) {
      const file = options.json === undefined ? undefined : `${options.json}.${id}.evidence.json`;
      if (file === undefined) console.log('Evidence was found; --json FILE keeps it beside the report.');
      else {
        writeFileSync(file, text);
        console.log(`Evidence: ${file}`);
      }
    }
    process.exitCode = isProven(report) ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await headless?.close();
}
