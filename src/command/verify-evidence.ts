/**
 * `npm run verify-evidence -- FILE… [--module FILE]…`
 *
 * Checks evidence files offline. Exit code 0 only if each proves what it says; 1 if not; 2 for a wrong call.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openHeadless, type Headless } from './headless.ts';

function usage(reason: string): never {
  console.error(reason);
  console.error('Usage: npm run verify-evidence -- FILE… [--module FILE]…');
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { module: { type: 'string', multiple: true, default: [] } },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const { values: options, positionals: files } = parse();
if (files.length === 0) usage('A file is needed.');

let headless: Headless | undefined;
try {
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  const modules = options.module.map((path) => readFileSync(path).toString('base64url'));
  headless = await openHeadless({ html: 'src/command/verify-page.html' });
  const page = headless.page;
  // Nothing but the page itself may be asked; its workers come from there, too.
  const { origin } = new URL(page.url());
  await page.context().route(
    (url) => url.origin !== origin,
    (route) => route.abort(),
  );
  for (const [index, text] of texts.entries()) {
    const answer = await page.evaluate(([content, files]) => window.runVerifyEvidence(content, files), [
      text,
      modules,
    ] as const);
    if (files.length > 1) console.log(`${files[index]}:`);
    if ('error' in answer) {
      console.log(`${answer.error.code}: ${answer.error.message}`);
      process.exitCode = 1;
      continue;
    }
    const { proves, kind, findings, against } = answer.value;
    for (const finding of findings) console.log(finding);
    const whom = against === 'nobody' ? ' It holds nobody to it.' : '';
    console.log(
      proves ? `The file proves: ${kind}.${whom}` : `The file does not prove what it says (${kind}).`,
    );
    if (!proves) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await headless?.close();
}
