/**
 * `npm run verify-evidence -- FILE [--module FILE]…`
 *
 * Checks an evidence file offline. Exit code 0 only if it proves what it says.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openHeadless, type Headless } from './headless.ts';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { module: { type: 'string', multiple: true, default: [] } },
});
const [file] = positionals;
if (file === undefined) {
  console.error('Usage: npm run verify-evidence -- FILE [--module FILE]…');
  process.exit(2);
}

let headless: Headless | undefined;
try {
  const text = readFileSync(file, 'utf8');
  const modules = options.module.map((path) => readFileSync(path).toString('base64url'));
  headless = await openHeadless({ html: 'src/command/verify-page.html' });
  const page = headless.page;
  // Nothing but the page itself may be asked; its workers come from there, too.
  const { origin } = new URL(page.url());
  await page.context().route(
    (url) => url.origin !== origin,
    (route) => route.abort(),
  );
  const answer = await page.evaluate(([content, files]) => window.runVerifyEvidence(content, files), [
    text,
    modules,
  ] as const);
  if ('error' in answer) {
    console.log(`${answer.error.code}: ${answer.error.message}`);
    process.exitCode = 1;
  } else {
    const { proves, kind, findings, against } = answer.value;
    for (const finding of findings) console.log(finding);
    const whom = against === 'nobody' ? ' It holds nobody to it.' : '';
    console.log(
      proves ? `The file proves: ${kind}.${whom}` : `The file does not prove what it says (${kind}).`,
    );
    process.exitCode = proves ? 0 : 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await headless?.close();
}
