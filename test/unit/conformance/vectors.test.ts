import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { familyOf, findFiles, readCases, siblingPath } from '../../conformance/vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (path: string, content: string) => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
};

describe('vector files', () => {
  it('belong to the family of their name, less a suffix that begins with -held', () => {
    expect(familyOf('lua.json')).toBe('lua');
    expect(familyOf('commit-ans104.json')).toBe('commit-ans104');
    expect(familyOf('resolve-http-held.json')).toBe('resolve-http');
    expect(familyOf('resolve-http-held-2.json')).toBe('resolve-http');
    expect(familyOf('some/where/push-heldout.json')).toBe('push');
  });

  it('are found in a directory and in the folders of families', () => {
    write('b.json', '[]');
    write('a-held1.json', '[]');
    write('README.md', '');
    write('snp/real.json', '[]');
    write('snp/reports/x.json', '{}');
    expect(findFiles(folder).map(({ family, name }) => `${family}:${name}`)).toEqual([
      'a:a-held1.json',
      'b:b.json',
      'snp:real.json',
    ]);
    const files = findFiles(folder);
    expect(siblingPath(files, 'snp', 'reports/x.json')).toBe(join(folder, 'snp', 'reports', 'x.json'));
    expect(siblingPath(files, 'snp', '../b.json')).toBeUndefined();
    expect(siblingPath(files, 'snp', 'reports/none')).toBeUndefined();
  });

  it('give one case for each entry of their lists', () => {
    const read = (content: string) => {
      write('c.json', content);
      return readCases({ family: 'c', name: 'c.json', path: join(folder, 'c.json') });
    };
    const names = (content: string) => {
      const cases = read(content);
      return Array.isArray(cases)
        ? cases.map(({ name, list, index }) => `${name} ${list} ${index}`)
        : cases.reason;
    };
    expect(names('[{"name":"one","id":"x"},{"id":"two"},{}]')).toEqual(['one  0', 'two  1', 'c.json#2  2']);
    expect(names('{"about":"","pins":{},"cases":[{"id":"a"}],"length":[{},{}]}')).toEqual([
      'a cases 0',
      'c.json#1 length 0',
      'c.json#2 length 1',
    ]);
    expect(names('{"a":1}')).toMatch(/no list/);
    expect(names('{')).toMatch(/JSON/);
  });
});
