/**
 * Structured-cloneable data as JSON text and back, for files: what JSON lacks is an object with the one key `$`. The
 * text of equal data is the same, as long as its maps and objects have their keys in one order.
 */
import { fromBase64, toBase64Url } from './bytes.ts';
import { AoError } from './errors.ts';

/** Deepest nesting that is read or written. */
const MAX_DEPTH = 512;

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** @throws AoError `bad-clone` (500) for what cannot be cloned, or is nested too deeply */
export function cloneToJson(value: unknown, depth = 0): Json {
  if (depth > MAX_DEPTH) throw bad('is nested too deeply');
  const inner = (item: unknown) => cloneToJson(item, depth + 1);
  if (value === undefined) return { $: 'u' };
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string')
    return value.isWellFormed()
      ? value
      : { $: 's', v: Array.from({ length: value.length }, (_, at) => value.charCodeAt(at)) };
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? value
      : { $: 'n', v: Object.is(value, -0) ? '-0' : String(value) };
  if (typeof value === 'bigint') return { $: 'i', v: value.toString() };
  if (value instanceof Uint8Array) return { $: 'b', v: toBase64Url(value) };
  if (Array.isArray(value)) return value.map(inner);
  const pairs = (entries: Iterable<readonly [unknown, unknown]>): Json[] =>
    [...entries].map(([key, item]) => [inner(key), inner(item)]);
  if (value instanceof Map) return { $: 'm', v: pairs(value) };
  if (typeof value === 'object') return { $: 'o', v: pairs(Object.entries(value)) };
  throw bad('holds what cannot be written');
}

/** @throws AoError `bad-clone` (422) */
export function jsonToClone(json: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw bad('is nested too deeply');
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => jsonToClone(item, depth + 1));
  const { $: kind, v } = json as { $?: unknown; v?: unknown };
  if (kind === 'u') return undefined;
  if (typeof v === 'string') {
    if (kind === 'i' && /^-?\d{1,40000}$/.test(v)) return BigInt(v);
    if (kind === 'n' && /^(NaN|-?Infinity|-0)$/.test(v)) return Number(v);
    if (kind === 'b') return fromBase64(v);
  }
  if (Array.isArray(v)) {
    if (kind === 's' && v.every((code) => Number.isInteger(code)))
      return v.map((code: unknown) => String.fromCharCode(code as number)).join('');
    if (kind === 'm' || kind === 'o') {
      const pairs = v.map((pair: unknown): [unknown, unknown] => {
        if (!Array.isArray(pair) || pair.length !== 2) throw bad('holds a broken record');
        return [jsonToClone(pair[0], depth + 1), jsonToClone(pair[1], depth + 1)];
      });
      if (kind === 'm') return new Map(pairs);
      return Object.fromEntries(pairs as [string, unknown][]);
    }
  }
  throw bad('holds a value of no known form');
}

function bad(what: string): AoError {
  return new AoError('bad-clone', `The data ${what}.`, { status: 422 });
}
