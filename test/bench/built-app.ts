/** The built app for benchmarks from outside: its files, their static import graph, and a browser on it. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium, type Browser } from 'playwright';
import { root, type Files } from '../setup/bundle.ts';
import { chromiumLaunch } from '../setup/chromium.js';

const dist = join(root, 'dist');
let built: Files | undefined;

/** The files of the app by their paths, built anew once in a run. */
export function builtApp(): Files {
  if (built) return built;
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The build failed.\n${stdout}${stderr}`);
  built = new Map();
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const path = join(dist, name);
    if (statSync(path).isFile()) built.set(`/${name.replaceAll('\\', '/')}`, readFileSync(path));
  }
  return built;
}

function textOf(files: Files, path: string): string {
  const file = files.get(path);
  if (file === undefined) throw new Error(`The build has no ${path}.`);
  return typeof file === 'string' ? file : new TextDecoder().decode(file);
}

/** These files and all that they import statically. */
export function withImports(files: Files, paths: Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    if (!path.endsWith('.js')) return;
    for (const [, from] of textOf(files, path).matchAll(
      /(?:\bfrom|\bimport)\s*["'](\.{1,2}\/[^"']+\.js)["']/g,
    ))
      visit(new URL(from!, `http://app${path}`).pathname);
  };
  for (const path of paths) visit(path);
  return seen;
}

/** What the document itself names: scripts, preloads, style sheets. */
export function initialFiles(files: Files): Set<string> {
  const html = textOf(files, '/index.html');
  const named = [...html.matchAll(/<(?:script|link)\b[^>]*\b(?:src|href)="([^"]+\.(?:js|css))"/g)].map(
    ([, path]) => path!,
  );
  return withImports(files, ['/index.html', ...named]);
}

/** Files whose name in `assets/` begins so. */
export function assets(files: Files, prefix: string): string[] {
  const found = [...files.keys()].filter(
    (path) => path.startsWith(`/assets/${prefix}`) && path.endsWith('.js'),
  );
  if (found.length === 0) throw new Error(`The build has no /assets/${prefix}….`);
  return found;
}

/** Kilobytes of these files, each gzipped. */
export function gzipped(files: Files, paths: Iterable<string>): number {
  return [...paths].reduce((sum, path) => sum + gzipSync(textOf(files, path)).length, 0) / 1000;
}

export async function withBrowser<T>(act: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await chromium.launch(chromiumLaunch());
  try {
    return await act(browser);
  } finally {
    await browser.close();
  }
}
