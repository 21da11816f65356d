/**
 * What a family of vectors is: one file in `families/`, named after the family, whose default export knows what
 * must hold for a case. It runs in a dedicated worker in Chromium, through the code that ships.
 *
 * A case passes when `run` returns and fails when it throws. Throw by `check(…)`, by `expectValue(…)` of `value.ts`
 * or by anything else; the first difference is what the runner prints.
 */

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One entry of a vector file. `T` is the shape that the family knows its entries to have. */
export interface Case<T = Record<string, Json>> {
  readonly family: string;
  /** Its `name`, else its `id`, else `FILE#index`: for reports alone, never to decide anything by. */
  readonly name: string;
  /** File name, with `.json`. */
  readonly file: string;
  /** Key of the list that it stands in (`cases`, `mutations` …); empty where the file is one list. */
  readonly list: string;
  readonly data: T;
  /** The whole file, for what its cases share (pins, certificates, policies). Parsed once: do not change it. */
  readonly document: Json;
}

/** What a case may ask for beside its own data. */
export interface Environment {
  /**
   * The file with this SHA-256 (hexadecimal or base64url), from `--modules` or the project's cache.
   * Where it is in neither, the case ends here and counts as skipped: do not catch what this throws.
   */
  module(sha256: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Bytes of a file of the family's folder, by its path in there (`reports/x.hex`). A missing file fails the case. */
  sibling(path: string): Promise<Uint8Array<ArrayBuffer>>;
  siblingText(path: string): Promise<string>;
  siblingJson<T = Json>(path: string): Promise<T>;
}

export interface Family<T = Record<string, Json>> {
  /** As its file is named, and as the vector files are. */
  readonly family: string;
  /** Milliseconds that one case may take before its worker is stopped; default 120,000. */
  readonly timeout?: number;
  run(testCase: Case<T>, env: Environment): Promise<void> | void;
}

/** Gives a family module its types: `export default defineFamily<MyCase>({ family: 'paths', run })`. */
export function defineFamily<T = Record<string, Json>>(family: Family<T>): Family<T> {
  return family;
}

/** What was expected and what was got instead, for a reader. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';
  readonly expected: string;
  readonly got: string;

  /** `where` names the part of the case that differs (`slots/3/results`); strings stand as they are, all else as JSON. */
  constructor(expected: unknown, got: unknown, where = '') {
    const label = where ? `[${where}] ` : '';
    const texts = [show(expected), show(got)] as const;
    super(`${label}expected ${texts[0]} got ${texts[1]}`);
    this.expected = label + texts[0];
    this.got = label + texts[1];
  }
}

/** Thrown by `Environment.module`: the one reason to skip. */
export class MissingModule extends Error {
  override readonly name = 'MissingModule';
}

/** Throws a `Mismatch` unless the two are the same by `Object.is`. */
export function check(expected: unknown, got: unknown, where = ''): void {
  if (!Object.is(expected, got)) throw new Mismatch(expected, got, where);
}

/** Throws a `Mismatch` unless the two are the same JSON: objects as maps, lists in order. */
export function checkJson(expected: unknown, got: unknown, where = ''): void {
  const found = jsonDifference(expected, got, where);
  if (found) throw found;
}

/** Throws a `Mismatch` unless the two are the same octets. */
export function checkBytes(expected: Uint8Array, got: Uint8Array, where = ''): void {
  const length = Math.max(expected.length, got.length);
  for (let at = 0; at < length; at++)
    if (expected[at] !== got[at])
      throw new Mismatch(window(expected, at), window(got, at), `${where} byte ${at}`.trim());
}

/** Runs `act` and throws a `Mismatch` unless it is refused with a typed error (`AoError`). Answers that error. */
export async function checkRefused(act: () => unknown, where = ''): Promise<Error> {
  let answer: unknown;
  try {
    answer = await act();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'AoError') return thrown;
    throw new Mismatch('a typed refusal', thrown, where);
  }
  throw new Mismatch('a typed refusal', answer, where);
}

function window(bytes: Uint8Array, at: number): string {
  const part = bytes.subarray(Math.max(0, at - 12), at + 36);
  const text = String.fromCharCode(...part);
  return `${JSON.stringify(text)} (of ${bytes.length} bytes)`;
}

function jsonDifference(expected: unknown, got: unknown, where: string): Mismatch | undefined {
  if (Object.is(expected, got)) return undefined;
  if (Array.isArray(expected) && Array.isArray(got)) {
    for (let i = 0; i < Math.max(expected.length, got.length); i++) {
      if (i >= expected.length || i >= got.length)
        return new Mismatch(`${expected.length} entries`, `${got.length} entries`, where);
      const found = jsonDifference(expected[i], got[i], `${where}/${i}`);
      if (found) return found;
    }
    return undefined;
  }
  if (isRecord(expected) && isRecord(got)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(got)])) {
      const inner = `${where}/${key}`;
      if (!Object.hasOwn(expected, key)) return new Mismatch('no such key', got[key], inner);
      if (!Object.hasOwn(got, key)) return new Mismatch(expected[key], 'no such key', inner);
      const found = jsonDifference(expected[key], got[key], inner);
      if (found) return found;
    }
    return undefined;
  }
  return new Mismatch(expected, got, where);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text for a report; never throws, and never longer than a reader wants. */
export function show(value: unknown): string {
  if (typeof value === 'string') return value.length > 2000 ? `${value.slice(0, 2000)}…` : value;
  if (value instanceof Error) {
    const code = (value as { code?: unknown }).code;
    return `${value.name}${typeof code === 'string' ? ` ${code}` : ''}: ${value.message}`;
  }
  if (value instanceof Uint8Array) return `${value.length} bytes ${window(value, 12)}`;
  try {
    const text = JSON.stringify(value, (_, inner: unknown) =>
      typeof inner === 'bigint' ? `${inner}n` : inner instanceof Uint8Array ? show(inner) : inner,
    );
    return text === undefined ? String(value) : show(text);
  } catch {
    return String(value);
  }
}
