import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/bytes.ts';
import { handle } from '../../../src/node/http.ts';
import type { NodeContext } from '../../../src/resolver/node-context.ts';
import { testNode } from '../../conformance/node.ts';
import { deviceTools, registerModule } from '../../../src/node/device-module.ts';
import tally from './example-device.ts';

let context: NodeContext;
beforeAll(async () => {
  context = await testNode();
  context.devices.register(await tally(deviceTools));
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

  it('cannot be registered twice, and nothing else can be registered as a device', async () => {
    const again = await tally(deviceTools);
    expect(() => context.devices.register(again)).toThrow('already');
    expect(() => context.devices.register({ name: 'no version', keys: {} })).toThrow('no device');
  });
});

describe('a module with a device', () => {
  const ORIGIN = 'https://app.example';
  const load = (module: unknown) => () => Promise.resolve(module);

  it('is registered once, however often it is asked for', async () => {
    const node = await testNode();
    const url = `${ORIGIN}/tally.js`;
    for (let time = 0; time < 2; time++)
      expect(await registerModule(url, node, ORIGIN, load({ default: tally }))).toBe('tally@1.0');
    const other = registerModule(`${ORIGIN}/other.js`, node, ORIGIN, load({ default: tally }));
    await expect(other).rejects.toMatchObject({ code: 'device-exists', status: 409 });
  });

  it('must be of the same origin, and make a device', async () => {
    const node = await testNode();
    for (const url of [
      'https://evil.example/tally.js',
      'data:text/javascript,0',
      'blob:https://app.example/1',
      'x',
    ])
      await expect(registerModule(url, node, ORIGIN, load({}))).rejects.toMatchObject({
        code: 'foreign-device',
      });
    const bad = (module: unknown, name: string) =>
      expect(registerModule(`${ORIGIN}/${name}`, node, ORIGIN, load(module))).rejects.toMatchObject({
        code: 'bad-device',
      });
    await bad({}, 'no-default');
    await bad({ default: () => ({ name: 'tally', keys: {} }) }, 'no-version');
    await bad({ default: () => undefined }, 'nothing');
    const gone = registerModule(`${ORIGIN}/gone`, node, ORIGIN, () => Promise.reject(new Error('404')));
    await expect(gone).rejects.toMatchObject({ code: 'bad-device' });
  });
});
