/** Installs what is missing: the packages of the lock file, and a Chromium where this machine has none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumPath } from './chromium.js';
import { isMain, npm, root, run } from './steps.mjs';

/** @param {{ browser: boolean }} options whether a Chromium is needed too */
export async function install({ browser }) {
  if (!packagesAreThere()) {
    console.log('Installing packages …');
    // A production setting around us must not leave out the tools that build and test.
    // The versions of the lock file, and it stays as it is. `npm ci` would want packages for other platforms in it too,
    // which a registry that does not carry them could never put there.
    if ((await npm(['install', '--no-save', '--include=dev', '--no-audit', '--no-fund'])) !== 0)
      throw new Error('The packages could not be installed.');
  }
  if (browser && !(await chromiumIsThere())) await installChromium();
}

/** True if what npm says it installed is what the lock file asks for. */
function packagesAreThere() {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const there = installed[path];
    if (path === '' || entry.link) return true;
    return there
      ? there.version === entry.version
      : Boolean(entry.optional || entry.devOptional || entry.peer);
  });
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function chromiumIsThere() {
  if (chromiumPath()) return true;
  const { chromium } = await import('playwright');
  return existsSync(chromium.executablePath());
}

async function installChromium() {
  console.log('No Chromium found: installing one …');
  const isRoot = process.getuid?.() === 0;
  // Ubuntu's package of this name only points to a snap.
  if (isRoot && isDebian()) {
    await run('apt-get', ['update', '-q'], { quiet: true });
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], {
      quiet: true,
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (chromiumPath()) return;
  }
  const cli = join(root, 'node_modules', 'playwright', 'cli.js');
  const system = isRoot && process.platform === 'linux' ? ['--with-deps'] : [];
  const code = await run(process.execPath, [cli, 'install', ...system, 'chromium']);
  if (code !== 0 && system.length > 0) await run(process.execPath, [cli, 'install', 'chromium']);
  if (!(await chromiumIsThere()))
    throw new Error(
      'No Chromium could be installed. Install one, or name it in CHROMIUM_PATH, and run this again.',
    );
}

function isDebian() {
  try {
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

if (isMain(import.meta.url)) await install({ browser: true });
