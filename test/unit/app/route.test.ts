import { expect, it } from 'vitest';
import { parseRoute, toHash } from '../../../src/app/lib/route.ts';

const ID = 'xU9zFkq3X2ZQ6olwNVvr1vUWIjc3kXTWr7xKQD6dh10';

it('reads and writes every address the same way', () => {
  for (const hash of [
    '#/',
    '#/new',
    `#/process/${ID}/prompt`,
    `#/process/${ID}/state?at=3&with=1`,
    `#/path/${ID}~process@1.0/now/balances/alice?slot=1&x=%20y`,
    '#/path',
    `#/message/${ID}`,
    '#/nodes',
    '#/storage',
    '#/verify?url=https%3A%2F%2Fnode.example%2Fx',
  ])
    expect(toHash(parseRoute(hash))).toBe(hash);
});

it('opens a process at its prompt and home for nothing', () => {
  expect(parseRoute(`#/process/${ID}`)).toEqual({ screen: 'process', id: ID, tab: 'prompt', query: {} });
  expect(parseRoute('')).toEqual({ screen: 'home', spawn: false });
});

it('says what it does not know', () => {
  for (const hash of ['#/nowhere', '#/process', `#/process/${ID}/nothing`, '#x'])
    expect(parseRoute(hash).screen, hash).toBe('lost');
});

it('keeps an AO target as it was typed', () => {
  const target = '/~meta@1.0/info?a=%2F&b+integer=1';
  expect(parseRoute(`#/path${target}`)).toEqual({ screen: 'path', target });
});
