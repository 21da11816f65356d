/**
 * A legacynet that is not ours: WAO's local server, from the npm package `wao`. It is fetched for tests alone, into the
 * ignored `.cache/foreign-legacynet/`, and is no dependency of the project. Its server runs gateway, bundler, messenger,
 * scheduler and compute unit in one process, offline and in memory.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { INTEGRITY, PACKAGE } from './modules.mjs';
import { npm, root } from './steps.mjs';

const folder = join(root, '.cache', 'foreign-legacynet');
/** The server's own record of where its scheduler is names the ports of this base, whatever it was started with. */
const BASE = 5000;
const UNITS = ['gateway', 'bundler', 'messenger', 'scheduler', 'compute'];
const START = 60_000;
/** How long one waits for another that uses these ports to stop. */
const TURN = 300_000;

/** Installs the server where it is not there yet. @throws Error that says why it could not be had */
export async function fetchForeignLegacynet() {
  if (isInstalled()) return;
  const [name, version] = PACKAGE.split('@');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: { [name]: version } }),
  );
  console.log(`Fetching the foreign legacynet (${PACKAGE}) …`);
  let output = '';
  const code = await npm(
    ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1'],
    { quiet: true, limit: 600_000, onOutput: (text) => (output += text) },
  );
  const failed = (reason) => new Error(`The foreign legacynet (${PACKAGE}) could not be fetched: ${reason}`);
  if (code !== 0) throw failed(output.trim().split('\n').pop() || 'no network');
  if (!isInstalled()) throw failed('the package is not the one that was expected');
}

/** All of it is there, and the server is the one that was expected. */
function isInstalled() {
  const lock = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(lock)) return false;
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  return packages['node_modules/wao']?.integrity === INTEGRITY;
}

/**
 * Starts it, installing it first where it is missing.
 * @param {{ port?: number }} [options] `port`: the first of five in a row
 * @returns {Promise<{
 *   gateway: string, bundler: string, messenger: string, scheduler: string, compute: string,
 *   address: string, stop(): Promise<void>,
 * }>} the URLs of its units, and its scheduler's address
 * @throws Error where it cannot be fetched, a port is taken, or it does not start
 */
export async function startForeignLegacynet({ port = BASE } = {}) {
  const over = await takeTurn(port - 1);
  try {
    return await start(port, over);
  } catch (error) {
    await over();
    throw error;
  }
}

/** There is one at a time: whoever holds the port before its ports has it. Answers how to hand it on. */
async function takeTurn(port) {
  const until = Date.now() + TURN;
  for (;;) {
    const server = createServer();
    const taken = await new Promise((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    server.unref();
    if (taken) return () => new Promise((resolve) => server.close(resolve));
    if (Date.now() > until) throw new Error(`The foreign legacynet waits for port ${port}, which is taken.`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function start(port, over) {
  await fetchForeignLegacynet();
  for (let at = port; at < port + UNITS.length; at++)
    if (!(await isFree(at))) throw new Error(`The foreign legacynet needs port ${at}, which is taken.`);
  const child = spawn(
    process.execPath,
    [
      '--experimental-wasm-memory64',
      join('node_modules', 'wao', 'esm', 'run.js'),
      '--memory',
      '--port',
      port,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  const keep = (part) => (said = (said + String(part)).slice(-10_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    await over();
  };
  const urls = Object.fromEntries(UNITS.map((unit, index) => [unit, `http://127.0.0.1:${port + index}`]));
  try {
    const address = await answers(urls, () => child.exitCode !== null);
    return { ...urls, address, stop };
  } catch (error) {
    await stop();
    throw new Error(`The foreign legacynet does not start: ${error.message}\n${said}`);
  }
}

/** Waits until its units answer; then the scheduler's address. */
async function answers(urls, hasEnded) {
  const until = Date.now() + START;
  for (;;) {
    if (hasEnded()) throw new Error('it ended');
    try {
      await Promise.all([fetch(`${urls.gateway}/`), fetch(`${urls.compute}/`)]);
      return await schedulerAt(urls.gateway);
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

async function schedulerAt(gateway) {
  const query =
    'query { transactions(tags: [{ name: "Type", values: ["Scheduler-Location"] }], first: 1) { edges { node { owner { address } } } } }';
  const reply = await fetch(`${gateway}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data } = await reply.json();
  return data.transactions.edges[0].node.owner.address;
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
