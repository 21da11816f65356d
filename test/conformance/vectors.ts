/** Vector files on disk: found, read, and taken apart into cases (conformance rules in CONTRIBUTING.md). */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from '../setup/bundle.ts';
import type { Json } from './family.ts';

export interface VectorCase {
  readonly family: string;
  readonly name: string;
  readonly file: VectorFile;
  readonly list: string;
  readonly index: number;
  readonly data: Json;
}

export interface VectorFile {
  readonly family: string;
  /** File name with `.json`. */
  readonly name: string;
  readonly path: string;
}

export interface BrokenFile {
  readonly file: VectorFile;
  readonly reason: string;
}

/** Vectors that come from other repositories are not part of this one; they may lie beside it. */
const beside = join(root, '..', 'shared', 'vectors');
const own = join(root, 'test', 'vectors');

/** Family of a file: its name without `.json` and without a suffix that begins with `-held`. */
export function familyOf(name: string): string {
  return basename(name, '.json').replace(/-held.*$/, '');
}

/** The vector files of a directory: its JSON files, and those of the folders that are families themselves. */
export function findFiles(directory: string): VectorFile[] {
  if (statSync(directory).isFile())
    return [{ family: familyOf(directory), name: basename(directory), path: directory }];
  const files: VectorFile[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (statSync(path).isDirectory()) {
      const family = familyOf(entry.name);
      for (const name of readdirSync(path).sort())
        if (name.endsWith('.json')) files.push({ family, name, path: join(path, name) });
    } else if (entry.name.endsWith('.json'))
      files.push({ family: familyOf(entry.name), name: entry.name, path });
  }
  return files;
}

/** What runs without `--vectors`: the project's own files and, where it is there, the folder beside the project. */
export function defaultFiles(): { files: VectorFile[]; notice?: string } {
  const files = findFiles(own);
  const folder = join(beside, 'snp');
  if (!existsSync(folder))
    return {
      files,
      notice: 'snp: only the synthetic vectors are here; those of other repositories were not found.',
    };
  const known = new Set(files.filter(({ family }) => family === 'snp').map(({ name }) => name));
  const more = readdirSync(folder).filter((name) => name.endsWith('.json') && !known.has(name));
  return { files: [...files, ...more.map((name) => ({ family: 'snp', name, path: join(folder, name) }))] };
}

/** A file of a family's folder: beside the vectors in use, in the project, or in the folder beside the project. */
export function siblingPath(files: readonly VectorFile[], family: string, path: string): string | undefined {
  if (path.split('/').includes('..')) return undefined;
  const directories = new Set(files.filter((f) => f.family === family).map((f) => join(f.path, '..')));
  return [...directories, join(own, family), join(beside, family)]
    .map((directory) => join(directory, path))
    .find((candidate) => existsSync(candidate) && statSync(candidate).isFile());
}

/** The cases of a file. A file is one list, or a record whose lists hold its cases. */
export function readCases(file: VectorFile): VectorCase[] | BrokenFile {
  let document: Json;
  try {
    document = JSON.parse(readFileSync(file.path, 'utf8')) as Json;
  } catch (error) {
    return { file, reason: error instanceof Error ? error.message : String(error) };
  }
  const lists: [string, Json][] = Array.isArray(document)
    ? [['', document]]
    : typeof document === 'object' && document !== null
      ? Object.entries(document).filter(([, value]) => Array.isArray(value))
      : [];
  if (lists.length === 0) return { file, reason: 'The file holds no list of cases.' };
  const cases: VectorCase[] = [];
  for (const [list, entries] of lists)
    for (const [index, data] of (entries as Json[]).entries())
      cases.push({
        family: file.family,
        name: nameOf(data) ?? `${file.name}#${cases.length}`,
        file,
        list,
        index,
        data,
      });
  return cases;
}

function nameOf(data: Json): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  const name = data['name'] ?? data['id'];
  return typeof name === 'string' ? name : undefined;
}
