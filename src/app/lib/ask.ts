/** Asking a path as the world would: through the Service Worker where it can, else straight through the client. */
import { isAoPath, type HttpExchange, type OpenNode } from '../../client/index.ts';

export interface Asked {
  status: number;
  headers: [string, string][];
  body: Uint8Array;
  /** Who carried it. */
  via: 'service worker' | 'this page';
  took: number;
}

/** True where the browser's own `fetch` sends exactly what was typed, and the Service Worker will answer it. */
export function fetchCarries(exchange: HttpExchange, controlled: boolean, origin: string): boolean {
  if (!controlled) return false;
  if (exchange.body.length > 0 && (exchange.method === 'GET' || exchange.method === 'HEAD')) return false;
  try {
    const url = new URL(exchange.target, origin);
    return url.origin === origin && url.pathname + url.search === exchange.target && isAoPath(url.pathname);
  } catch {
    return false;
  }
}

export async function ask(node: OpenNode, exchange: HttpExchange, signal: AbortSignal): Promise<Asked> {
  const start = performance.now();
  if (!fetchCarries(exchange, Boolean(navigator.serviceWorker?.controller), location.origin)) {
    const answer = await node.request(exchange);
    signal.throwIfAborted();
    return { ...answer, via: 'this page', took: performance.now() - start };
  }
  const response = await fetch(exchange.target, {
    method: exchange.method,
    headers: exchange.headers,
    cache: 'no-store',
    signal,
    ...(exchange.body.length > 0 ? { body: exchange.body as Uint8Array<ArrayBuffer> } : {}),
  });
  const body = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    headers: [...response.headers],
    body,
    via: 'service worker',
    took: performance.now() - start,
  };
}
