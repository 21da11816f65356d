/**
 * A page of ours, built by Vite into memory and served on a free port of 127.0.0.1.
 * Built and not served from source: nothing reloads the page when a file changes while it runs.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import type { Plugin } from 'vite';
import { keptBuild } from './kept-build.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export type Files = Map<string, string | Uint8Array>;

/**
 * Builds the page `html` (path from the project's root); a page of the product only where a source has changed since
 * the last time. `plugins` also serve the page's workers.
 */
export function buildPage(html: string, plugins?: () => Plugin[]): Promise<Files> {
  if (plugins || !html.startsWith('src/')) return buildAnew(html, plugins ?? (() => []));
  return keptBuild(root, html, () => buildAnew(html, () => []));
}

async function buildAnew(html: string, plugins: () => Plugin[]): Promise<Files> {
  const { build } = await import('vite');
  const output = await build({
    root,
    configFile: false,
    logLevel: 'silent',
    publicDir: false,
    plugins: plugins(),
    worker: { format: 'es', plugins },
    build: {
      write: false,
      target: 'es2023',
      minify: false,
      modulePreload: false,
      reportCompressedSize: false,
      rolldownOptions: { input: `${root}${html}` },
    },
  });
  const files: Files = new Map();
  for (const result of [output].flat()) {
    if (!('output' in result)) continue;
    for (const file of result.output)
      files.set(`/${file.fileName}`, file.type === 'chunk' ? file.code : file.source);
  }
  return files;
}

/** A virtual module `id` that exports `modules`: for each name, a function that imports the file at its path. */
export function importMap(id: string, paths: ReadonlyMap<string, string>): Plugin {
  const resolved = `\0${id}`;
  const lines = [...paths].map(
    ([name, path]) => `${JSON.stringify(name)}: () => import(${JSON.stringify(path)})`,
  );
  return {
    name: `import-map ${id}`,
    resolveId: (source) => (source === id ? resolved : undefined),
    load: (source) =>
      source === resolved ? `export const modules = {\n${lines.join(',\n')}\n};` : undefined,
  };
}

/**
 * Builds `html` with the files of `paths` behind the virtual module `id`. A file that does not build is left out,
 * so that the others still run: `broken` tells why, by name.
 */
export async function buildPageWith(
  html: string,
  id: string,
  paths: ReadonlyMap<string, string>,
): Promise<{ files: Files; broken: Map<string, string> }> {
  const broken = new Map<string, string>();
  const build = (some: ReadonlyMap<string, string>) => buildPage(html, () => [importMap(id, some)]);
  try {
    return { files: await build(paths), broken };
  } catch {
    for (const [name, path] of paths)
      await build(new Map([[name, path]])).catch((error: unknown) => {
        broken.set(
          name,
          stripVTControlCharacters(String(error)).match(/\[[A-Z_]+\].*/)?.[0] ?? String(error),
        );
      });
    return { files: await build(new Map([...paths].filter(([name]) => !broken.has(name)))), broken };
  }
}

/** The `.ts` files of a folder by their names without the ending. */
export function filesByName(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  return new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .sort()
      .map((name) => [name.slice(0, -3), join(folder, name)]),
  );
}

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  wasm: 'application/wasm',
};

/** Answers a request that is not for a built file, or returns false. */
export type Route = (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean;

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

export async function servePage(files: Files, route: Route = () => false): Promise<PageServer> {
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = files.get(path);
    if (file !== undefined) {
      const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type });
      response.end(file);
    } else if (!(await route(request, response))) {
      response.writeHead(404);
      response.end();
    }
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
