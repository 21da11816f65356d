/** A page that uses the node as a dApp does: `openNode()`, and `fetch` through the Service Worker of the built app. */
import { openNode } from '../../src/client/index.ts';

declare global {
  interface Window {
    /** Opens the node, waits for the Service Worker, makes a process of the shipped counter; answers its ID. */
    prepare(): Promise<string>;
    /** Milliseconds of each `fetch` of `subject` and of `baseline`, in turn. */
    timeFetches(
      subject: string,
      baseline: string,
      rounds: number,
    ): Promise<{ subject: number[]; baseline: number[] }>;
  }
}

window.prepare = async () => {
  const node = await openNode();
  if (!(await node.controlled)) throw new Error('The Service Worker does not control the page.');
  const { id } = await node.spawn({ module: { type: 'sample', name: 'counter' } });
  await node.send(id, { action: 'Inc' });
  return id;
};

window.timeFetches = async (subject, baseline, rounds) => {
  const times = { subject: [] as number[], baseline: [] as number[] };
  const once = async (path: string) => {
    const started = performance.now();
    const answer = await fetch(path);
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}.`);
    return performance.now() - started;
  };
  for (let round = -10; round < rounds; round++) {
    const pair = { subject: await once(subject), baseline: await once(baseline) };
    if (round < 0) continue;
    times.subject.push(pair.subject);
    times.baseline.push(pair.baseline);
  }
  return times;
};
