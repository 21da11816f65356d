/** Asking another node, redirects followed where the transport hands them over instead of following them itself. */
import { AoError } from '../base/errors.ts';
import type { Context, HttpRequest, HttpResponse } from '../resolver/context.ts';

export interface ExchangeOptions {
  /** `scheduler`, `gateway` …: what it is called in a refusal (default `scheduler`). */
  readonly who?: string;
  readonly timeout?: number;
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/** Nodes that one request is passed on to. */
const MAX_HOPS = 5;

/**
 * One exchange. 307 and 308 pass the request on as it is, 301, 302 and 303 pass on what only reads.
 * @throws AoError `redirect-circle` (502), `bad-redirect` (502), those of the transport
 */
export async function exchange(
  request: HttpRequest,
  context: Context,
  { who = 'scheduler', ...options }: ExchangeOptions = {},
): Promise<HttpResponse> {
  const seen = new Set<string>();
  for (let { target } = request; ;) {
    if (seen.has(target) || seen.size >= MAX_HOPS)
      throw new AoError('redirect-circle', `The ${who} redirects in a circle.`, {
        status: 502,
        detail: { url: request.target, hops: [...seen] },
      });
    seen.add(target);
    const response = await context.http.request({ ...request, target }, options);
    const location = response.headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
    const reads = request.method === 'GET' && [301, 302, 303].includes(response.status);
    if (location === undefined || !(reads || response.status === 307 || response.status === 308))
      return response;
    target = onward(location, target, who);
  }
}

function onward(location: string, from: string, who: string): string {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch (cause) {
    throw new AoError('bad-redirect', `The ${who} redirects to something that is no address.`, {
      status: 502,
      detail: { from, location: location.slice(0, 200) },
      cause,
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new AoError('bad-redirect', `The ${who} redirects to something that is not the web.`, {
      status: 502,
      detail: { from, location: location.slice(0, 200) },
    });
  return url.href;
}
