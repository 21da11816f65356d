import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';
import { tally } from './example-device.ts';

let context: NodeContext;
beforeAll(async () => {
  context = await testNode();
  context.devices.register(tally);
}, 60_000);

async function ask(target: string) {
  const headers: [string, string][] = [['accept-bundle', 'true']];
  const { status, body } = await handle({ method: 'GET', target, headers, body: new Uint8Array() }, context);
  return [status, utf8(body)];
}

describe('the example device', () => {
  it('answers over HTTP like any other', async () => {
    expect(await ask('/~tally@1.0/vote&for=tea/vote&for=coffee/vote&for=tea/winner')).toEqual([200, 'tea']);
    expect(await ask('/~tally@1.0/vote&for=tea/votes/tea')).toEqual([200, '1']);
  });

  it('refuses with a result', async () => {
    expect(await ask('/~tally@1.0/vote')).toEqual([400, 'A vote needs a choice in `for`.']);
    expect(await ask('/~tally@1.0/winner')).toEqual([400, 'Nobody has voted.']);
  });

  it('cannot be registered twice, and nothing else can be registered as a device', () => {
    expect(() => context.devices.register(tally)).toThrow('already');
    expect(() => context.devices.register({ name: 'no version', keys: {} })).toThrow('no device');
  });
});
