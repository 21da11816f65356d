/** What the documents promise is there: commands, files, dependencies, examples. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const DOCUMENTS = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
];
const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
  string,
  Record<string, string>
>;

describe('documents', () => {
  it('name no command that is not there', () => {
    const named = DOCUMENTS.flatMap((path) =>
      [...read(path).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(([, run, own]) => run ?? own!),
    );
    expect(named.filter((name) => !(name in scripts!))).toEqual([]);
  });

  it('link to files that are there', () => {
    const broken = DOCUMENTS.flatMap((path) =>
      [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, target]) => target!)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('give the reason for every dependency, once', () => {
    const reasons = read('docs/dependencies.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...line.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!));
    const covers = (reason: string, name: string) =>
      reason === name ||
      (reason.endsWith('/*') && name.startsWith(reason.slice(0, -1))) ||
      // `workbox-core`, `-routing` …
      (reason.startsWith('-') && name === `workbox${reason}`);
    const all = Object.keys({ ...dependencies, ...devDependencies });
    expect(all.filter((name) => reasons.filter((reason) => covers(reason, name)).length !== 1)).toEqual([]);
    expect(reasons.filter((reason) => !all.some((name) => covers(reason, name)))).toEqual([]);
  });
});

describe('examples', () => {
  it.each(['README.md', 'docs/library.md'])('of %s are those that the type checker has seen', (path) => {
    const seen = new Set(
      read('test/setup/examples.ts')
        .split('\n')
        .map((line) => line.trim()),
    );
    const blocks = [...read(path).matchAll(/^```ts\n(.*?)^```$/gms)];
    const lines = blocks.flatMap(([, code]) => code!.split('\n')).map((line) => line.trim());
    expect(blocks.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !line.startsWith('import ') && !seen.has(line))).toEqual([]);
  });
});
