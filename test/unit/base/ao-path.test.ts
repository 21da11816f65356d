import { describe, expect, it } from 'vitest';
import { isAoPath, isAoRequest } from '../../../src/base/ao-path.ts';

const ID = 'Sx3p-Bqo8x2w4l_0zQ1aVbN5cXdYfGhJkLmNoPqRsTu';

describe('AO paths', () => {
  it('are those of devices, messages and sub-paths', () => {
    for (const path of ['/~meta@1.0/info', `/${ID}`, `/${ID}~process@1.0/now`, `/${ID}/now`, '/(a/b)/c'])
      expect([path, isAoPath(path)]).toEqual([path, true]);
    for (const path of ['/', '/index.html', '/push', `/${ID}.js`, '/assets/index.js'])
      expect([path, isAoPath(path)]).toEqual([path, false]);
  });
});

describe('AO requests', () => {
  it('are also messages sent to a bare path, by what they carry', () => {
    const ans104 = new Headers({ 'content-type': 'application/ans104', 'codec-device': 'ans104@1.0' });
    const signed = new Headers({ 'signature-input': 'sig=("@path")' });
    expect(isAoRequest('/push', 'POST', ans104)).toBe(true);
    expect(isAoRequest('/schedule', 'POST', signed)).toBe(true);
    expect(isAoRequest(`/${ID}/now`, 'GET', new Headers())).toBe(true);
  });

  it('are not what the app asks its own server', () => {
    expect(isAoRequest('/api/login', 'POST', new Headers({ 'content-type': 'application/json' }))).toBe(
      false,
    );
    expect(isAoRequest('/index.html', 'GET', new Headers({ 'codec-device': 'x' }))).toBe(false);
  });
});
