import { describe, expect, it } from 'vitest';
import { AoError } from '../../../../src/base/errors.ts';
import { toBytes } from '../../../../src/base/bytes.ts';
import {
  idIn,
  isAssign,
  jsonBody,
  numberIn,
  refusal,
  toHttp,
} from '../../../../src/node/legacynet/unit-http.ts';
import type { HttpRequest } from '../../../../src/resolver/context.ts';

const ID = 'Sx3p-Bqo8x2w4l_0zQ1aVbN5cXdYfGhJkLmNoPqRsTu';
const request = (body = ''): HttpRequest => ({
  method: 'POST',
  target: '/',
  headers: [],
  body: toBytes(body),
});
const query = (text: string) => new URLSearchParams(text);
const refused = (code: string) => expect.objectContaining({ code, status: 400 });

describe('what units read', () => {
  it('IDs of 43 characters', () => {
    expect(idIn(query(`process-id=${ID}`), 'process-id')).toBe(ID);
    for (const text of [
      '',
      'process-id=',
      'process-id=short',
      `process-id=${ID}x`,
      `process-id=${ID.slice(1)}%2F`,
    ])
      expect(() => idIn(query(text), 'process-id'), text).toThrow(refused('bad-id'));
  });

  it('whole numbers', () => {
    expect([numberIn(query('a=12'), 'a'), numberIn(query('a=-1'), 'a')]).toEqual([12, -1]);
    expect([numberIn(query('a='), 'a'), numberIn(query(''), 'a')]).toEqual([undefined, undefined]);
    for (const text of ['a=1.5', 'a=x', 'a=1e3', 'a=1234567890123456'])
      expect(() => numberIn(query(text), 'a'), text).toThrow(refused('bad-number'));
  });

  it('assignments by both names or by none', () => {
    expect(isAssign(query(''))).toBe(false);
    expect(isAssign(query(`process-id=${ID}&assign=${ID}`))).toBe(true);
    for (const text of [`process-id=${ID}`, `assign=${ID}`])
      expect(() => isAssign(query(text)), text).toThrow(refused('bad-assign'));
  });

  it('objects of JSON', () => {
    expect(jsonBody(request('{"a":1}'))).toEqual({ a: 1 });
    for (const body of ['', '[]', '1', 'null', '{', '<html>'])
      expect(() => jsonBody(request(body)), body).toThrow(refused('bad-body'));
  });
});

describe('what units answer', () => {
  it('JSON, octets as they are, and to every origin', () => {
    const json = toHttp({ body: { a: 1 } }, request());
    expect(json.status).toBe(200);
    expect(json.headers).toContainEqual(['content-type', 'application/json']);
    expect(json.headers).toContainEqual(['access-control-allow-origin', '*']);
    const octets = toHttp({ body: new Uint8Array([1]) }, request());
    expect(octets.headers).toContainEqual(['content-type', 'application/octet-stream']);
    expect(octets.body).toEqual(new Uint8Array([1]));
  });

  it('refusals with status, sentence and code', () => {
    const answer = refusal(new AoError('not-found', 'It is not here.', { status: 404 }), request());
    expect(answer.status).toBe(404);
    expect(JSON.parse(new TextDecoder().decode(answer.body))).toEqual({
      error: 'It is not here.',
      code: 'not-found',
    });
  });
});
