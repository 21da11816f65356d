/** What every unit of legacynet speaks (process.md §5): JSON over HTTP, open to all origins, refusals as `{error}`. */
import { fromBytes, toBytes } from '../../base/bytes.ts';
import { AoError } from '../../base/errors.ts';
import type { HttpRequest, HttpResponse } from '../../resolver/context.ts';
import { corsHeaders } from '../http/reply.ts';

/** A request to one unit: what comes after the unit's own prefix. */
export interface UnitRequest {
  readonly method: string;
  /** Segments of the path, decoded; none for the unit's root. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly http: HttpRequest;
}

export interface UnitAnswer {
  readonly status?: number;
  readonly headers?: readonly (readonly [string, string])[];
  /** Octets as they are, anything else as JSON. */
  readonly body: unknown;
}

export function toHttp(answer: UnitAnswer, request: HttpRequest): HttpResponse {
  const { status = 200, headers = [], body } = answer;
  const octets = body instanceof Uint8Array;
  const named = headers.some(([name]) => name === 'content-type');
  const type: [string, string][] = named
    ? []
    : [['content-type', octets ? 'application/octet-stream' : 'application/json']];
  return {
    status,
    headers: [...corsHeaders(request), ...type, ...headers],
    body: octets ? body : toBytes(JSON.stringify(body)),
  };
}

export function refusal(thrown: unknown, request: HttpRequest): HttpResponse {
  const { status, message, code } = AoError.wrap(thrown);
  return toHttp({ status, body: { error: message, code } }, request);
}

export function notFound(what: string): AoError {
  return new AoError('not-found', what, { status: 404 });
}

/** A process or message named in a query. @throws AoError `bad-id` (400) */
export function idIn(query: URLSearchParams, name: string): string {
  const id = query.get(name) ?? '';
  if (!/^[A-Za-z0-9_-]{43}$/.test(id))
    throw new AoError('bad-id', `The request needs ${name}, an ID of 43 characters.`);
  return id;
}

/** True where a foreign message is to be assigned, which takes both names. @throws AoError `bad-assign` (400) */
export function isAssign(query: URLSearchParams): boolean {
  const assign = query.has('assign');
  if (assign !== query.has('process-id'))
    throw new AoError(
      'bad-assign',
      'You must set both process-id and assign to send an assignment, not just one',
    );
  return assign;
}

/** A whole number in a query. @throws AoError `bad-number` (400) */
export function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new AoError('bad-number', `${name} is no whole number.`);
  return Number(text);
}

/** @throws AoError `bad-body` (400) */
export function jsonBody(request: HttpRequest): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(fromBytes(request.body));
  } catch {
    // Said below.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AoError('bad-body', 'The body is no JSON object.');
  return value as Record<string, unknown>;
}
