import { describe, expect, it } from 'vitest';
import { readCursor, readRange, writeCursor } from '../../../../src/node/legacynet/cursors.ts';

const range = (query: string) => readRange(new URLSearchParams(query));

describe('cursors of results', () => {
  it('are base64 of JSON, as the network writes them', () => {
    const text = writeCursor({ timestamp: 1718000001117, ordinate: 12, sort: 'ASC' });
    expect(JSON.parse(atob(text))).toEqual({ timestamp: 1718000001117, ordinate: '12', sort: 'ASC' });
    expect(readCursor(text)).toEqual({ timestamp: 1718000001117, ordinate: 12, sort: 'ASC' });
  });

  it('are read as the network writes them: with a cron, without a sort, as a bare timestamp', () => {
    const foreign = btoa(JSON.stringify({ timestamp: 5, ordinate: '3', cron: '1-10-minutes' }));
    expect(readCursor(foreign)).toEqual({ timestamp: 5, ordinate: 3 });
    expect(readCursor('1718000001117')).toEqual({ timestamp: 1718000001117 });
  });

  it('are refused when they are none', () => {
    for (const text of [
      'x',
      '-1',
      btoa('[]'),
      btoa('{"timestamp":"now"}'),
      btoa('{"timestamp":1,"ordinate":{}}'),
      '%',
    ])
      expect(() => readCursor(text), text).toThrow(
        expect.objectContaining({ code: 'bad-cursor', status: 400 }),
      );
  });
});

describe('the range of a page', () => {
  it('has the defaults of the network', () => {
    expect(range('')).toEqual({ sort: 'ASC', limit: 25 });
    expect(range('sort=DESC&limit=3')).toEqual({ sort: 'DESC', limit: 3 });
    expect(range('sort=desc').sort).toBe('DESC');
  });

  it('keeps within limits', () => {
    expect(range('limit=0').limit).toBe(1);
    expect(range('limit=-5').limit).toBe(1);
    expect(range('limit=100000').limit).toBe(1000);
  });

  it('goes on in the order of the cursor', () => {
    const from = writeCursor({ timestamp: 1, ordinate: 2, sort: 'DESC' });
    expect(range(`from=${encodeURIComponent(from)}&sort=ASC`)).toMatchObject({
      sort: 'DESC',
      from: { ordinate: 2 },
    });
  });

  it('is refused where it makes no sense', () => {
    for (const query of ['sort=up', 'limit=many', 'from=nothing', 'to=nothing'])
      expect(() => range(query), query).toThrow(expect.objectContaining({ status: 400 }));
  });
});
