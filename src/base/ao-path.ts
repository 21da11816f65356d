/**
 * Which URL paths belong to AO-Core and which to the app (ARCHITECTURE.md, threads).
 * One rule for the Service Worker, the client and the server that hands out the app.
 */

const ID = '[A-Za-z0-9_-]{43}';
const AO_PATH = new RegExp(`^/(?:~|\\(|${ID}(?:$|[/~&?(]))`);

/** `/~device…`, `/<43 characters>…` and `/(sub-path)…` are AO paths; everything else is the app's. */
export function isAoPath(path: string): boolean {
  return AO_PATH.test(path);
}

/** Headers that only clients of AO-Core send. */
const AO_HEADERS = ['codec-device', 'ao-types', 'signature-input'];

/**
 * Which requests belong to AO-Core: by their path, or, where a message is sent to a path that names no device and no
 * message (`POST /push`, `POST /schedule`), by what the request says of itself.
 */
export function isAoRequest(
  path: string,
  method: string,
  headers: { get(name: string): string | null },
): boolean {
  if (isAoPath(path)) return true;
  if (method === 'GET' || method === 'HEAD') return false;
  const type = headers.get('content-type') ?? '';
  return type.startsWith('application/ans104') || AO_HEADERS.some((name) => headers.get(name) !== null);
}
