/** Valid inputs, taken from the vector files: found by shape, wherever they stand. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64 } from '../../src/base/bytes.ts';
import { root } from '../setup/bundle.ts';
import type { Json } from '../conformance/family.ts';

const folder = join(root, 'test', 'vectors');
const encoder = new TextEncoder();
const documents = new Map<string, Json>();

/** The parsed vector files whose names begin so. */
export function vectors(...prefixes: string[]): Json[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && prefixes.some((prefix) => name.startsWith(prefix)))
    .map((name) => {
      let document = documents.get(name);
      if (document === undefined) {
        document = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json;
        documents.set(name, document);
      }
      return document;
    });
}

/** Every record anywhere in `json`. */
export function* records(json: Json): Generator<{ [key: string]: Json }> {
  if (typeof json !== 'object' || json === null) return;
  if (Array.isArray(json)) {
    for (const item of json) yield* records(item);
    return;
  }
  yield json;
  for (const item of Object.values(json)) yield* records(item);
}

/** Values of `key` anywhere in these files. */
export function valuesOf(key: string, ...prefixes: string[]): Json[] {
  return vectors(...prefixes)
    .flatMap((document) => [...records(document)])
    .flatMap((record) => (record[key] === undefined ? [] : [record[key]]));
}

/** Every text in the attestation vectors. */
export function snpVectors(): string[] {
  return [...texts(JSON.parse(readFileSync(join(folder, 'snp', 'synthetic.json'), 'utf8')) as Json)];
}

function* texts(json: Json): Generator<string> {
  if (typeof json === 'string') yield json;
  else if (typeof json === 'object' && json !== null)
    for (const item of Object.values(json)) yield* texts(item);
}

/** Small ones first, no doubles, no more than `limit`. */
export function few(inputs: Iterable<Uint8Array | string>, limit = 300): Uint8Array[] {
  const all = [...inputs].map((input) => (typeof input === 'string' ? encoder.encode(input) : input));
  const unique = new Map(all.map((input) => [Buffer.from(input).toString('latin1'), input]));
  return [...unique.values()].sort((a, b) => a.length - b.length).slice(0, limit);
}

export const isText = (json: Json): json is string => typeof json === 'string';

export const decode64 = (texts: readonly Json[]): Uint8Array[] =>
  texts.filter(isText).flatMap((text) => {
    try {
      return [fromBase64(text)];
    } catch {
      return [];
    }
  });

const CRLF = '\r\n';

/** Fields and body as one run of octets: `name: value` lines, an empty line, the body. */
export function writeForm(headers: { [key: string]: Json }, body: Uint8Array): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${text(value)}`);
  return Buffer.concat([Buffer.from(`${lines.join(CRLF)}${CRLF}${CRLF}`, 'utf8'), body]);
}

function text(value: Json): string {
  if (isText(value)) return value;
  const bytes = (value as { $bin?: string } | null)?.$bin;
  return bytes ? Buffer.from(bytes, 'base64url').toString('latin1') : '';
}

/** The reverse of `writeForm`, for any octets at all. */
export function readForm(input: Uint8Array): { headers: [string, string][]; body: Uint8Array } {
  const all = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  const end = all.indexOf(CRLF + CRLF);
  const head = end < 0 ? all : all.subarray(0, end);
  const headers = head
    .toString('utf8')
    .split(CRLF)
    .map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 2)];
    });
  return { headers, body: end < 0 ? new Uint8Array(0) : Uint8Array.from(all.subarray(end + 4)) };
}
