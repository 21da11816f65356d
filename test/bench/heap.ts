/** What the workers of a page hold on their JavaScript heaps, by the browser's own count. */
import type { CDPSession, Page } from 'playwright';

interface Answer {
  readonly id?: number;
  readonly result?: { readonly usedSize?: number };
}

/** Answers a function that collects garbage and counts the bytes of all workers that live then. */
export async function workerHeaps(page: Page): Promise<() => Promise<number>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const workers = new Set<string>();
  const waiting = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  session.on('Target.attachedToTarget', ({ sessionId }) => void workers.add(sessionId));
  session.on('Target.detachedFromTarget', ({ sessionId }) => void workers.delete(sessionId));
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const answer = JSON.parse(message) as Answer;
    waiting.get(answer.id ?? -1)?.(answer);
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  const call = async (sessionId: string, method: string): Promise<Answer> => {
    const id = ++calls;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
    return answered.finally(() => waiting.delete(id));
  };
  return async () => {
    let sum = 0;
    for (const worker of workers) {
      await call(worker, 'HeapProfiler.collectGarbage');
      sum += (await call(worker, 'Runtime.getHeapUsage')).result?.usedSize ?? 0;
    }
    return sum;
  };
}
