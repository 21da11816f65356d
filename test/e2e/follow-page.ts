/** A page with a node that follows a process, for tests that drive it from outside. */
import { openNode } from '../../src/client/index.ts';
import type { Followed } from '../../src/protocol/api.ts';

declare global {
  interface Window {
    /** Follows until the process has caught up; then how it stands. */
    follow(process: string, gateway: string, scheduler?: string): Promise<Followed>;
    /** What the unit routes of the page's node answer for a message. */
    resultOf(process: string, message: string): Promise<unknown>;
  }
}

const node = openNode({ serviceWorker: false, database: 'follow-page' });

window.follow = async (process, gateway, scheduler) =>
  (await node).follow(process, { gateway, ...(scheduler ? { scheduler } : {}) });

window.resultOf = async (process, message) => {
  const answer = await (
    await node
  ).request({
    method: 'GET',
    target: `/~legacynet@1.0/cu/result/${message}?process-id=${process}`,
    headers: [],
    body: new Uint8Array(0),
  });
  const text = new TextDecoder().decode(answer.body);
  if (answer.status !== 200) throw new Error(`${answer.status}: ${text}`);
  return JSON.parse(text) as unknown;
};
