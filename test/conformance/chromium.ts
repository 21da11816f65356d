/** Runs a plan in headless Chromium: serves the page, the vectors and the modules, and survives a page that dies. */
import { createReadStream } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { chromium, type Browser } from 'playwright';
import { servePage, type Files } from '../setup/bundle.ts';
import { chromiumLaunch } from '../setup/chromium.js';
import { ModuleFiles } from '../setup/module-files.ts';
import type { Outcome, PlannedCase } from './plan.ts';
import { siblingPath, type VectorFile } from './vectors.ts';

export interface Run {
  readonly page: Files;
  readonly plan: readonly PlannedCase[];
  readonly files: readonly VectorFile[];
  readonly modules: string | undefined;
  readonly record: (outcome: Outcome) => void;
}

const LANES = Math.max(1, Math.min(4, availableParallelism()));

export async function runInChromium({ page, plan, files, modules, record }: Run): Promise<void> {
  const moduleFiles = new ModuleFiles(modules);
  const server = await servePage(page, (request, response) => serveData(request, response));

  function serveData(request: IncomingMessage, response: ServerResponse): boolean {
    const [, folder, first = '', ...rest] = (request.url ?? '').split('/').map(decodeURIComponent);
    if (folder === 'modules') {
      const bytes = moduleFiles.read(first);
      if (!bytes) return false;
      response.writeHead(200, { 'content-type': 'application/wasm' });
      response.end(bytes);
      return true;
    }
    const path =
      folder === 'vectors' ? files[Number(first)]?.path : siblingPath(files, first, rest.join('/'));
    if ((folder !== 'vectors' && folder !== 'siblings') || path === undefined) return false;
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    createReadStream(path).pipe(response);
    return true;
  }

  /** Cases that took the page with them, and how often. */
  const crashes = new Map<number, number>();
  let left = [...plan];
  try {
    while (left.length > 0) {
      const reported = new Set<number>();
      const suspects = left.some(({ id }) => crashes.has(id));
      // Those that were running when the page died run alone, so that the guilty one is known.
      const now = suspects ? left.filter(({ id }) => crashes.has(id)).slice(0, 1) : left;
      const crash = await runOnce(server.origin, now, suspects ? 1 : LANES, (outcome) => {
        reported.add(outcome.id);
        record(outcome);
      });
      const running = now.filter(({ id }) => !reported.has(id)).slice(0, suspects ? 1 : LANES);
      const lost = new Set<number>();
      if (crash !== undefined)
        for (const { id } of running) {
          const count = (crashes.get(id) ?? 0) + 1;
          crashes.set(id, count);
          if (count < 2) continue;
          lost.add(id);
          record({ id, ok: false, expected: 'a page that lives', got: crash, took: 0 });
        }
      left = left.filter(({ id }) => !reported.has(id) && !lost.has(id));
    }
  } finally {
    await server.close();
  }
}

/** Answers undefined when all ran, else how the page died. */
async function runOnce(
  origin: string,
  plan: readonly PlannedCase[],
  lanes: number,
  record: (outcome: Outcome) => void,
): Promise<string | undefined> {
  let browser: Browser | undefined;
  try {
    browser = await chromium.launch(chromiumLaunch());
    const page = await browser.newPage();
    const died = new Promise<string>((resolve) => {
      page.once('crash', () => resolve('the page crashed'));
      browser!.once('disconnected', () => resolve('the browser ended'));
    });
    await page.exposeFunction('reportOutcome', record);
    await page.goto(`${origin}/test/conformance/page.html`);
    const ran = page
      .evaluate(({ cases, count }) => window.runPlan(cases, count), { cases: [...plan], count: lanes })
      .then(
        () => undefined,
        (error: unknown) => String(error),
      );
    return await Promise.race([ran, died]);
  } finally {
    await browser?.close();
  }
}
