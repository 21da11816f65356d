/** Plain data (`message/plain.ts`) as JSON text and back, for files: what JSON lacks is written with one telling key. */
import { fromBase64, toBase64Url } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import type { Plain } from '../message/plain.ts';

/** Deepest nesting that is read. */
const MAX_DEPTH = 64;

type Json = string | number | Json[] | { [key: string]: Json };

export function plainToJson(plain: Plain): Json {
  if (typeof plain === 'string')
    return plain.isWellFormed() ? plain : { t: [...plain].map((c) => c.codePointAt(0)!) };
  if (typeof plain === 'number') return { f: String(plain) };
  if (typeof plain === 'bigint') return { i: plain.toString() };
  if (plain instanceof Uint8Array) return { b: toBase64Url(plain) };
  if (plain instanceof Map)
    return { m: [...plain].map(([key, value]) => [plainToJson(key), plainToJson(value)]) };
  if (Array.isArray(plain)) return plain.map(plainToJson);
  if ('atom' in plain) return { a: plain.atom };
  if ('link' in plain) return { l: plain.link, z: plain.lazy ? 1 : 0, y: plain.type ?? 'link' };
  throw new AoError('bad-plain', 'A value that is resolved when it is read cannot be written to a file.', {
    status: 500,
  });
}

/** @throws AoError `bad-file` (422) */
export function jsonToPlain(json: unknown, depth = 0): Plain {
  if (depth > MAX_DEPTH) throw bad('is nested too deeply');
  if (typeof json === 'string') return json;
  if (Array.isArray(json)) return json.map((item) => jsonToPlain(item, depth + 1));
  if (typeof json !== 'object' || json === null) throw bad('holds a value of no known form');
  const value = json as Record<string, unknown>;
  if (typeof value['f'] === 'string' && Number.isFinite(Number(value['f']))) return Number(value['f']);
  if (typeof value['i'] === 'string' && /^-?\d{1,4000}$/.test(value['i'])) return BigInt(value['i']);
  if (typeof value['b'] === 'string') return fromBase64(value['b']);
  if (typeof value['a'] === 'string') return { atom: value['a'] };
  if (typeof value['l'] === 'string') {
    const type = typeof value['y'] === 'string' && value['y'] !== 'link' ? { type: value['y'] } : {};
    return value['z'] === 1 ? { link: value['l'], lazy: true, ...type } : { link: value['l'], ...type };
  }
  if (Array.isArray(value['t'])) return fromPoints(value['t']);
  if (Array.isArray(value['m'])) {
    const entries = value['m'].map((pair: unknown): [string, Plain] => {
      if (!Array.isArray(pair) || pair.length !== 2) throw bad('holds a broken message');
      const key = jsonToPlain(pair[0], depth + 1);
      if (typeof key !== 'string') throw bad('holds a message with a key that is no text');
      return [key, jsonToPlain(pair[1], depth + 1)];
    });
    return new Map(entries);
  }
  throw bad('holds a value of no known form');
}

function fromPoints(points: readonly unknown[]): string {
  const good = points.every(
    (point) => Number.isInteger(point) && (point as number) >= 0 && (point as number) <= 0x10ffff,
  );
  if (!good) throw bad('holds text of no known form');
  let text = '';
  // As arguments they would be too many at once.
  for (const point of points) text += String.fromCodePoint(point as number);
  return text;
}

function bad(what: string): AoError {
  return new AoError('bad-file', `The file ${what}.`, { status: 422 });
}
