/** Built pages of the commands, kept beside the sources that they were built of: building takes longer than starting. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

type Built = Map<string, string | Uint8Array>;

/** What a page of the product can import, and what decides how it is built. */
const SOURCES = ['src', 'workers', 'package-lock.json', 'tsconfig.json', 'test/setup/bundle.ts'];

/** What `build` makes of `html`, from the last time where no source has changed since. */
export async function keptBuild(root: string, html: string, build: () => Promise<Built>): Promise<Built> {
  const folder = join(root, '.cache', 'pages');
  const path = join(folder, html.replaceAll(/[^a-z0-9]+/gi, '-'));
  const key = keyOf(root, html);
  try {
    const kept = deserialize(readFileSync(path)) as { key: string; files: Built };
    if (kept.key === key) return kept.files;
  } catch {
    // None is kept, or not a whole one.
  }
  const files = await build();
  try {
    mkdirSync(folder, { recursive: true });
    // Another command may read or write it now.
    const half = `${path}.${process.pid}`;
    writeFileSync(half, serialize({ key, files }));
    renameSync(half, path);
  } catch {
    // Not kept: built again the next time.
  }
  return files;
}

function keyOf(root: string, html: string): string {
  const hash = createHash('sha256').update(html);
  for (const path of SOURCES.flatMap((source) => filesOf(root, source)))
    hash.update(`\0${path}\0`).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

function filesOf(root: string, path: string): string[] {
  try {
    return readdirSync(join(root, path), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ name }) => filesOf(root, `${path}/${name}`));
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOTDIR') return [path];
    return [];
  }
}
