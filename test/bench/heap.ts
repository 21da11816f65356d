/** What the workers of a page, and workers that those started, hold on their JavaScript heaps, by the browser's own count. */
import type { CDPSession, Page } from 'playwright';

/** An answer or an event. */
interface Said {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly message: string };
  readonly result?: { readonly usedSize?: number };
}

const FOLLOW = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };

/** Answers a function that collects garbage and counts the bytes of all workers that live then. */
export async function workerHeaps(page: Page): Promise<() => Promise<number>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  /** Each by the sessions that lead to it: a worker is spoken to through the one that started it. */
  const workers = new Map<string, readonly string[]>();
  const waiting = new Map<number, (said: Said) => void>();
  let calls = 0;
  const call = async (path: readonly string[], method: string, params: object = {}): Promise<Said> => {
    const id = ++calls;
    const answered = new Promise<Said>((resolve) => waiting.set(id, resolve));
    let message = JSON.stringify({ id, method, params });
    for (const sessionId of path.slice(1).reverse())
      message = JSON.stringify({
        id: ++calls,
        method: 'Target.sendMessageToTarget',
        params: { sessionId, message },
      });
    await session.send('Target.sendMessageToTarget', { sessionId: path[0]!, message });
    return answered.finally(() => waiting.delete(id));
  };
  const hear = (from: readonly string[], { id, method, params, result }: Said): void => {
    if (id !== undefined) waiting.get(id)?.(result ? { result } : {});
    if (!params) return;
    const path = [...from, params.sessionId];
    if (method === 'Target.detachedFromTarget') workers.delete(path.join('/'));
    if (method === 'Target.receivedMessageFromTarget') hear(path, JSON.parse(params.message) as Said);
    if (method !== 'Target.attachedToTarget') return;
    workers.set(path.join('/'), path);
    void call(path, 'Target.setAutoAttach', FOLLOW).catch(() => undefined);
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
    for (const path of [...workers.values()]) {
      await call(path, 'HeapProfiler.collectGarbage');
      sum += (await call(path, 'Runtime.getHeapUsage')).result?.usedSize ?? 0;
    }
    return sum;
  };
}
