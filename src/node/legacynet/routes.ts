/**
 * The units of legacynet, each under a prefix of its own (process.md §5), so that one origin can be given to old clients:
 * `/~legacynet@1.0/su`, `/mu`, `/cu` and `/gateway`.
 */
import type { HttpRequest, HttpResponse } from '../../resolver/context.ts';
import type { NodeContext } from '../../resolver/node-context.ts';
import { computeUnit } from './compute-unit.ts';
import { gatewayUnit } from './gateway-unit.ts';
import { messengerUnit } from './messenger-unit.ts';
import { schedulerUnit } from './scheduler-unit.ts';
import { notFound, refusal, toHttp, type UnitAnswer, type UnitRequest } from './unit-http.ts';
import { AoError } from '../../base/errors.ts';
import type { Context } from '../../resolver/context.ts';

const PREFIX = '/~legacynet@1.0/';
/** aoconnect puts a path behind a GATEWAY_URL that has one of its own without a slash between them. */
const GLUED = /^gatewaygraphql$/;
const MAX_BODY = 64 * 1024 * 1024;
const MAX_TARGET = 16_384;

const UNITS: Readonly<Record<string, (request: UnitRequest, context: Context) => Promise<UnitAnswer>>> = {
  su: schedulerUnit,
  mu: messengerUnit,
  cu: computeUnit,
  gateway: gatewayUnit,
};

/** True for a request that one of the units answers. */
export function isUnitRequest({ method, target }: HttpRequest): boolean {
  return method !== 'OPTIONS' && target.startsWith(PREFIX);
}

/** Never throws: what cannot be answered is `{error}` with its status. */
export async function answerUnit(request: HttpRequest, context: NodeContext): Promise<HttpResponse> {
  try {
    if (request.target.length > MAX_TARGET)
      throw new AoError('path-too-long', 'The path is too long.', { status: 414 });
    if (request.body.length > MAX_BODY)
      throw new AoError('body-too-large', `The body is larger than ${MAX_BODY} bytes.`, { status: 413 });
    const { unit, ...asked } = parse(request);
    const run = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (!run) throw notFound('The units are su, mu, cu and gateway.');
    const response = toHttp(await run(asked, context), request);
    return request.method === 'HEAD' ? { ...response, body: new Uint8Array(0) } : response;
  } catch (thrown) {
    const error = AoError.wrap(thrown);
    if (error.code === 'internal')
      context.report({ type: 'request-failed', target: request.target, error: error.message });
    return refusal(error, request);
  }
}

function parse(http: HttpRequest): UnitRequest & { unit: string } {
  const [path = '', ...rest] = http.target.slice(PREFIX.length).split('?');
  const [unit = '', ...segments] = path.replace(GLUED, 'gateway/graphql').split('/');
  let decoded: string[];
  try {
    decoded = segments.filter((part) => part !== '').map((part) => decodeURIComponent(part));
  } catch {
    throw new AoError('bad-path', 'The path is not encoded as it should be.');
  }
  return { unit, method: http.method, path: decoded, query: new URLSearchParams(rest.join('?')), http };
}
