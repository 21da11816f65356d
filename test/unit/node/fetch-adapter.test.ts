import { describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../../src/base/bytes.ts';
import { fromFetchRequest, targetOf, toFetchResponse } from '../../../src/node/fetch-adapter.ts';

const get = { method: 'GET' };
const answer = (headers: [string, string][], body = 'x', status = 200) => ({
  status,
  headers,
  body: toBytes(body),
});

describe('a browser request', () => {
  it('keeps path and query as they were typed', async () => {
    expect(targetOf('http://localhost:4173/a%20b/~c@1.0&k=%22x%22?q=a+b#part')).toBe(
      '/a%20b/~c@1.0&k=%22x%22?q=a+b',
    );
    expect(targetOf('https://host')).toBe('/');
    const request = new Request('http://localhost/(a/b)/c?x=1', {
      method: 'POST',
      body: 'hello',
      headers: { 'x-k': '\u00e9' },
    });
    const got = await fromFetchRequest(request);
    expect(got.target).toBe('/(a/b)/c?x=1');
    expect(fromBytes(got.body)).toBe('hello');
    // One octet that is no UTF-8 by itself.
    expect(got.headers.find(([name]) => name === 'x-k')?.[1]).toBe('\udce9');
  });

  it('is read no further than its limit', async () => {
    const post = (body: string) => new Request('http://localhost/~a@1.0', { method: 'POST', body });
    expect((await fromFetchRequest(post('hello'), 5)).body.length).toBe(5);
    await expect(fromFetchRequest(post('hello!'), 5)).rejects.toMatchObject({
      code: 'body-too-large',
      status: 413,
    });
  });
});

describe('a browser response', () => {
  it('is sandboxed and never sniffed, whatever the content says', () => {
    const response = toFetchResponse(
      answer([
        ['content-type', 'text/html'],
        ['content-security-policy', "default-src 'none'"],
        ['x-content-type-options', 'sniff'],
        ['clear-site-data', '"*"'],
        ['service-worker-allowed', '/'],
        ['refresh', '0;url=/'],
      ]),
      get,
    );
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain('sandbox allow-scripts');
    expect(policy).not.toContain('allow-same-origin');
    expect(policy).toContain("default-src 'none'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    for (const name of ['clear-site-data', 'service-worker-allowed', 'refresh'])
      expect(response.headers.has(name)).toBe(false);
  });

  it('leaves out what a header cannot hold and writes octets as they are', () => {
    const response = toFetchResponse(
      answer([
        ['a', 'line1\nline2'],
        ['b c', 'x'],
        ['k', 'é'],
        ['ok', 'yes'],
      ]),
      get,
    );
    expect(response.headers.has('a')).toBe(false);
    expect(response.headers.get('ok')).toBe('yes');
    expect(response.headers.get('k')).toBe('Ã©');
  });

  it('clamps statuses and drops bodies where there may be none', async () => {
    expect(toFetchResponse(answer([], 'x', 99), get).status).toBe(500);
    expect(toFetchResponse(answer([], 'x', 700), get).status).toBe(500);
    expect(toFetchResponse(answer([], 'x', 204), get).body).toBeNull();
    expect(toFetchResponse(answer([], 'x'), { method: 'HEAD' }).body).toBeNull();
    expect(await toFetchResponse(answer([], 'x', 418), get).text()).toBe('x');
  });

  it('tells scripts of cookies that cannot be set', () => {
    const response = toFetchResponse(answer([['set-cookie', 'a="1"']]), get);
    expect(response.headers.get('x-ao-set-cookie')).toBe('a="1"');
  });

  it('names text as text and the rest as bytes', () => {
    expect(toFetchResponse(answer([], 'text'), get).headers.get('content-type')).toBe(
      'text/plain; charset=utf-8',
    );
    const bytes = { status: 200, headers: [], body: Uint8Array.of(0xff, 0xfe) };
    expect(toFetchResponse(bytes, get).headers.get('content-type')).toBe('application/octet-stream');
  });
});
