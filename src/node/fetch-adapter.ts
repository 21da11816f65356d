/**
 * A browser's `Request` and `Response` ⇄ the node's own HTTP types (resolver.md §7.9).
 *
 * What a browser's types cannot hold is changed here and nowhere else: statuses outside 200–599, bodies where there may
 * be none, header values with control characters, cookies. What a node serves was made by strangers, so every response
 * is put into a sandbox of its own and can do nothing in the name of the app's origin (ARCHITECTURE.md, security).
 */
import { bytesToLatin1, fromBytes, latin1ToBytes, toBytes, utf8 } from '../base/bytes.ts';
import { bodyInit, MAX_BODY, requestBody } from '../protocol/body.ts';
import type { HttpRequest, HttpResponse } from '../resolver/context.ts';

/**
 * The request with its path and query as they were typed: nothing is encoded anew. A body of more than `limit` bytes is
 * not read further than that.
 * @throws AoError `body-too-large` (413)
 */
export async function fromFetchRequest(request: Request, limit = MAX_BODY): Promise<HttpRequest> {
  const bodyless = request.method === 'GET' || request.method === 'HEAD';
  return {
    method: request.method,
    target: targetOf(request.url),
    headers: [...request.headers].map(([name, value]) => [name, fromBytes(latin1ToBytes(value))] as const),
    body: bodyless ? new Uint8Array(0) : await requestBody(request, limit),
  };
}

/** Path and query of a URL, as text. */
export function targetOf(url: string): string {
  const rest = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Scripts of a served page run, in an origin that nobody else has: no storage, no Service Worker, no cookies, no reading
 * of what other pages got. `allow-same-origin` must never be among these.
 */
const SANDBOX = 'sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads';

/** Headers by which a response could reach beyond itself, or that only a real server may send. */
const DROPPED =
  /^(?:clear-site-data|connection|content-length|keep-alive|link|nel|origin-agent-cluster|refresh|report-to|reporting-endpoints|service-worker-allowed|set-cookie2?|speculation-rules|sourcemap|strict-transport-security|transfer-encoding|upgrade|x-content-type-options|x-sourcemap|content-security-policy-report-only)$/;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const EMPTY_STATUSES = new Set([204, 205, 304]);

/** The response for a page. `method` is the request's: HEAD has no body. */
export function toFetchResponse(answer: HttpResponse, request: { method: string }): Response {
  const status = answer.status >= 200 && answer.status <= 599 ? answer.status : 500;
  const headers = new Headers();
  const cookies: string[] = [];
  for (const [name, value] of answer.headers) {
    const lower = name.toLowerCase();
    if (lower === 'set-cookie') cookies.push(value);
    if (!NAME.test(name) || DROPPED.test(lower)) continue;
    const text = headerText(value);
    if (text !== undefined) headers.append(name, text);
  }
  // A synthetic response cannot set a cookie: scripts that want to know of it are told.
  for (const cookie of cookies) headers.append('x-ao-set-cookie', headerText(cookie) ?? '');
  const bodyless = request.method === 'HEAD' || EMPTY_STATUSES.has(status);
  secure(headers, answer.body);
  return new Response(bodyless ? null : bodyInit(answer.body), { status, headers });
}

/** One character per byte; a value that no header may have is left out (it is in the body too, where that matters). */
function headerText(value: string): string | undefined {
  const text = bytesToLatin1(toBytes(value));
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return undefined;
  }
  return text;
}

function secure(headers: Headers, body: Uint8Array): void {
  // Several policies all hold: what the content asks for itself can only narrow this one.
  headers.append('content-security-policy', SANDBOX);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('referrer-policy', 'no-referrer');
  if (!headers.has('content-type') && body.length > 0)
    headers.set(
      'content-type',
      utf8(body.subarray(0, 65_536)) === undefined ? 'application/octet-stream' : 'text/plain; charset=utf-8',
    );
}
