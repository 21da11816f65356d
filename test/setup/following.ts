/** Following on a legacynet in memory: a node that knows it, and waiting for what becomes of a process. */
import { afterEach, beforeAll } from 'vitest';
import { Message } from '../../src/message/message.ts';
import { Followings } from '../../src/node/legacynet/followings.ts';
import type { Followed } from '../../src/protocol/api.ts';
import { FakeLegacynet, GATEWAY } from './fake-legacynet.ts';
import { testNode, testWallet, type TestNode } from './test-node.ts';

const open: Followings[] = [];

// Making keys may take longer than a test is given.
beforeAll(() => Promise.all([testWallet(), FakeLegacynet.create()]).then(() => undefined), 120_000);

afterEach(async () => {
  await Promise.all(open.splice(0).map((followings) => followings.close()));
});

export function nodeOn(net: FakeLegacynet, config: Record<string, string> = {}): Promise<TestNode> {
  return testNode({
    capabilities: { http: net.transport() },
    config: Message.of({ gateway: GATEWAY, 'legacynet-poll': '20', ...config }),
  });
}

/** Closed after the test. */
export function followingsOf({ context }: TestNode): Followings {
  const followings = new Followings(context);
  open.push(followings);
  return followings;
}

/** How the one process that is followed stands, once it is as wanted or has failed. */
export async function until(followings: Followings, good: (now: Followed) => boolean): Promise<Followed> {
  for (let tries = 0; tries < 1000; tries++) {
    const [now] = await followings.list();
    if (now && (good(now) || now.state === 'failed')) return now;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`It stays at ${JSON.stringify((await followings.list())[0])}`);
}

export const caughtUp = ({ state }: Followed) => state === 'waiting';

/** Messages that add 1 each. */
export async function add(net: FakeLegacynet, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await net.send([
      ['Action', 'Add'],
      ['By', '1'],
      ['Count', String(net.slots.length)],
    ]);
}
