/** The table of docs/threat-model.md says what the tests hold: every row has its test, every lie its row. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FOLDER = 'test/browser/verify/lies';
const files = new Map(
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => [name, readFileSync(`${FOLDER}/${name}`, 'utf8')]),
);

interface Row {
  lie: string;
  attacks: string;
  code: string;
  file: string;
}

const rows: Row[] = readFileSync('docs/threat-model.md', 'utf8')
  .split('\n')
  .map((line) => /^\| (.+?) +\| (\w+) +\| `([\w-]+)` +\| `([\w.-]+\.test\.ts)` +\|$/.exec(line))
  .flatMap((match) =>
    match ? [{ lie: match[1]!, attacks: match[2]!, code: match[3]!, file: match[4]! }] : [],
  );

/** A name in a test: the `name` of a lie, or the title of a test after its colon. */
function namesIn(text: string): string[] {
  const named = [...text.matchAll(/\bname: '([^']+)'/g)].map(([, name]) => name!);
  const titled = [...text.matchAll(/\bit\(\s*'[a-z ]+: ([^']+)'/g)].map(([, name]) => name!);
  return [...named, ...titled];
}

describe('the table of lies', () => {
  it('has at least forty rows, none twice', () => {
    expect(rows.length).toBeGreaterThanOrEqual(40);
    expect(new Set(rows.map(({ lie }) => lie)).size).toBe(rows.length);
  });

  it.each(rows)('names a test for: $lie', ({ lie, code, file }) => {
    const text = files.get(file);
    expect(text, file).toBeDefined();
    expect(namesIn(text!).some((name) => name.startsWith(lie))).toBe(true);
    expect(text).toContain(`'${code}'`);
  });

  it.each([...files])('has a row for every lie of %s', (file, text) => {
    const told = rows.filter((row) => row.file === file).map(({ lie }) => lie);
    const missing = namesIn(text).filter((name) => !told.some((lie) => name.startsWith(lie)));
    expect(missing).toEqual([]);
  });
});
