/**
 * `npm run bridge -- [--port 8740] [--profile DIR] [--modules DIR]`
 *
 * A node in headless Chromium, reachable over real HTTP on 127.0.0.1. `--profile` keeps its state, `--modules` is a
 * directory with WASM modules (aos), looked for by their hash.
 */
import { createReadStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { aosHash, moduleIndex } from '../../test/setup/modules.mjs';
import { ModuleFiles } from '../../test/setup/module-files.ts';
import type { Route } from '../../test/setup/bundle.ts';
import { Bridge } from './bridge-server.ts';
import { openHeadless, type Headless } from './headless.ts';

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '8740' },
    profile: { type: 'string' },
    modules: { type: 'string' },
  },
});
const port = Number(options.port);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(`--port is not a port number: ${options.port}`);
  process.exit(2);
}

const bridge = new Bridge();
let headless: Headless | undefined;
let stopping = false;

async function stop(code: number): Promise<never> {
  stopping = true;
  await bridge.close();
  await headless?.close();
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(0));

const hash = aosHash();
const aos = hash === undefined ? undefined : new ModuleFiles(options.modules).path(hash);

/** The aos module, offered to the node as `npm start` offers it to the app. */
const modules: Route = (request, response) => {
  if (request.url === '/modules/index.json') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(moduleIndex(aos)));
    return true;
  }
  if (request.url !== '/modules/aos.wasm' || aos === undefined) return false;
  response.writeHead(200, { 'content-type': 'application/wasm' });
  createReadStream(aos).pipe(response);
  return true;
};

try {
  headless = await openHeadless({
    html: 'src/command/bridge-page.html',
    profile: options.profile,
    anyOrigin: true,
    route: async (request, response) => bridge.route(request, response) || modules(request, response),
  });
  const address = await headless.page.evaluate(() => window.startBridge());
  const bound = await bridge.listen(port);
  console.log(`The node ${address} answers at http://127.0.0.1:${bound}`);
  void headless.died.then((reason) => {
    if (stopping) return;
    console.error(reason);
    void stop(1);
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  await stop(1);
}
