import { expect, it } from 'vitest';
import { flatten, isBranch } from '../../../src/app/lib/tree-rows.ts';
import type { TreeNode } from '../../../src/client/index.ts';

const text = (key: string, path = key): TreeNode => ({ key, path, type: 'binary', text: 'x' });
const root: TreeNode = {
  key: '',
  path: '',
  type: 'message',
  size: 3,
  children: [
    text('a'),
    { key: 'b', path: 'b', type: 'message', size: 2 },
    { key: 'c', path: 'c', type: 'list', size: 1, children: [text('1', 'c/1')] },
  ],
};
const none = () => undefined;

it('shows what is open, and knows what is missing', () => {
  expect(flatten(root, new Set(), none).map((row) => row.node.path)).toEqual(['a', 'b', 'c']);
  const rows = flatten(root, new Set(['b', 'c']), none);
  expect(rows.map((row) => [row.node.path, row.level, row.missing])).toEqual([
    ['a', 1, false],
    ['b', 1, true],
    ['c', 1, false],
    ['c/1', 2, false],
  ]);
  expect(rows[1]).toMatchObject({ position: 2, of: 3 });
});

it('takes children that came later, says how many were left out, and why some did not come', () => {
  const some = flatten(root, new Set(['b']), () => [text('k', 'b/k')]);
  expect(some.map((row) => row.node.path)).toEqual(['a', 'b', 'b/k', 'c']);
  expect(some[2]!.cut).toBe(1);
  const failed = flatten(root, new Set(['b']), () => ({ code: 'gone', sentence: 'Gone.' }));
  expect(failed[1]!.problem).toEqual({ code: 'gone', sentence: 'Gone.' });
});

it('knows what can be opened', () => {
  expect(isBranch({ key: 'x', path: 'x', type: 'message', size: 0 })).toBe(false);
  expect(isBranch({ key: 'x', path: 'x', type: 'link', id: 'y' })).toBe(true);
  expect(isBranch(text('x'))).toBe(false);
});
