/** Devices of others, registered from a page: loaded into the node worker, there wherever the node runs. */
import { afterEach, describe, expect, it } from 'vitest';
import { openNode, type OpenNode, type OpenOptions } from '../../../src/client/index.ts';

const TALLY = new URL('../../unit/device/example-device.ts', import.meta.url);
const nodes: OpenNode[] = [];

async function open(options: OpenOptions = {}): Promise<OpenNode> {
  const node = await openNode({
    serviceWorker: false,
    database: `test-${crypto.randomUUID()}`,
    createWorker: () =>
      new Worker(new URL('../../../workers/node.worker.ts', import.meta.url), { type: 'module' }),
    ...options,
  });
  nodes.push(node);
  return node;
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

async function winner(node: OpenNode) {
  const path = '/~tally@1.0/vote&for=tea/vote&for=coffee/vote&for=tea/winner';
  const answer = await node.fetch(path, { headers: { 'accept-bundle': 'true' } });
  return [answer.status, await answer.text()];
}

describe('node.devices', () => {
  it('registers a module at run time', async () => {
    const node = await open();
    expect((await winner(node))[0]).toBe(500);
    expect(await node.devices.register(TALLY)).toBe('tally@1.0');
    expect(await node.devices.register(TALLY.href)).toBe('tally@1.0');
    expect(await node.devices.names()).toContain('tally@1.0');
    expect(await winner(node)).toEqual([200, 'tea']);
  });

  it('has devices that were given at the start before anything is asked', async () => {
    const node = await open({ devices: [TALLY] });
    expect(await winner(node)).toEqual([200, 'tea']);
  });

  it('starts all the same where a module does not load', async () => {
    const node = await open({ devices: [new URL('no-such-module.js', import.meta.url)] });
    expect((await node.info()).address).toMatch(/^[\w-]{43}$/);
  });

  it('refuses what is foreign and what makes no device', async () => {
    const node = await open();
    await expect(node.devices.register('https://device.example/x.js')).rejects.toMatchObject({
      code: 'foreign-device',
      status: 403,
    });
    await expect(node.devices.register(new URL('none.js', import.meta.url))).rejects.toMatchObject({
      code: 'bad-device',
    });
  });
});
