import { describe, expect, it } from 'vitest';
import { parseAnsi, stripAnsi } from '../../../src/app/lib/ansi.ts';
import { pathPieces, shortPath, targetId, toTarget } from '../../../src/app/lib/aopath.ts';
import { diffStates } from '../../../src/app/lib/diff.ts';
import { failure } from '../../../src/app/lib/errors.ts';
import { ago, duration, plural, size } from '../../../src/app/lib/format.ts';
import { InputHistory, type TextStorage } from '../../../src/app/lib/history.ts';
import { isId, shortId, splitIds } from '../../../src/app/lib/ids.ts';
import { needsMore } from '../../../src/app/lib/lua-input.ts';
import type { TreeNode } from '../../../src/client/index.ts';

const ID = 'xU9zFkq3X2ZQ6olwNVvr1vUWIjc3kXTWr7xKQD6dh10';

describe('ids', () => {
  it('shortens in the middle and leaves short text alone', () => {
    expect(shortId(ID)).toBe('xU9z…dh10');
    expect(shortId('abcdefghi')).toBe('abcdefghi');
  });
  it('knows an ID by its 43 characters', () => {
    expect(isId(ID)).toBe(true);
    expect(isId(ID.slice(1))).toBe(false);
    expect(isId(ID.replace('U', '+'))).toBe(false);
  });
  it('finds IDs between other text, not inside longer runs', () => {
    expect(splitIds(`from ${ID}, to ${ID}x`)).toEqual([
      { text: 'from ', id: false },
      { text: ID, id: true },
      { text: `, to ${ID}x`, id: false },
    ]);
    expect(splitIds('')).toEqual([]);
  });
});

describe('format', () => {
  it('writes sizes in decimal units', () => {
    expect(size(0)).toBe('0 B');
    expect(size(999)).toBe('999 B');
    expect(size(1000)).toBe('1.0 KB');
    expect(size(412_300_000)).toBe('412 MB');
    expect(size(10_737_418_240)).toBe('10.7 GB');
  });
  it('writes durations', () => {
    expect(duration(0.42)).toBe('0.4 ms');
    expect(duration(38.4)).toBe('38 ms');
    expect(duration(1234)).toBe('1.2 s');
    expect(duration(125_000)).toBe('2 min 5 s');
    expect(duration(226 * 60_000)).toBe('3 h 46 min');
    expect(duration(5 * 86_400_000)).toBe('5 days');
  });
  it('writes relative times', () => {
    const now = 1_700_000_000_000;
    expect(ago(now - 2000, now)).toBe('just now');
    expect(ago(now - 40_000, now)).toBe('40 seconds ago');
    expect(ago(now - 3 * 60_000, now)).toBe('3 minutes ago');
    expect(ago(now - 86_400_000, now)).toBe('yesterday');
    expect(ago(now + 7_200_000, now)).toBe('in 2 hours');
  });
  it('counts with the right noun', () => {
    expect(plural(1, 'slot')).toBe('1 slot');
    expect(plural(12480, 'slot')).toBe('12,480 slots');
  });
});

describe('ansi', () => {
  it('turns SGR codes into runs', () => {
    expect(parseAnsi('\x1b[32mok\x1b[0m plain \x1b[1;31mbad')).toEqual([
      { text: 'ok', colour: 'green' },
      { text: ' plain ' },
      { text: 'bad', bold: true, colour: 'red' },
    ]);
  });
  it('knows the empty reset, bright colours and 256 colours', () => {
    expect(parseAnsi('\x1b[90mgray\x1b[m\x1b[38;5;12mblue\x1b[38;2;1;2;3mstill')).toEqual([
      { text: 'gray', colour: 'gray' },
      { text: 'bluestill', colour: 'blue' },
    ]);
  });
  it('drops every other escape and control character', () => {
    expect(stripAnsi('a\x1b[2Jb\x1b]0;title\x07c\x1b7d\x00e\rf\r\ng')).toBe('abcdef\r\ng');
    expect(stripAnsi('half \x1b[3')).not.toContain('\x1b');
  });
  it('keeps markup as text', () => {
    expect(parseAnsi('<img src=x onerror=alert(1)>')).toEqual([{ text: '<img src=x onerror=alert(1)>' }]);
  });
});

describe('paths', () => {
  it('makes a target of what people type', () => {
    expect(toTarget(' ~meta@1.0/info ')).toBe('/~meta@1.0/info');
    expect(toTarget('https://a.example/x?y', 'https://a.example')).toBe('/x?y');
    expect(toTarget('')).toBe('/');
  });
  it('splits and shortens for display', () => {
    expect(shortPath(`/${ID}~process@1.0/now/balances/alice?slot=1`)).toBe(
      '/xU9z…dh10~process@1.0/now/balances/alice?slot=1',
    );
    expect(pathPieces(`/${ID}~process@1.0/now`).map((piece) => piece.kind)).toEqual([
      'mark',
      'id',
      'device',
      'mark',
      'key',
    ]);
    expect(targetId(`/${ID}/x`)).toBe(ID);
    expect(targetId('/~meta@1.0')).toBeUndefined();
  });
});

describe('Lua input', () => {
  it('knows a finished input', () => {
    for (const source of [
      '1 + 1',
      'print("function(")',
      'if a then b() elseif c then d() end',
      '-- do',
      '#Inbox',
      'x = [[a]]',
    ])
      expect(needsMore(source), source).toBe(false);
  });
  it('knows one that goes on', () => {
    for (const source of [
      "Handlers.add('a', function(msg)",
      'x = {',
      'for i = 1, 2 do',
      'x = [==[ a ]]',
      '--[[ note',
    ])
      expect(needsMore(source), source).toBe(true);
  });
});

describe('input history', () => {
  const memory = (): TextStorage & { data: Map<string, string> } => {
    const data = new Map<string, string>();
    return {
      data,
      getItem: (key) => data.get(key) ?? null,
      setItem: (key, value) => void data.set(key, value),
    };
  };
  it('walks back and forth and keeps the draft', () => {
    const history = new InputHistory('p', memory());
    history.add('one');
    history.add('two');
    history.add('two');
    expect(history.previous('dra')).toBe('two');
    expect(history.previous('two')).toBe('one');
    expect(history.previous('one')).toBeUndefined();
    expect(history.next()).toBe('two');
    expect(history.next()).toBe('dra');
    expect(history.next()).toBeUndefined();
  });
  it('survives a reload, broken storage and a full one', () => {
    const storage = memory();
    new InputHistory('p', storage).add('kept');
    expect(new InputHistory('p', storage).entries).toEqual(['kept']);
    storage.data.set('beamlet:history:p', '{not json');
    expect(new InputHistory('p', storage).entries).toEqual([]);
    const full = {
      getItem: () => null,
      setItem: () => {
        throw new Error('quota');
      },
    };
    const history = new InputHistory('p', full);
    history.add('here');
    expect(history.previous('')).toBe('here');
  });
});

describe('failures', () => {
  it('reads the shape of a typed error', () => {
    expect(failure({ code: 'no-memory64', status: 501, message: 'No memory64' })).toEqual({
      code: 'no-memory64',
      status: 501,
      sentence: 'No memory64.',
    });
    expect(failure('odd')).toEqual({ code: 'unexpected', sentence: 'odd.' });
  });
});

describe('state difference', () => {
  type Plain = { [key: string]: string | Plain };
  const reader = (state: Plain) => {
    const read = (path: string): Promise<TreeNode> => {
      let at: string | Plain = state;
      for (const key of path.split('/').filter(Boolean)) at = (at as Plain)[key]!;
      const children = Object.entries(at as Plain).map(([key, value]): TreeNode => ({
        key,
        path: path ? `${path}/${key}` : key,
        ...(typeof value === 'string'
          ? { type: 'binary' as const, text: value }
          : { type: 'message' as const, id: JSON.stringify(value) }),
      }));
      return Promise.resolve({ key: '', type: 'message', path, children });
    };
    return read;
  };
  it('finds what was added, removed and changed', async () => {
    const { differences, complete } = await diffStates(
      reader({ a: '1', gone: 'x', deep: { same: 's', changes: '1' }, equal: { k: 'v' } }),
      reader({ a: '2', deep: { same: 's', changes: '2' }, equal: { k: 'v' }, fresh: 'y' }),
    );
    expect(complete).toBe(true);
    expect(differences.map(({ path, kind }) => [path, kind])).toEqual([
      ['a', 'changed'],
      ['gone', 'removed'],
      ['deep/changes', 'changed'],
      ['fresh', 'added'],
    ]);
  });
  it('ends at its limit and says so', async () => {
    const many = (value: string) =>
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, value]));
    const result = await diffStates(reader(many('a')), reader(many('b')), { limit: 5 });
    expect(result).toMatchObject({ complete: false });
    expect(result.differences).toHaveLength(5);
  });
});
