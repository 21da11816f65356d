/** `due.json`: the families, and categories of a family, that must pass already. Once due, always due. */
import { readFileSync } from 'node:fs';
import type { Json } from './family.ts';

interface Due {
  readonly family: string;
  /** Path into the case's data that tells its category; default `category`. */
  readonly by?: string;
  /** Absent: the whole family is due. */
  readonly categories?: readonly string[];
}

const due = JSON.parse(readFileSync(new URL('./due.json', import.meta.url), 'utf8')) as Due[];

/** True if this case must pass already. */
export function isDue(family: string, data: Json): boolean {
  return due.some(
    (entry) =>
      entry.family === family &&
      (!entry.categories || entry.categories.includes(String(at(data, entry.by ?? 'category')))),
  );
}

function at(data: Json, path: string): Json | undefined {
  let value: Json | undefined = data;
  for (const key of path.split('.'))
    value = typeof value === 'object' && value !== null && !Array.isArray(value) ? value[key] : undefined;
  return value;
}
