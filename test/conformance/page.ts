/** The runner's page: keeps some workers busy with the plan and replaces one that hangs. */
import { CASE_TIMEOUT, type LaneMessage, type Outcome, type PlannedCase } from './plan.ts';

declare global {
  interface Window {
    /** Given by the runner: one outcome at a time, as they come. */
    reportOutcome(outcome: Outcome): Promise<void>;
    /** Called by the runner; answers when every case has been reported. */
    runPlan(plan: PlannedCase[], lanes: number): Promise<void>;
  }
}

/** Time beyond a case's own for loading the family and for messages to arrive. */
const GRACE = 10_000;

class Lane {
  #worker: Worker | undefined;

  #start(): Worker {
    return new Worker(new URL('./lane.ts', import.meta.url), { type: 'module' });
  }

  stop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  run(planned: PlannedCase): Promise<Outcome> {
    const worker = (this.#worker ??= this.#start());
    const started = performance.now();
    return new Promise((resolve) => {
      const finish = (outcome: Outcome): void => {
        clearTimeout(timer);
        worker.onmessage = worker.onerror = null;
        resolve(outcome);
      };
      const fail = (expected: string, got: string): void => {
        this.stop();
        finish({ id: planned.id, ok: false, expected, got, took: performance.now() - started });
      };
      const expire = (limit: number): void => fail(`an end within ${limit} ms`, 'no end: stopped');
      let timer = setTimeout(expire, CASE_TIMEOUT + GRACE, CASE_TIMEOUT);
      worker.onmessage = ({ data }: MessageEvent<LaneMessage>) => {
        if (data.type === 'begin') {
          clearTimeout(timer);
          timer = setTimeout(expire, data.timeout + GRACE, data.timeout);
        } else if (data.type === 'end' && data.outcome.id === planned.id) finish(data.outcome);
      };
      worker.onerror = (event) => fail('a worker that runs', event.message || 'the worker failed to start');
      worker.postMessage(planned);
    });
  }
}

window.runPlan = async (plan, lanes) => {
  const queue = [...plan];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      const lane = new Lane();
      for (let next = queue.shift(); next; next = queue.shift())
        await window.reportOutcome(await lane.run(next));
      lane.stop();
    }),
  );
};
