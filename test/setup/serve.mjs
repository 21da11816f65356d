/**
 * Serves the built app. It hands out files and the app's shell, nothing else: AO paths belong to the node in the page.
 * Before the Service Worker controls a page, a request for an AO path reaches this server; a navigation gets the
 * shell (which starts a node and asks again), anything else a refusal, never the app's HTML.
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { moduleIndex } from './modules.mjs';
import { root } from './steps.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * @param {{ port: number, directory?: string, aos?: string }} options
 *   `aos`: path of the aos module, offered to the app where it is there
 * @returns {Promise<{ origin: string, close(): Promise<void> }>}
 */
export async function serve({ port, directory = join(root, 'dist'), aos }) {
  const shell = join(directory, 'index.html');
  if (!existsSync(shell)) throw new Error(`There is no built app in ${directory}.`);
  const headers = {
    'content-security-policy': policyOf(readFileSync(shell, 'utf8')),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin-allow-popups',
  };

  function answer(request, response) {
    const refuse = (status, code, message) => {
      response.writeHead(status, {
        ...headers,
        'content-type': 'application/json',
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : `${JSON.stringify({ code, status, message })}\n`);
    };
    const path = pathOf(request.url);
    if (path === undefined) return refuse(400, 'bad-path', 'The path is not valid.');
    const reads = request.method === 'GET' || request.method === 'HEAD';
    if (reads && path === '/modules/index.json') return sendText(JSON.stringify(moduleIndex(aos)), '.json');
    const file = path === '/modules/aos.wasm' ? aos : fileAt(directory, path === '/' ? '/index.html' : path);
    if (reads && file) return sendFile(file, path.startsWith('/assets/'));
    if (reads && isNavigation(request)) return sendFile(shell, false);
    if (/^\/(?:assets|modules|icons)\//.test(path)) return refuse(404, 'not-found', 'There is no such file.');
    return refuse(
      503,
      'no-node-here',
      'This server hands out the app. AO paths are answered by the node in the page, once it has started.',
    );

    function sendText(text, extension) {
      response.writeHead(200, { ...headers, 'content-type': TYPES[extension], 'cache-control': 'no-cache' });
      response.end(request.method === 'HEAD' ? undefined : text);
    }
    function sendFile(found, forever) {
      response.writeHead(200, {
        ...headers,
        'content-type': TYPES[extname(found)] ?? 'application/octet-stream',
        'content-length': statSync(found).size,
        'cache-control': forever ? 'public, max-age=31536000, immutable' : 'no-cache',
      });
      if (request.method === 'HEAD') response.end();
      else
        createReadStream(found)
          .on('error', () => response.destroy())
          .pipe(response);
    }
  }

  // `localhost` is either of the two; a machine without IPv6 has the first alone.
  const first = await listen(answer, port, '127.0.0.1');
  const bound = first.address().port;
  const second = await listen(answer, bound, '::1').catch(() => undefined);
  return {
    origin: `http://localhost:${bound}`,
    close: async () => {
      await Promise.all([first, second].map((server) => server && stop(server)));
    },
  };
}

function listen(answer, port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer(answer);
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

function stop(server) {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function pathOf(target) {
  try {
    return decodeURIComponent(new URL(target, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
}

function fileAt(directory, path) {
  const found = normalize(join(directory, path));
  return found.startsWith(directory + sep) && existsSync(found) && statSync(found).isFile()
    ? found
    : undefined;
}

/** A person opened this address; a script did not ask for it. */
function isNavigation(request) {
  const mode = request.headers['sec-fetch-mode'];
  return mode === undefined ? /\btext\/html\b/.test(request.headers.accept ?? '') : mode === 'navigate';
}

/** The page's own policy, sent as a header too: workers take theirs from their response. */
function policyOf(html) {
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1];
  if (!policy) throw new Error('index.html has no Content-Security-Policy.');
  return policy;
}
