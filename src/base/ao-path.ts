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
