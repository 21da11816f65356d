import { describe, expect, it } from 'vitest';
import { AoError } from '../../../src/base/errors.ts';
import { Message } from '../../../src/message/message.ts';
import { As, Atom, Subpath, type Value } from '../../../src/message/value.ts';
import { isId, parseSingleton, PATH_LIMITS, pathParts, pathText } from '../../../src/resolver/path.ts';

const ID = 'IYkkrqlZNW_J-4T-5eFApZOMRl5P4VjvrcOXWvIqB1Q';

/** A sequence in a form that is easy to read. */
function shown(value: Value): unknown {
  if (value instanceof As) return { as: value.device, message: shown(value.message) };
  if (value instanceof Subpath) return { sub: value.sequence.map(shown) };
  if (value instanceof Atom) return `:${value.name}`;
  if (value instanceof Message)
    return Object.fromEntries([...value].map(([key, item]) => [key, shown(item)]));
  return Array.isArray(value) ? value.map(shown) : value;
}
const parse = (path: string, more = {}) => parseSingleton(Message.of({ ...more, path })).map(shown);

describe('the path grammar (resolver.md §4.5)', () => {
  const cases: [string, unknown[]][] = [
    ['', []],
    ['/?x=1', []],
    ['//a//b/', [{}, { path: 'a' }, { path: 'b' }]],
    [
      '/a/b?x+integer=1&1.y=2&0.z=3&2.w=4&9.v=5',
      [
        { x: 1n, z: '3' },
        { path: 'a', x: 1n, y: '2' },
        { path: 'b', x: 1n, w: '4' },
      ],
    ],
    [`/${ID}/a?x=1`, [ID, { path: 'a', x: '1' }]],
    [
      `/${ID}~process@1.0/now?x=1`,
      [
        { as: 'process@1.0', message: { path: ID } },
        { path: 'now', x: '1' },
      ],
    ],
    [`/${ID}&k=v/a`, [{}, { k: 'v', path: ID }, { path: 'a' }]],
    ['/~meta@1.0/info', [{ as: 'meta@1.0', message: {} }, { path: 'info' }]],
    [
      '/x/~d@1.0&k=v/y?q=1',
      [
        { q: '1' },
        { path: 'x', q: '1' },
        { as: 'd@1.0', message: { k: 'v', q: '1' } },
        { path: 'y', q: '1' },
      ],
    ],
    ['/a&flag&k=v', [{}, { flag: ':true', k: 'v', path: 'a' }]],
    ['/a+integer=4/b', [{}, { a: 4n, path: 'a' }, { path: 'b' }]],
    ['/a+b', [{}, { path: 'a', 'a+b': ':true' }]],
    ['/a&k="v/1&2?3"/b', [{}, { k: 'v/1&2?3', path: 'a' }, { path: 'b' }]],
    ['/a&k+integer="7"', [{}, { k: 7n, path: 'a' }]],
    ['/a&k+list=1,2,"x"', [{}, { k: [1n, 2n, ':x'], path: 'a' }]],
    ['/a?a+list=1,2,\\"x\\"', [{ a: [1n, 2n, 'x'] }, { a: [1n, 2n, 'x'], path: 'a' }]],
    ['/a&k=(/x/y)/b', [{}, { k: { sub: [{}, { path: 'x' }, { path: 'y' }] }, path: 'a' }, { path: 'b' }]],
    ['/(~d@1.0/y)/b', [{ sub: [{ as: 'd@1.0', message: {} }, { path: 'y' }] }, { path: 'b' }]],
    ['/a/(x/y)&k=v/b', [{}, { path: 'a' }, { k: 'v', path: '(x/y)' }, { path: 'b' }]],
    ['/a?k=(/x/y)', [{ k: '(/x/y)' }, { k: '(/x/y)', path: 'a' }]],
    ['/a?k="v"', [{ k: '"v"' }, { k: '"v"', path: 'a' }]],
    ['/a?k=a%252Bb', [{ k: 'a+b' }, { k: 'a+b', path: 'a' }]],
    ['/a?k=a%2Bb', [{ k: 'a b' }, { k: 'a b', path: 'a' }]],
    [
      '/a?flag&k=1&k=2',
      [
        { flag: ':true', k: '2' },
        { flag: ':true', k: '2', path: 'a' },
      ],
    ],
    ['/a%2Fb/c', [{}, { path: 'a' }, { path: 'b' }, { path: 'c' }]],
    ['/a?b?c=d', [{ 'b?c': 'd' }, { 'b?c': 'd', path: 'a' }]],
    ['/a?x.y.z=1', [{ 'x.y.z': '1' }, { path: 'a', 'x.y.z': '1' }]],
    ['/a?path=b', [{ path: 'b' }, { path: 'a' }]],
    ['/a~d@1.0~e@1.0/b', [{ as: 'd@1.0~e@1.0', message: { path: 'a' } }, { path: 'b' }]],
    ['/a(b', [{}, { path: 'a(b' }]],
    ['/a)b/c', [{}, { path: 'a)b' }, { path: 'c' }]],
    ['/a"b/c', [{}, { path: 'a"b/c"' }]],
    ['/()', [{ sub: [] }]],
    ['/=v', [{}, { '': 'v', path: '' }]],
    ['/abcdefghijklmnopqrstuvwxyz012345/x', ['abcdefghijklmnopqrstuvwxyz012345', { path: 'x' }]],
    ['/(b?x=1)/c', [{ sub: [{ x: '1' }, { path: 'b', x: '1' }] }, { path: 'c' }]],
    ['/a&k=(b/c?1.x+integer=1)', [{}, { path: 'a', k: { sub: [{}, { path: 'b', x: 1n }, { path: 'c' }] } }]],
    ['/(a%252Fb)', [{ sub: [{}, { path: 'a' }, { path: 'b' }] }]],
    ['/a&k="(b)"', [{}, { path: 'a', k: { sub: [{}, { path: 'b' }] } }]],
    ['/(a)(b)', [{ sub: [{}, { path: 'a)(b' }] }]],
    ['/a?k+integer=2&k=1', [{ k: 2n }, { path: 'a', k: 2n }]],
    ['/a?k+integer=x&k=1', [{}, { path: 'a' }]],
    ['/a&k+integer=2&k=1', [{}, { path: 'a', k: '1' }]],
    ['/a&k+integer="?1"', [{}, { path: 'a', k: ':true' }]],
    ['/a%5', [{}, { path: 'a%5' }]],
    ['/%C3%A9?k=%E2%82%AC', [{ k: '€' }, { k: '€', path: 'é' }]],
  ];
  for (const [path, expected] of cases) it(path || '(empty)', () => expect(parse(path)).toEqual(expected));

  it('puts the query over the keys of the message', () => {
    expect(parse('/a?x=3', { x: '1', y: '2' })).toEqual([
      { x: '3', y: '2' },
      { path: 'a', x: '3', y: '2' },
    ]);
  });

  it('never lets private keys in', () => {
    expect(parse('/a?priv_x=1&private=2')).toEqual([{}, { path: 'a' }]);
  });

  const refused = [
    '/a?x.y=1',
    '/a?-1.x=1',
    '/a b/c',
    '/a&k+binary=x',
    '/a?k+integer',
    '/a&k+resolve=(/b)',
    '/a%zz',
    '/a?k=%25',
    '/%FF',
    '/a?=x',
    '/a?k=1&=x',
    '/a?k+Resolve=b',
    '/a&k+resolve="(b)"',
    `/${'a'.repeat(513)}`,
    `/${'('.repeat(100)}a${')'.repeat(100)}`,
    '/a'.repeat(PATH_LIMITS.steps + 1),
    `/a?${'x'.repeat(PATH_LIMITS.path)}`,
  ];
  for (const path of refused)
    it(`refuses ${path.slice(0, 24)}`, () => expect(() => parse(path)).toThrow(AoError));

  it('splits without the grammar where a path is plain', () => {
    expect(pathParts('a/b//c/')).toEqual(['a', 'b', 'c']);
    expect(pathParts('/')).toEqual([]);
    expect(pathParts('')).toBeUndefined();
    expect(pathText(['a/b', Atom.of('c'), 4n])).toBe('a/b/c/4');
  });

  it('tells IDs by their length alone', () => {
    for (const length of [32, 42, 43]) expect(isId('x'.repeat(length))).toBe(true);
    for (const length of [0, 31, 33, 44]) expect(isId('x'.repeat(length))).toBe(false);
    expect(isId('é'.repeat(16))).toBe(true);
  });
});
