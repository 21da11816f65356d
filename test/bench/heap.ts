/** What the workers of a page, and workers that those started, hold on their JavaScript heaps, by the browser's own count. */
import type { CDPSession, Page } from 'playwright';

/** An answer or an event. */
interface Said {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly message: string };
  readonly result?: { readonly usedSize?: number };
}

/** Milliseconds for an answer: a worker that ends right now gives none. */
const PATIENCE = 10_000;
const FOLLOW = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };

/** Answers a function that collects garbage and counts the bytes of all workers that live then. */
export async function workerHeaps(page: Page): Promise<() => Promise<number>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  /** Each by the sessions that lead to it: a worker is spoken to through the one that started it. */
  const workers = new Map<string, readonly string[]>();
  const waiting = new Map<number, { readonly worker: string; readonly answer: (said: Said) => void }>();
  let calls = 0;
  const call = async (path: readonly string[], method: string, params: object = {}): Promise<Said> => {
    const id = ++calls;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const answered = new Promise<Said>((answer) => {
      waiting.set(id, { worker: path.join('/'), answer });
      timer = setTimeout(() => answer({}), PATIENCE);
    });
    let message = JSON.stringify({ id, method, params });
    for (const sessionId of path.slice(1).reverse())
      message = JSON.stringify({
        id: ++calls,
        method: 'Target.sendMessageToTarget',
        params: { sessionId, message },
      });
    try {
      await session.send('Target.sendMessageToTarget', { sessionId: path[0]!, message });
      return await answered;
    } catch {
      // Its worker is gone.
      return {};
    } finally {
      clearTimeout(timer);
      waiting.delete(id);
    }
  };
  const hear = (from: readonly string[], { id, method, params, result }: Said): void => {
    if (id !== undefined) waiting.get(id)?.answer(result ? { result } : {});
    if (!params) return;
    const path = [...from, params.sessionId];
    if (method === 'Target.detachedFromTarget') {
      const gone = path.join('/');
      workers.delete(gone);
      for (const { worker, answer } of waiting.values()) if (`${worker}/`.startsWith(`${gone}/`)) answer({});
    }
    if (method === 'Target.receivedMessageFromTarget') hear(path, JSON.parse(params.message) as Said);
    if (method !== 'Target.attachedToTarget') return;
    workers.set(path.join('/'), path);
    void call(path, 'Target.setAutoAttach', FOLLOW);
  };
  const names = [
    'Target.attachedToTarget',
    'Target.detachedFromTarget',
    'Target.receivedMessageFromTarget',
  ] as const;
  for (const method of names)
    session.on(method, (params) =>
      hear([], { method, params: params as unknown as NonNullable<Said['params']> }),
    );
  await session.send('Target.setAutoAttach', FOLLOW);
  return async () => {
    let sum = 0;
    for (const [name, path] of [...workers]) {
      if (!workers.has(name)) continue;
      await call(path, 'HeapProfiler.collectGarbage');
      sum += (await call(path, 'Runtime.getHeapUsage')).result?.usedSize ?? 0;
    }
    return sum;
  };
}
