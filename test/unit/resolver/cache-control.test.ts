import { describe, expect, it } from 'vitest';
import { Message } from '../../../src/message/message.ts';
import { cacheSettings } from '../../../src/resolver/cache-control.ts';

const says = (text: string) => Message.of({ 'cache-control': text });

describe('cache settings (resolver.md §6.4)', () => {
  it('stores nothing and looks up by default', () => {
    expect(cacheSettings({})).toEqual({ store: false, lookup: true, onlyIfCached: false });
  });

  it('lets options outrank messages', () => {
    const options = ['always'];
    expect(cacheSettings({ options, request: says('no-store') })).toMatchObject({
      store: true,
      lookup: true,
    });
    expect(cacheSettings({ options: ['no-cache', 'no-store'], request: says('always') })).toMatchObject({
      store: false,
      lookup: false,
    });
  });

  it('lets the result outrank the request for storing alone', () => {
    expect(cacheSettings({ result: says('no-store'), request: says('always') })).toMatchObject({
      store: false,
      lookup: true,
    });
  });

  it('stores nothing where hashpaths are ignored', () => {
    expect(cacheSettings({ options: ['always'], hashpath: 'ignore' }).store).toBe(false);
  });

  it('splits lists', () => {
    expect(cacheSettings({ request: says('no-cache, only-if-cached') })).toMatchObject({
      lookup: false,
      onlyIfCached: true,
    });
  });
});
