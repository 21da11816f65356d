/** The runner has to notice any false expectation: every recorded field of some cases of each family, falsified in turn. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { hashesReady } from '../../../src/crypto/hash.ts';
import type { Case, Environment, Family, Json } from '../../conformance/family.ts';

/** Families of the message layer and what their cases expect; `by`: one case of each is taken. */
const FAMILIES: { family: string; by: (data: Record<string, Json>) => string; fields: string[] }[] = [
  {
    family: 'codec',
    by: (data) => (Object.hasOwn(data, 'decoded') ? 'loses' : 'whole'),
    fields: ['id', 'message', 'tabm', 'flat', 'json', 'httpsig', 'httpsig-linked', 'ans104-unsigned'],
  },
  {
    family: 'commit-httpsig',
    by: () => '',
    fields: [
      'message',
      'device',
      'committed',
      'verify',
      'id-all',
      'id-none',
      'signers',
      'committed-keys',
      'wire',
      'json',
    ],
  },
  {
    family: 'commit-hmac',
    by: () => '',
    fields: [
      'message',
      'device',
      'committed',
      'verify',
      'id-all',
      'id-none',
      'signers',
      'committed-keys',
      'wire',
      'json',
    ],
  },
  {
    family: 'commit-ans104',
    by: () => '',
    fields: [
      'message',
      'device',
      'committed',
      'verify',
      'id-all',
      'id-none',
      'signers',
      'committed-keys',
      'json',
    ],
  },
  { family: 'tamper', by: () => '', fields: ['committed', 'device', 'tampered-key', 'verify'] },
  { family: 'paths', by: ({ request }) => Object.keys(request as object).join(), fields: ['messages'] },
  {
    family: 'ans104-items',
    by: ({ kind, by, again }) => `${String(kind)} ${String(by)} ${typeof again}`,
    fields: [
      'item-id',
      'item-unsigned-id',
      'item-verify',
      'message',
      'committed-all',
      'committed-every',
      'id-none',
      'id-all',
      'committers',
      'verify-all',
      'again',
      'kind',
    ],
  },
  {
    family: 'commit-multi',
    by: ({ kind }) => String(kind),
    fields: ['checks', 'commitments-kept', 'json', 'summary', 'with-only-committed'],
  },
  {
    family: 'hashpath',
    by: ({ algorithm }) => String(algorithm),
    fields: ['base', 'base-id', 'base-unsigned-id', 'base-hashpath', 'steps', 'hashpaths'],
  },
  {
    family: 'signed-node',
    by: ({ kind, verdict }) => `${String(kind)} ${String(verdict)}`,
    fields: ['verdict'],
  },
];

/** What a request says is no expectation, the wording of a refusal is free, and `as` and `resolve` are names of tuples. */
const FREE = /\/\$error$|\/request\/|\/\$tuple\/0\/|\/commitments\/.*\/committed\//;

function* leaves(json: Json, path: string[]): Generator<string[]> {
  if (typeof json !== 'object' || json === null) yield path;
  else for (const [key, item] of Object.entries(json)) yield* leaves(item, [...path, key]);
}

function falsified(data: Record<string, Json>, path: readonly string[]): Record<string, Json> {
  const copy = structuredClone(data);
  const last = path.at(-1)!;
  let at = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, Json>;
  at[last] = otherThan(at[last]!, last);
  return copy;
}

function otherThan(value: Json, key: string): Json {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (typeof value !== 'string') return 'something else';
  if (key === '$int') return String(BigInt(value) + 1n);
  if (key === '$float') return value.startsWith('-') ? value.slice(1) : `-${value}`;
  if (key === '$atom') return value === 'true' ? 'false' : 'true';
  if (value === 'valid' || value === 'invalid') return value === 'valid' ? 'invalid' : 'valid';
  const middle = value.length >> 1;
  const letter = value[middle] === 'Q' ? 'R' : 'Q';
  return value.slice(0, middle) + letter + value.slice(middle + 1);
}

const environment = {} as Environment;

beforeAll(hashesReady);

describe.each(FAMILIES)('$family', ({ family: name, by, fields }) => {
  it('notices each expectation that is false, and nothing else', async () => {
    const path = join('test', 'vectors', `${name}.json`);
    const document = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Json>[];
    const { default: family } = (await import(`../../conformance/families/${name}.ts`)) as {
      default: Family;
    };
    const run = async (data: Record<string, Json>) => {
      const testCase: Case = { family: name, name, file: path, list: '', data, document };
      await family.run(testCase, environment);
    };
    const small = new Map<string, Record<string, Json>>();
    for (const data of [...document].sort((a, b) => JSON.stringify(a).length - JSON.stringify(b).length))
      if (!('limit' in data || 'insecure' in data) && !small.has(by(data))) small.set(by(data), data);
    for (const data of small.values()) {
      await run(structuredClone(data));
      const unnoticed: string[] = [];
      for (const field of fields)
        for (const leaf of field in data ? leaves(data[field]!, [field]) : []) {
          if (FREE.test(leaf.join('/'))) continue;
          await run(falsified(data, leaf)).then(
            () => unnoticed.push(leaf.join('/')),
            () => undefined,
          );
        }
      expect(unnoticed, JSON.stringify(data).slice(0, 200)).toEqual([]);
    }
  }, 120_000);
});
